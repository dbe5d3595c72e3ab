//! Keeping on request: whether somebody asked to keep a call, on a line that keeps what it is asked
//! to keep.
//!
//! The law is asked as for any recording, and only what it permits may be held in memory. That
//! somebody asks is no fact of the law: it is what the organisation makes of its permission, as a
//! draw is. See `design/decisions/0010-keep-on-request.md`.

use crate::call::Call;
use crate::line::Keep;
use crate::permit::Refusal;
use crate::{Archive, ArchiveError};
use serde::{Deserialize, Serialize};
use voicelog_evidence::journal::{AskedBy, Ground, KEEP_RULE, KeepReason};
use voicelog_model::{Pii, RecordingId, Timestamp};

/// That somebody asks to keep a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeepRequest {
    /// Why.
    pub reason: KeepReason,
    /// How it was asked.
    pub by: AskedBy,
    /// Who asked: the pseudonym of the participant who pressed the key, or what the program that
    /// told us calls the person.
    pub asked_by: Option<Pii<String>>,
    /// When.
    pub at: Timestamp,
}

/// Whether somebody has asked; kept, sealed, with each decision about such a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
pub enum KeepState {
    /// Nobody has, so far.
    NotRequested {
        /// How many seconds may be held in memory until somebody does.
        look_back_seconds: u32,
    },
    /// Somebody has.
    Requested(KeepRequest),
}

/// What came of asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepAsked {
    /// It is the first time: the law is to be asked again.
    First {
        /// How many seconds of the time before may be kept.
        look_back_seconds: u32,
    },
    /// Somebody had asked before; that counts.
    Again,
    /// The line keeps every call, so there is nothing to ask.
    EveryCall,
}

impl KeepState {
    /// How it begins on a line; nothing where every call is kept.
    pub(crate) const fn on(keep: Keep, look_back_seconds: u32) -> Option<Self> {
        match keep {
            Keep::Every => None,
            Keep::OnRequest => Some(Self::NotRequested { look_back_seconds }),
        }
    }
}

/// Why a call is not kept although the law permits it to be recorded: nobody has asked. It may be
/// held in memory meanwhile.
pub(crate) fn not_requested(state: Option<&KeepState>) -> Option<Refusal> {
    let Some(KeepState::NotRequested { look_back_seconds }) = state else {
        return None;
    };
    let ground = Ground {
        rule: KEEP_RULE.to_owned(),
        articles: Vec::new(),
        text_nl: "niemand had nog gevraagd het te bewaren".to_owned(),
        text_en: "nobody had asked to keep it yet".to_owned(),
    };
    Some(Refusal {
        grounds: vec![ground],
        look_back_seconds: Some(*look_back_seconds),
    })
}

impl Archive {
    /// Takes in that somebody asks to keep a call. Whoever tells this asks the law again by itself:
    /// nobody else is told.
    ///
    /// # Errors
    ///
    /// There is no such call in progress.
    pub fn request_keep(
        &self,
        id: RecordingId,
        request: KeepRequest,
    ) -> Result<KeepAsked, ArchiveError> {
        let mut asked = KeepAsked::EveryCall;
        self.calls.change_untold(id, |call: &mut Call| {
            asked = match call.keep {
                None => KeepAsked::EveryCall,
                Some(KeepState::Requested(_)) => KeepAsked::Again,
                Some(KeepState::NotRequested { look_back_seconds }) => {
                    call.keep = Some(KeepState::Requested(request));
                    KeepAsked::First { look_back_seconds }
                }
            };
            Ok(())
        })?;
        Ok(asked)
    }
}
