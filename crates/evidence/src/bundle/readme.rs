//! What a person reads who opens the bundle and has never heard of us.

use crate::part::{Scope, scope_title};
use voicelog_model::{Language, RecordingId};

/// The text of README.txt, in Dutch and English. That it is a copy of a part stands first.
pub(crate) fn text(recording: RecordingId, part: Option<(&Scope, u64)>) -> String {
    let text = include_str!("readme.txt").replace("{recording}", &recording.to_string());
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
        let text = text(recording, None);
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
