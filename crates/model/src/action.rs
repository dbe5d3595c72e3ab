//! The acts on a conversation that the law is asked about.

use serde::{Deserialize, Serialize};

/// One act. Exhaustive on purpose: a new act must break every match, so that nobody forgets it.
///
/// The words are those of a facts file (`requested_action`), in snake case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Make a recording.
    Record,
    /// Hear along while the conversation happens.
    ListenLive,
    /// Go on keeping a recording that exists.
    Keep,
    /// Play a recording back.
    Listen,
    /// Turn speech into text.
    Transcribe,
    /// Let a machine judge the conversation.
    AnalyseAi,
    /// Give it to somebody who was not recorded.
    Share,
    /// Make it public.
    Publish,
    /// Use it for another purpose than it was made for.
    UseFor,
    /// Hand it to a court.
    FileInCourt,
    /// Give a copy to the person recorded.
    GiveCopy,
    /// Destroy it.
    Destroy,
    /// Take in a file made elsewhere.
    ImportFile,
    /// Refuse that the other side records.
    RefuseRecording,
    /// Place an outbound marketing call.
    Call,
}

impl Action {
    /// Every act, in the order of the facts file's documentation.
    pub const ALL: [Self; 15] = [
        Self::Record,
        Self::ListenLive,
        Self::Keep,
        Self::Listen,
        Self::Transcribe,
        Self::AnalyseAi,
        Self::Share,
        Self::Publish,
        Self::UseFor,
        Self::FileInCourt,
        Self::GiveCopy,
        Self::Destroy,
        Self::ImportFile,
        Self::RefuseRecording,
        Self::Call,
    ];

    /// The word used in facts files, decisions and the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::ListenLive => "listen_live",
            Self::Keep => "keep",
            Self::Listen => "listen",
            Self::Transcribe => "transcribe",
            Self::AnalyseAi => "analyse_ai",
            Self::Share => "share",
            Self::Publish => "publish",
            Self::UseFor => "use_for",
            Self::FileInCourt => "file_in_court",
            Self::GiveCopy => "give_copy",
            Self::Destroy => "destroy",
            Self::ImportFile => "import_file",
            Self::RefuseRecording => "refuse_recording",
            Self::Call => "call",
        }
    }
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_of_an_act_is_the_word_serde_writes() {
        for action in Action::ALL {
            let written = serde_json::to_string(&action).unwrap();
            assert_eq!(written, format!("\"{action}\""));
        }
    }
}
