//! What a person reads who opens the bundle and has never heard of us.

use crate::part::{Scope, scope_title};
use voicelog_model::{Language, RecordingId};

/// What it says of the sound where that is in Ogg.
const IN_OGG: [(&str, &str); 2] = [
    (
        "  audio/all.wav          het hele gesprek, elke stem op een eigen kanaal; luister hiernaar
  audio/mixed.wav        bij meer dan twee kanalen: alle stemmen op een kanaal
  audio/1.wav ...        elke stem apart
",
        "  audio/1.opus ...       het hele gesprek, zoals elk apparaat in de kamer het opnam
",
    ),
    (
        "  audio/all.wav          the whole conversation, each voice on its own channel; listen to this
  audio/mixed.wav        where there are more than two channels: all voices on one
  audio/1.wav ...        each voice alone
",
        "  audio/1.opus ...       the whole conversation, as each device in the room recorded it
",
    ),
];

/// The text of README.txt, in Dutch and English. That it is a copy of a part stands first.
pub(crate) fn text(recording: RecordingId, part: Option<(&Scope, u64)>, in_ogg: bool) -> String {
    let mut text = include_str!("readme.txt").replace("{recording}", &recording.to_string());
    if in_ogg {
        for (wav, ogg) in IN_OGG {
            text = text.replace(wav, ogg);
        }
    }
    let Some((scope, length_us)) = part else {
        return text;
    };
    let plan = scope.plan();
    let title = |language| scope_title(&plan, length_us, language);
    format!(
        "LET OP: dit is niet het hele gesprek.\n{}\nWat is weggelaten en waarom staat in scope.json.\n\n\
         NOTE: this is not the whole conversation.\n{}\nWhat was left out, and why, is in scope.json.\n\n\n{text}",
        title(Language::Nl),
        title(Language::En),
    )
}

/// The text of recipe.txt: how to check a bundle with ordinary tools.
pub(crate) const fn recipe() -> &'static [u8] {
    include_bytes!("recipe.txt")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_name_the_recording_and_every_file() {
        let recording = RecordingId::from_bytes([1; 16]);
        let in_ogg = text(recording, None, true);
        assert_eq!(in_ogg.matches("audio/1.opus").count(), 2);
        assert!(!in_ogg.contains(".wav"), "{in_ogg}");
        let text = text(recording, None, false);
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
        assert!(text.lines().all(|line| line.chars().count() <= 100));
    }
}
