// What the page says, in Dutch and in English.

import { clock, rounded, type Edge } from "../base/clock";
import type { Both } from "../check/conclusion";

export type Lang = "nl" | "en";

const TEXTS = {
  title: ["Klopt deze opname?", "Is this recording genuine?"],
  intro: [
    "Deze pagina controleert de bundel van een opgenomen gesprek, of een bewijs van vernietiging. Alles gebeurt op dit apparaat. Er gaat niets naar internet.",
    "This page checks the bundle of a recorded conversation, or a certificate of destruction. Everything happens on this device. Nothing is sent anywhere.",
  ],
  choose: ["Kies een bestand", "Choose a file"],
  drop: ["of sleep het bestand hierheen", "or drop the file here"],
  keyLabel: ["Sleutel van het archief (niet verplicht)", "Key of the archive (optional)"],
  keyHelp: [
    "Vraag de organisatie die opnam om deze sleutel, op een andere manier dan bij de bundel. Alleen dan weet u dat de bundel echt van haar komt.",
    "Ask the organisation that recorded for this key, by another way than with the bundle. Only then do you know that the bundle is really theirs.",
  ],
  policySummary: ["Ontvangstbewijs, getuigen en tijdstempel (niet verplicht)", "Receipt, witnesses and timestamp (optional)"],
  receiptLabel: ["Uw ontvangstbewijs", "Your receipt"],
  receiptHelp: [
    "Kreeg u na het gesprek een ontvangstbewijs, als tekst of QR-code? Plak de hele tekst hier. Dan ziet u of de opname sindsdien niet is veranderd.",
    "Were you given a receipt after the conversation, as a text or a QR code? Paste the whole text here. Then you see whether the recording was not changed since.",
  ],
  policyLabel: ["Welke getuigen u vertrouwt", "Which witnesses you believe"],
  policyHelp: [
    "Getuigen zijn anderen die het logboek van het archief volgen. Kreeg u een lijst van getuigen (een policy), plak die dan hier. Vraag de lijst niet aan wie u de bundel gaf.",
    "Witnesses are others who follow the archive's log. If you got a list of witnesses (a policy), paste it here. Do not take the list from whoever gave you the bundle.",
  ],
  anchorsLabel: ["Certificaten van de tijdstempeldienst", "Certificates of the timestamping authority"],
  anchorsHelp: [
    "Een tijdstempeldienst zegt met een eigen klok wanneer het logboek deze opname al had. Haal het certificaat (PEM) bij die dienst zelf, of van een lijst die u vertrouwt.",
    "A timestamping authority says by a clock of its own when the log already had this recording. Take the certificate (PEM) from that authority itself, or from a list that you believe.",
  ],
  checkAgain: ["Controleer opnieuw", "Check again"],
  reading: ["De bundel wordt gelezen", "Reading the bundle"],
  original: ["De pakketten worden gecontroleerd", "Checking the packets"],
  sound: ["Het geluid wordt vergeleken", "Comparing the sound"],
  no_bundle: ["Dit is geen bundel en geen bewijs van vernietiging. Kies het ZIP-bestand zoals u het kreeg, of van een verklaring van vernietiging het tekstbestand met het bewijs.", "This is neither a bundle nor a certificate of destruction. Choose the ZIP file as you were given it, or of a declaration of destruction the text file with the certificate."],
  many_certificates: [
    "In dit bestand staan meer bewijzen van vernietiging. Deze pagina controleert er één. Het programma voicelog certificate --check controleert ze allemaal.",
    "This file has several certificates of destruction. This page checks one. The program voicelog certificate --check checks all of them.",
  ],
  bad_key: ["De sleutel die u gaf, is geen sleutel. Kopieer de hele regel: naam+cijfers+letters.", "The key that you gave is no key. Copy the whole line: name+digits+letters."],
  bad_policy: ["De lijst van getuigen is niet te lezen. Kopieer de hele tekst.", "The list of witnesses cannot be read. Copy the whole text."],
  bad_receipt: ["Dit is geen ontvangstbewijs. Kopieer de hele tekst, van de eerste tot de laatste regel.", "This is no receipt. Copy the whole text, from the first line to the last."],
  bad_anchors: ["Dit bestand heeft geen certificaten. Kies een bestand in PEM of DER.", "This file has no certificates. Choose a file in PEM or DER."],
  cannot_read: ["Het bestand kon niet gelezen worden.", "The file could not be read."],
  fault: ["Er ging iets mis in deze pagina. Er is niets vastgesteld.", "Something went wrong in this page. Nothing was established."],
  no_sound: ["Dit geluid kan hier niet worden afgespeeld.", "This sound cannot be played here."],
  result: ["Uitkomst", "Result"],
  certificateHolds: ["Het bewijs van vernietiging klopt.", "The certificate of destruction holds."],
  certificateBroken: ["Het bewijs van vernietiging klopt niet.", "The certificate of destruction does not hold."],
  certificateNoKey: ["Het bewijs kan zonder sleutel niet gecontroleerd worden. Vul hierboven de sleutel van het archief in.", "The certificate cannot be checked without a key. Fill in the key of the archive above."],
  opusNote: [
    "Eén ding is niet gecontroleerd: of het geluidsbestand precies bij de Opus-pakketten hoort. Deze pagina kan Opus niet tot op de bit decoderen. De pakketten zelf zijn wel gecontroleerd, en het geluidsbestand is dat van de ondertekende lijst.",
    "One thing was not checked: whether the sound file is exactly that of the Opus packets. This page cannot decode Opus to the bit. The packets themselves were checked, and the sound file is the one on the signed list.",
  ],
  partExcerpt: ["Dit is een uittreksel", "This is an excerpt"],
  partRedacted: ["Dit is een kopie waaruit stukken zijn weggelaten", "This is a copy from which passages were left out"],
  partBoth: ["Dit is een uittreksel, en er zijn stukken uit weggelaten", "This is an excerpt, and passages were left out of it"],
  partUnread: ["Dit is een kopie van een deel. Van welk deel is niet te lezen", "This is a copy of a part. Of which part cannot be read"],
  partRange: ["uittreksel", "excerpt"],
  partUntil: ["tot", "to"],
  partOf: ["van", "of"],
  partMeans: [
    "Wat er wel in staat, is onveranderd. De tijdlijn en de uitkomst gaan over het hele gesprek; het archief legde die vast voordat deze kopie werd gemaakt.",
    "What is in it is unaltered. The timeline and the result are about the whole conversation; the archive stated them before this copy was made.",
  ],
  partBroken: ["Deze kopie klopt niet. Wat hieronder staat, is niet bewezen.", "This copy does not hold. What is said below is not proven."],
  leftOutTitle: ["Wat er uit deze kopie is weggelaten", "What was left out of this copy"],
  goneFrom: ["Echt weg", "Really gone"],
  leftOutNone: ["Alleen wat buiten het uittreksel ligt.", "Only what lies outside the excerpt."],
  leftOutExact: [
    "Er wordt weggelaten in stukjes van ongeveer een tiende seconde. Daarom kan er aan de randen iets meer weg zijn dan er gevraagd werd.",
    "Passages are left out in pieces of about a tenth of a second, so a little more than was asked may be gone at the edges.",
  ],
  streams: ["Stromen", "Streams"],
  reason: ["Reden", "Reason"],
  legalGround: ["Grond in de wet", "Legal ground"],
  decidedBy: ["Besloten door", "Decided by"],
  heardAs: ["Te horen als", "Heard as"],
  sound_tone: ["een toon", "a tone"],
  sound_silence: ["stilte", "silence"],
  left_out: ["weggelaten uit deze kopie", "left out of this copy"],
  outside_excerpt: ["buiten het uittreksel", "outside the excerpt"],
  timelineStated: ["Deze tijdlijn is die van het hele gesprek, zoals het archief die vastlegde.", "This timeline is that of the whole conversation, as the archive stated it."],
  partLimit: [
    "Of de tijdlijn volgt uit de stukken die zijn weggelaten, en waar precies binnen vijftien seconden de pakketten te horen waren. Daarvoor is de hele kopie nodig.",
    "Whether the timeline follows from what was left out, and where exactly within fifteen seconds the packets were heard. That takes the whole copy.",
  ],
  brokenParts: ["Wat er niet klopt", "What does not hold"],
  brokenCheck: ["Onderdeel", "Part"],
  brokenPlace: ["Bestand", "File"],
  brokenWhat: ["Wat is er mis", "What is wrong"],
  who: ["Wie staat hiervoor in?", "Who vouches for this?"],
  keyFromBundle: [
    "Alleen de bundel zelf noemt deze sleutel. Iemand anders kan een bundel met een eigen sleutel maken. Vraag de organisatie langs een andere weg of dit haar sleutel is, of vul hierboven de sleutel in die u van haar kreeg.",
    "Only the bundle itself names this key. Somebody else can make a bundle with a key of their own. Ask the organisation by another way whether this is their key, or fill in above the key that you got from them.",
  ],
  keyGiven: ["U gaf deze sleutel zelf, en de bundel is ermee ondertekend.", "You gave this key yourself, and the bundle is signed with it."],
  keyGivenBroken: ["U gaf deze sleutel zelf.", "You gave this key yourself."],
  keyNone: ["Er is geen bruikbare sleutel.", "There is no usable key."],
  keyName: ["Naam van het archief", "Name of the archive"],
  fingerprint: ["Vingerafdruk van de sleutel", "Fingerprint of the key"],
  keyWhole: ["De hele sleutel", "The whole key"],
  facts: ["Over het gesprek", "About the conversation"],
  recording: ["Opname", "Recording"],
  started: ["Begin van het gesprek", "Start of the conversation"],
  length: ["Lengte", "Length"],
  origin: ["Herkomst", "Origin"],
  origin_phone: ["telefoon: elk pakket zoals het aankwam", "telephone: every packet as it arrived"],
  origin_room: ["ruimte: wat een apparaat in de ruimte opnam, zoals het aankwam", "room: what a device in the room recorded, as it arrived"],
  origin_file: [
    "bestand: later overgenomen; wat er eerder mee gebeurde, is hier niet na te gaan",
    "file: taken over later; what happened to it before cannot be checked here",
  ],
  made: ["Bundel gemaakt", "Bundle made"],
  inLog: ["In het logboek sinds", "In the log since"],
  stampGiven: ["Tijdstempel, volgens het certificaat dat u gaf", "Timestamp, by the certificate that you gave"],
  stampFromBundle: ["Tijdstempel, volgens een certificaat dat alleen de bundel noemt", "Timestamp, by a certificate that only the bundle names"],
  logSize: ["Omvang van het logboek toen", "Size of the log then"],
  receiptSize: ["Omvang van het logboek bij uw ontvangstbewijs", "Size of the log at your receipt"],
  gaps: ["Wat er ontbreekt, en waarom", "What is missing, and why"],
  noGaps: ["Er ontbreekt niets.", "Nothing is missing."],
  manyGaps: ["Er zijn er meer. Alleen de eerste 500 staan hier; op de tekening staan ze allemaal.", "There are more. Only the first 500 are listed; the drawing has them all."],
  stream: ["Stroom", "Stream"],
  what: ["Wat", "What"],
  from: ["Van", "From"],
  to: ["Tot", "To"],
  lasts: ["Duurt", "Lasts"],
  why: ["Waarom", "Why"],
  listen: ["Luister hier", "Listen here"],
  timeline: ["Tijdlijn", "Timeline"],
  timelineHelp: ["Elke balk is een stroom: het geluid van één kant. Klik op de balk om daar te luisteren. Dezelfde gegevens staan als tekst in de tabel hierboven.", "Each bar is a stream: the sound of one side. Click on the bar to listen there. The table above has the same as text."],
  player: ["Luisteren", "Listening"],
  playerHelp: ["Dit geluid maakt deze pagina uit de pakketten zoals ze aankwamen, niet uit de geluidsbestanden in de bundel.", "This page makes the sound from the packets as they arrived, not from the sound files in the bundle."],
  playerBroken: ["De bundel klopt niet. Wat u hoort, is niet bewezen.", "The bundle does not hold. What you hear is not proven."],
  fromFile: ["Deze browser kan de pakketten niet decoderen. U hoort het geluidsbestand uit de bundel.", "This browser cannot decode the packets. You hear the sound file of the bundle."],
  playAll: ["Alle stromen", "All streams"],
  making: ["Het geluid wordt gemaakt", "Making the sound"],
  checked: ["Wat is gecontroleerd", "What was checked"],
  ok: ["klopt", "holds"],
  warning: ["let op", "note"],
  isBroken: ["klopt niet", "does not hold"],
  limits: ["Wat deze controle niet laat zien", "What this check does not show"],
  limit1: ["Of wat aankwam ook is wat er gezegd werd. Het telefoonnet is niet van het archief.", "Whether what arrived is what was said. The telephone network is not the archive's."],
  limit2: ["Of het archief aan anderen een ander logboek liet zien. Bewaar de bundel; met een latere bundel is dat te vergelijken.", "Whether the archive showed others another log. Keep the bundle; a later one can be compared with it."],
  limit3: ["Hoe laat het was volgens een andere klok dan die van het archief.", "What time it was by another clock than the archive's."],
  limit4: ["Of de opname mocht. Het besluit staat in de bundel (decision.json), maar of het juist was, beslist een mens.", "Whether it was lawful to record. The decision is in the bundle (decision.json), but whether it was right is for a person to say."],
  packet: ["pakket", "packet"],
  packets: ["pakketten", "packets"],
  keyDestroyed: ["Sleutel vernietigd", "Key destroyed"],
  completed: ["Alles vernietigd", "All destroyed"],
  howMuch: ["Omvang", "How much"],
  soundAlone: ["alleen het geluid; wat van het gesprek bekend is niet", "the sound alone; not what is known of the call"],
  wholeRecording: ["de gehele opname", "the whole recording"],
  objects: ["Bestanden", "Files"],
  bytes: ["Bytes", "Bytes"],
  recordedAt: ["Begin van het gesprek", "Start of the conversation"],
  purpose: ["Doel (woord van de regels)", "Purpose (word of the rules)"],
  term: ["Bewaartermijn", "Term"],
  termEnd: ["Einde van de termijn", "End of the term"],
  process: ["Proces in de selectielijst", "Process in the selection list"],
  ground: ["Waarom zij niet langer bewaard mocht worden", "Why it could be kept no longer"],
  askedByAccount: ["Iemand vroeg om de vernietiging", "Somebody asked for the destruction"],
  askedByNobody: ["Het archief deed het zelf, na de termijn", "The archive did it by itself, after the term"],
  decidedHow: ["Wie besloot", "Who decided"],
  copiesGiven: ["Kopieën die eerder zijn gegeven", "Copies that were given before"],
  noCopies: ["geen", "none"],
  destroyedLimit: [
    "Dit bewijst dat het archief de vernietiging verklaarde en dat niet kan terugdraaien. Het bewijst niet dat er nergens een kopie is.",
    "This proves that the archive stated the destruction and cannot take that back. It does not prove that there is no copy anywhere.",
  ],
  party: ["van", "of"],
  legend: ["Legenda", "Key to the drawing"],
  language: ["Taal", "Language"],
  destroyedStatement: ["Wat de verklaring zegt", "What the certificate says"],
  // Checks.
  Container: ["het ZIP-bestand", "the ZIP file"],
  Key: ["de sleutel", "the key"],
  Signature: ["de handtekening", "the signature"],
  Files: ["de lijst van bestanden", "the list of files"],
  Decision: ["het besluit", "the decision"],
  Original: ["de pakketten en gebeurtenissen", "the packets and events"],
  Timeline: ["de tijdlijn", "the timeline"],
  Sound: ["het geluid", "the sound"],
  Log: ["het logboek", "the log"],
  Completeness: ["de verklaring van volledigheid", "the statement of completeness"],
  Scope: ["wat is weggelaten", "what is left out"],
  Witnesses: ["de getuigen", "the witnesses"],
  Vcon: ["de vCon", "the vCon"],
  Receipt: ["het ontvangstbewijs", "the receipt"],
  Timestamp: ["het tijdstempel", "the timestamp"],
  Certificate: ["de verklaring", "the certificate"],
  // Why.
  code_ok: ["klopt", "holds"],
  code_not_in_form: ["Het bestand is niet zoals het geschreven is. Is het uitgepakt en opnieuw ingepakt? Controleer dan het bestand zoals u het kreeg.", "The file is not as it was written. Was it unpacked and packed again? Then check the file as you were given it."],
  code_content_changed: ["De inhoud is veranderd.", "The content was changed."],
  code_key_from_bundle: ["Alleen de bundel zelf noemt de sleutel.", "Only the bundle itself names the key."],
  code_no_key: ["Er is geen sleutel om mee te controleren.", "There is no key to check with."],
  code_other_key: ["Dit is niet de sleutel die u gaf.", "This is not the key that you gave."],
  code_missing: ["Dit bestand ontbreekt.", "This file is missing."],
  code_bad_signature: ["De handtekening klopt niet.", "The signature is not right."],
  code_not_listed: ["Dit bestand staat niet op de ondertekende lijst.", "This file is not on the signed list."],
  code_no_part: ["Dit bestand hoort niet bij de opname.", "This file is no part of the recording."],
  code_out_of_order: ["De bestanden staan in een andere volgorde dan op de lijst.", "The files are in another order than on the list."],
  code_damaged: ["Dit bestand is beschadigd, of van een versie die deze pagina niet kent.", "This file is damaged, or of a version that this page does not know."],
  code_too_large: ["Dit bestand is te groot.", "This file is too large."],
  code_other_recording: ["De lijst is van een andere opname.", "The list is of another recording."],
  code_not_of_recording: ["Dit is niet wat bij de opname hoort.", "This is not what belongs to the recording."],
  code_other_rulebook: ["Het besluit noemt andere regels dan de opname.", "The decision names another rulebook than the recording."],
  code_index_missing: ["Er ontbreken gegevens, of ze staan er dubbel in.", "Records are missing or doubled."],
  code_does_not_follow: ["Dit volgt niet uit de pakketten.", "This does not follow from the packets."],
  code_states_other: ["De opname noemt een andere tijdlijn, tijd of uitkomst.", "The recording states another timeline, time or verdict."],
  code_opus_not_decoded: ["Niet vergeleken: deze pagina decodeert Opus niet.", "Not compared: this page does not decode Opus."],
  code_not_proven: ["Het is niet bewezen dat dit in het logboek van het archief staat.", "It is not proven that this is in the archive's log."],
  code_part: ["Dit is een kopie van een deel van de opname.", "This is a copy of a part of the recording."],
  code_other_copy: ["De lijst zegt iets anders over wat voor kopie dit is.", "The list says something else about what kind of copy this is."],
  code_salt_of_other_copy: ["Dit hoort bij een ander soort kopie.", "This belongs to another kind of copy."],
  code_scope_untrue: ["Wat hier staat over wat is weggelaten, kan niet waar zijn.", "What this says about what was left out cannot be true."],
  code_not_witnessed: ["De getuigen die u vertrouwt, hebben dit niet genoeg bevestigd.", "The witnesses that you believe did not confirm this, or too few of them."],
  code_unchecked_here: ["Niet nagegaan: deze browser kan dat niet. Het programma voicelog verify doet het wel.", "Not checked: this browser cannot do that. The program voicelog verify does."],
  code_stamp_anchors_from_bundle: [
    "Het tijdstempel klopt volgens certificaten die alleen de bundel noemt. Haal het certificaat bij de tijdstempeldienst zelf en kies het hierboven.",
    "The timestamp holds by certificates that only the bundle names. Take the certificate from the authority itself and choose it above.",
  ],
  code_no_stamp_anchors: [
    "Er is een tijdstempel, maar geen certificaat om het mee te controleren. Kies er hierboven een.",
    "There is a timestamp, but no certificate to check it with. Choose one above.",
  ],
  code_stamp_does_not_hold: [
    "Dit tijdstempel klopt niet, of is niet van een dienst die u vertrouwt.",
    "This timestamp does not hold, or is not by an authority that you believe.",
  ],
  code_no_certificates: ["Dit zijn geen certificaten.", "These are no certificates."],
  code_stamped_too_early: [
    "Het tijdstempel is van vóór het einde van het gesprek. Een van de klokken ging niet goed.",
    "The timestamp is from before the end of the conversation. One of the clocks was wrong.",
  ],
  code_other_archive: ["Het ontvangstbewijs is van een ander archief.", "The receipt is of another archive."],
  code_receipt_does_not_hold: [
    "Het ontvangstbewijs klopt zelf niet. Het is veranderd, of dit archief gaf het nooit.",
    "The receipt itself does not hold. It was changed, or this archive never gave it.",
  ],
  code_receipt_of_other: ["Het ontvangstbewijs is van een andere opname.", "The receipt is of another recording."],
  code_rewritten: [
    "De opname staat nu anders in het logboek dan toen u het ontvangstbewijs kreeg.",
    "The recording is in the log otherwise now than when you were given the receipt.",
  ],
  code_two_histories: [
    "Het archief laat twee verschillende logboeken zien: één in uw ontvangstbewijs en één in de bundel.",
    "The archive shows two different logs: one in your receipt and one in the bundle.",
  ],
  code_heard_far: [
    "In deze kopie is een pakket meer dan vijf seconden van zijn aankomst te horen. Dat kan bij een slecht netwerk.",
    "In this copy a packet is heard more than five seconds from its arrival. On a bad network that can be.",
  ],
  code_witnesses_unchecked: ["Er staan handtekeningen van anderen bij. Die zijn niet gecontroleerd: u gaf geen lijst van getuigen.", "There are signatures of others with it. They were not checked: you gave no list of witnesses."],
  code_bad_list: ["De ondertekende lijst is niet te lezen.", "The signed list cannot be read."],
  // Kinds of intervals.
  media: ["geluid", "sound"],
  loss: ["onderweg kwijtgeraakt", "lost on the way"],
  silence_suppressed: ["stilte: de zender stuurde niets", "silence: the sender sent nothing"],
  not_started: ["nog niet begonnen", "not started yet"],
  paused: ["gepauzeerd", "paused"],
  refused: ["kon niet worden opgenomen", "could not be recorded"],
  awaiting_first_packet: ["wacht op het eerste geluid", "waiting for the first sound"],
  after_last_packet: ["na het laatste geluid", "after the last sound"],
  source_change: ["andere bron", "another source"],
  dropped: ["door de recorder kwijtgeraakt", "lost by the recorder"],
  restart: ["de recorder stond stil", "the recorder was down"],
  undeclared_gap_kind: ["ontbreekt zonder verklaring", "missing, and nothing explains it"],
  // Causes.
  cause_recording_client: ["door de telefooncentrale", "by the telephone exchange"],
  cause_operator: ["door iemand aan de kant van de opnemer", "by somebody on the recording side"],
  cause_refusal: ["geen toestemming", "no permission"],
  cause_overload: ["te druk", "overload"],
  cause_disk_full: ["de schijf was vol", "the disk was full"],
  cause_shutdown: ["de recorder werd uitgezet", "the recorder was shut down"],
  cause_time_out: ["te lang niets gehoord", "nothing heard for too long"],
  cause_restart: ["de recorder startte opnieuw", "the recorder restarted"],
  cause_no_media: ["er kwam geen geluid", "no sound came"],
  cause_protection: ["de beveiliging van de stroom kon niet worden gelezen", "the protection of the stream could not be read"],
  cause_keys: ["de sleutels van de stroom ontbraken", "the keys of the stream were missing"],
  cause_form: ["de stroom had een onbekende vorm", "the stream had an unknown form"],
  cause_device: ["het apparaat nam niet meer op", "the device recorded no more"],
  cause_device_call: ["de telefoon ging", "the telephone rang"],
  cause_device_hidden: ["het scherm ging op slot, of er kwam iets anders voor", "the screen was locked, or something else came before it"],
  cause_device_muted: ["de microfoon was uitgezet", "the microphone was muted"],
  cause_device_gone: ["het apparaat had geen microfoon meer", "the device had no microphone any more"],
  cause_device_reloaded: ["de pagina werd opnieuw geladen", "the page was loaded again"],
  cause_device_full: ["het geheugen van het apparaat was vol", "the device had no room for more"],
  pause_card_data: ["betaalgegevens", "card data"],
  pause_citizen_number: ["burgerservicenummer", "citizen number"],
  pause_private: ["privé", "private"],
  pause_private_call: ["privégesprek", "private call"],
  pause_medical: ["medisch", "medical"],
  pause_other: ["andere reden", "another reason"],
} as const satisfies Record<string, Both>;

export type TextName = keyof typeof TEXTS;

let lang: Lang = "nl";

export function setLang(to: Lang): void {
  lang = to;
}
export function currentLang(): Lang {
  return lang;
}

export function pick([nl, en]: Both): string {
  return lang === "nl" ? nl : en;
}

export function say(name: TextName): string {
  return pick(TEXTS[name]);
}

/** A word from a bundle or a check: what it means, or the word itself where that is not known. */
export function sayWord(prefix: string, word: string): string {
  const name = `${prefix}${word}`;
  return Object.hasOwn(TEXTS, name) ? say(name as TextName) : word;
}

export function point(): string {
  return lang === "nl" ? "," : ".";
}

/** With hundredths: parts of a call may be short. */
export function exactClock(us: number, edge: Edge): string {
  const told = rounded(us, edge, 10_000);
  return `${clock(told)}${point()}${String((told / 10_000) % 100).padStart(2, "0")}`;
}

export function duration(us: number): string {
  return us < 60_000_000 ? `${(us / 1_000_000).toLocaleString(lang, { minimumFractionDigits: 1, maximumFractionDigits: 3 })} s` : clock(us);
}

export function moment(text: string): string {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? text : date.toLocaleString(lang === "nl" ? "nl-NL" : "en-GB", { dateStyle: "long", timeStyle: "long" });
}
