//! Alarms and refusals in words: what stands, what was turned away, and what to do about it.

use crate::app::Alarm;
use crate::view::when::When;
use voicelog_model::Language;

/// The words of the alarms that can stand, so that each has its number among the metrics also while it
/// does not.
pub(crate) const WORDS: [&str; 22] = [
    "no_media",
    "one_side",
    "side_refused",
    "metadata_unreadable",
    "wrong_srtp_key",
    "loss",
    "disk_filling",
    "no_new_calls",
    "connections_full",
    "calls_refused",
    "log_witness",
    "log_timestamp",
    "hold_review_overdue",
    "clock_differs",
    "clock_jumped",
    "backup_old",
    "key_record_foreign",
    "epoch_over",
    "master_key_beside_recorder",
    "secrets_file_old",
    "talk_failed",
    "certificate_not_renewed",
];

/// An alarm that stands, on a page.
#[derive(Debug, Clone)]
pub(crate) struct AlarmView {
    pub(crate) text: String,
    pub(crate) since: When,
    /// The conversation that it is about.
    pub(crate) recording: Option<String>,
}

/// How often something was turned away in the last hour.
#[derive(Debug, Clone)]
pub(crate) struct RefusedView {
    pub(crate) text: String,
    pub(crate) count: u64,
}

impl AlarmView {
    pub(crate) fn new(alarm: &Alarm, lang: Language) -> Self {
        Self {
            text: text(alarm, lang),
            since: When::new(alarm.since, lang),
            recording: alarm.recording.map(|id| id.to_string()),
        }
    }
}

fn text(alarm: &Alarm, lang: Language) -> String {
    let (nl, en) = match alarm.word {
        "no_media" => (
            "Er komt geen geluid dat bewaard kan worden.",
            "No sound comes that can be kept.",
        ),
        "one_side" => (
            "Eén kant van het gesprek is nog nooit gehoord.",
            "One side of the conversation was never heard.",
        ),
        "side_refused" => (
            "Eén stroom van het gesprek kan niet worden opgenomen zoals de centrale hem aanbiedt.",
            "One stream of the conversation cannot be recorded as the exchange offers it.",
        ),
        "metadata_unreadable" => (
            "Wat de centrale zegt over wie er deelneemt, is niet te lezen.",
            "What the exchange says of who takes part cannot be read.",
        ),
        "wrong_srtp_key" => (
            "Het geluid past niet bij de sleutel die de centrale opgaf (SRTP).",
            "The sound does not fit the key that the exchange gave (SRTP).",
        ),
        "loss" => (
            "Er raakt geluid kwijt in het netwerk.",
            "Sound is being lost in the network.",
        ),
        "talk_failed" => (
            "Er ging iets mis met een gesprek in de kamer; het is gestopt. Wat bewaard is, wordt afgesloten als de server opnieuw start. Doe dat zodra het kan.",
            "Something went wrong with a talk in a room; it was ended. What was kept is closed when the server is started again. Do that as soon as you can.",
        ),
        "disk_filling" => ("De schijf raakt vol.", "The disk is filling."),
        "connections_full" => (
            "Alle verbindingen voor SIP zijn in gebruik.",
            "All connections for SIP are taken.",
        ),
        "backup_old" => (
            "Er is al te lang geen back-up gemaakt (voicelog backup create).",
            "No backup was made for too long (voicelog backup create).",
        ),
        "certificate_not_renewed" => (
            "Het certificaat van de pagina's kon niet worden vernieuwd. Het logboek van de server zegt waarom. Los dit op voor het oude certificaat afloopt: daarna waarschuwen browsers, en geven telefoons hun microfoon niet.",
            "The certificate of the pages could not be renewed. The server's log says why. Mend it before the former ends: after that browsers warn, and telephones do not give their microphone.",
        ),
        "hold_review_overdue" => (
            "Een vernietigingsstop is niet op tijd bekeken. Hij gaat door; kijk op /holds of hij nog nodig is.",
            "A hold was not looked at in time. It goes on; see at /holds whether it is still needed.",
        ),
        "no_new_calls" => (
            "Nieuwe gesprekken worden geweigerd.",
            "New calls are turned away.",
        ),
        "log_witness" => witness(alarm.reason),
        "log_timestamp" => timestamp(alarm.reason),
        "calls_refused" if alarm.reason == Some("options_not_ready") => (
            "Een centrale vraagt (OPTIONS) op een adres waarvan geen gesprek zou worden opgenomen, en stuurt er misschien geen. Laat hem vragen op het adres van een lijn.",
            "An exchange asks (OPTIONS) at an address to which no call would be recorded, and may send none. Have it ask at the address of a line.",
        ),
        "calls_refused" => {
            let reason = alarm.reason.unwrap_or_default();
            let what = refused(reason, lang).unwrap_or_else(|| reason.replace('_', " "));
            return format!("{}: {what}.", lang.pick("Geweigerd", "Turned away"));
        }
        other => match of_keys(other).or_else(|| of_the_clock(other)) {
            Some(texts) => texts,
            None => return other.replace('_', " "),
        },
    };
    lang.pick(nl, en).to_owned()
}

/// What is wrong with the clock.
fn of_the_clock(word: &str) -> Option<(&'static str, &'static str)> {
    Some(match word {
        "clock_differs" => (
            "De klok van de server loopt meer dan een halve seconde anders dan de tijdserver. De tijden van de opnamen wijken zo ver af.",
            "The server's clock is more than half a second from the time server. The times of the recordings are off by that.",
        ),
        "clock_jumped" => (
            "De klok van de server is versprongen, of de server heeft lang stilgestaan. Er wordt niets vernietigd tot iemand zegt dat de klok goed staat: op de pagina Gezondheid, of met voicelog retention confirm-clock.",
            "The server's clock jumped, or the server was off for long. Nothing is destroyed until somebody says that the clock is right: on the page Health, or with voicelog retention confirm-clock.",
        ),
        _ => return None,
    })
}

/// What is wrong with the keys.
fn of_keys(word: &str) -> Option<(&'static str, &'static str)> {
    Some(match word {
        "key_record_foreign" => (
            "In de map van de sleutels ligt iets wat dit archief er niet heeft neergelegd, of er ontbreekt iets. Er gebeurt niets mee; kijk met voicelog keys.",
            "In the folder of keys lies something that this archive did not put there, or something is missing. Nothing is done with it; look with voicelog keys.",
        ),
        "epoch_over" => (
            "Dit archief is teruggezet en neemt op onder een sleutel die al vervangen was. Maak een nieuwe: voicelog keys rotate --rewrap.",
            "This archive was restored and records under a key that had been replaced. Make a new one: voicelog keys rotate --rewrap.",
        ),
        "master_key_beside_recorder" => (
            "Deze server hoort alleen de publieke sleutel te hebben, maar kan bij de hoofdsleutel. Haal die weg: wie de machine heeft, kan alles horen.",
            "This server is to have only the public key, and can get at the master key. Take that away: who has the machine can hear everything.",
        ),
        "secrets_file_old" => (
            "De hoofdsleutel is veranderd nadat de geheimen zijn weggeschreven. Maak een back-up met voicelog backup create MAP --with-secrets BESTAND.",
            "The master key was changed after the secrets were written. Make a backup with voicelog backup create FOLDER --with-secrets FILE.",
        ),
        _ => return None,
    })
}

/// Why there is no timestamp of the log.
fn timestamp(reason: Option<&str>) -> (&'static str, &'static str) {
    match reason {
        Some("not_reached") => (
            "De tijdstempeldienst antwoordt niet.",
            "The timestamping authority does not answer.",
        ),
        Some("clocks_apart") => (
            "De klok van de tijdstempeldienst en die van deze machine liggen ver uiteen. Zet de klok gelijk.",
            "The clocks of the timestamping authority and of this machine are far apart. Set the clock.",
        ),
        _ => (
            "Het antwoord van de tijdstempeldienst klopt niet, of komt van iemand anders.",
            "The answer of the timestamping authority does not hold, or is by somebody else.",
        ),
    }
}

/// Why a witness does not sign the log.
fn witness(reason: Option<&str>) -> (&'static str, &'static str) {
    match reason {
        Some("not_reached") => (
            "Een getuige van het logboek antwoordt niet.",
            "A witness of the log does not answer.",
        ),
        Some("unknown_log") => (
            "Een getuige kent dit logboek niet. Laat de beheerder van de getuige de sleutel van het logboek toevoegen.",
            "A witness does not know this log. Have its administrator add the log's key.",
        ),
        Some("other_key") => (
            "Een getuige heeft een andere sleutel van dit logboek.",
            "A witness has another key of this log.",
        ),
        Some("forked") => (
            "Een getuige zag een ander logboek dan dit: wat er nu staat, is geen vervolg daarop.",
            "A witness saw another log than this: what stands there now is no continuation of it.",
        ),
        Some("rolled_back") => (
            "Een getuige zag dit logboek langer dan het nu is: er is een oudere kopie van het archief teruggezet.",
            "A witness saw this log longer than it is now: an older copy of the archive was put back.",
        ),
        _ => (
            "Een getuige antwoordt op een manier die het protocol niet kent.",
            "A witness answers in a way that the protocol does not know.",
        ),
    }
}

/// What was turned away, by its word in the diary; nothing for what is no refusal, or what a client puts
/// right by itself.
pub(crate) fn refused(word: &str, lang: Language) -> Option<String> {
    let (nl, en) = match word {
        "refused_bad_request" => ("SIP-bericht dat niet klopt", "malformed SIP"),
        "refused_not_recording" => (
            "gesprek dat geen opnamesessie is (SIPREC)",
            "call that is no recording session (SIPREC)",
        ),
        "refused_too_large" => ("bericht te groot", "message too large"),
        "refused_unknown_body" => ("onbekende soort inhoud", "unknown kind of body"),
        "refused_unknown_scheme" => (
            "adres dat geen SIP-adres is",
            "address that is no SIP address",
        ),
        "refused_unknown_extension" => (
            "centrale eist een uitbreiding die voicelog niet heeft",
            "exchange requires an extension that voicelog does not have",
        ),
        "refused_no_usable_stream" => (
            "geen geluid dat op te nemen is: kijk naar codec, poort 0 en DTLS-SRTP",
            "no sound that can be recorded: look at codec, port 0 and DTLS-SRTP",
        ),
        "refused_srtp_keys_without_tls" => {
            ("sleutels voor SRTP zonder TLS", "keys for SRTP without TLS")
        }
        "refused_no_usable_srtp_key" => (
            "SRTP op een manier die voicelog niet kent (suite of MKI)",
            "SRTP in a way that voicelog does not know (suite or MKI)",
        ),
        "refused_full" => ("te veel sessies tegelijk", "too many sessions at once"),
        "refused_unanswered" => (
            "de opnameserver antwoordde niet op tijd",
            "the recorder did not answer in time",
        ),
        "refused_no_answer" => (
            "het archief kon geen antwoord geven: kijk naar de schijf en de index",
            "the archive could not answer: look at the disk and the index",
        ),
        "refused_not_accepting" => (
            "er werden geen nieuwe gesprekken aangenomen",
            "no new calls were taken",
        ),
        "refused_no_media_port" => (
            "alle poorten voor geluid in gebruik",
            "all ports for media in use",
        ),
        _ => return refused_connection(word, lang),
    };
    Some(lang.pick(nl, en).to_owned())
}

/// The same of connections and TLS handshakes.
fn refused_connection(word: &str, lang: Language) -> Option<String> {
    let (nl, en) = match word {
        "tcp_too_many" => ("te veel verbindingen", "too many connections"),
        "tls_too_slow" => ("TLS: te langzaam", "TLS: too slow"),
        "tls_not_tls" => (
            "iets anders dan TLS op de poort voor TLS",
            "something else than TLS on the port for TLS",
        ),
        "tls_broken_off" => ("TLS: afgebroken", "TLS: broken off"),
        "tls_nothing_in_common" => (
            "TLS: geen versie of suite gemeen",
            "TLS: no version or suite in common",
        ),
        "tls_refused_by_client" => (
            "TLS: de centrale vertrouwt ons certificaat niet",
            "TLS: the exchange does not trust our certificate",
        ),
        "tls_no_client_certificate" => (
            "TLS: de centrale toont geen certificaat",
            "TLS: the exchange shows no certificate",
        ),
        "tls_client_certificate_expired" => (
            "TLS: het certificaat van de centrale is verlopen",
            "TLS: the certificate of the exchange has lapsed",
        ),
        "tls_client_certificate_refused" => (
            "TLS: het certificaat van de centrale is niet van de ingestelde uitgever",
            "TLS: the certificate of the exchange is not of the issuer that is set",
        ),
        "tls_failed" => ("TLS: mislukt", "TLS: failed"),
        _ => return None,
    };
    Some(lang.pick(nl, en).to_owned())
}
