//! What a person reads who opens the bundle and has never heard of us.

use voicelog_model::RecordingId;

/// The text of README.txt, in Dutch and English.
pub(super) fn text(recording: RecordingId) -> String {
    format!("{}{recording}{}{recording}{}", NL[0], EN[0], EN[1]).replace("{original}", NL[1])
}

const NL: [&str; 2] = [
    "\
(English below)

BEWIJSPAKKET van een opgenomen gesprek
opname ",
    "\


Wat is dit?
  Dit pakket bevat een opgenomen gesprek, en alles waarmee u zelf kunt nagaan dat het volledig is
  en dat er niets aan veranderd is. U hebt daarvoor onze server niet nodig.

  audio/all.wav          het hele gesprek, elke stem op een eigen kanaal; luister hiernaar
  audio/1.wav ...        elke stem apart
  timeline.json          waar geluid is, waar niet, en waarom niet
  decision.json          het besluit dat opnemen mocht, met de wetsartikelen
  original/              wat er werkelijk binnenkwam, pakket voor pakket, met het tijdstip
  manifest.json          waaruit de opname bestaat
  opening.json           waarmee u de verzegeling in het logboek opent
  checkpoint.tlog-proof  het bewijs dat de opname in het logboek van het archief staat
  archive.vkey           de sleutel van het archief
  bundle.note            de lijst van alle bestanden, ondertekend door het archief

Controleren
  voicelog verify BUNDLE.zip
  Kent u de sleutel van het archief uit andere bron? Geef hem dan mee. Anders zegt de controle
  alleen dat alles bij elkaar hoort, en niet van welk archief het komt.

  Zonder ons programma: pak het ZIP-bestand uit en voer uit
    grep '^[0-9a-f]\\{64\\}  ' bundle.note | sha256sum -c
  Het formaat is openbaar beschreven (evidence-format.md), zodat iedereen zelf een
  controleprogramma kan schrijven.

Let op
  Het geluid in audio/ is afgeleid van original/. Stilte kan een hiaat zijn: kijk in timeline.json.
  Dit pakket bevat persoonsgegevens. Bewaar het veilig en geef het niet zomaar door.


",
];

const EN: [&str; 2] = [
    "{original}\
EVIDENCE BUNDLE of a recorded conversation
recording ",
    "

What is this?
  This bundle holds a recorded conversation, and everything with which you can check yourself that
  it is complete and that nothing in it was changed. You do not need our server for that.

  audio/all.wav          the whole conversation, each voice on its own channel; listen to this
  audio/1.wav ...        each voice alone
  timeline.json          where there is sound, where there is none, and why not
  decision.json          the decision that recording was permitted, with the articles of law
  original/              what really arrived, packet by packet, with its time
  manifest.json          what the recording consists of
  opening.json           what opens the seal in the log
  checkpoint.tlog-proof  the proof that the recording is in the archive's log
  archive.vkey           the archive's key
  bundle.note            the list of all files, signed by the archive

Checking
  voicelog verify BUNDLE.zip
  Do you know the archive's key from another source? Then give it too. Otherwise the check says
  only that everything belongs together, and not which archive it comes from.

  Without our program: unpack the ZIP file and run
    grep '^[0-9a-f]\\{64\\}  ' bundle.note | sha256sum -c
  The format is described in public (evidence-format.md), so that anyone can write a program that
  checks it.

Please note
  The sound in audio/ is derived from original/. Silence can be a gap: look in timeline.json.
  This bundle holds personal data. Keep it safe and do not pass it on lightly.
",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_name_the_recording_and_every_file() {
        let recording = RecordingId::from_bytes([1; 16]);
        let text = text(recording);
        assert_eq!(text.matches(&recording.to_string()).count(), 2);
        for name in [
            "audio/all.wav",
            "timeline.json",
            "original/",
            "bundle.note",
            "archive.vkey",
        ] {
            assert!(text.matches(name).count() >= 2, "{name}");
        }
        assert!(!text.contains('{') || text.contains("\\{64\\}"));
        assert!(text.lines().all(|line| line.chars().count() <= 100));
    }
}
