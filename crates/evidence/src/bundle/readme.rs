//! What a person reads who opens the bundle and has never heard of us.

use voicelog_model::RecordingId;

/// The text of README.txt, in Dutch and English.
pub(super) fn text(recording: RecordingId) -> String {
    include_str!("readme.txt").replace("{recording}", &recording.to_string())
}

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
        assert!(text.lines().all(|line| line.chars().count() <= 100));
    }
}
