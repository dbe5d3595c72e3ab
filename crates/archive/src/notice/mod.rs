//! Whether the notice of a line was heard in a call, and what follows for the facts.
//!
//! **Invariant:** until the notice was heard nobody has been told. Who configured that a notice is
//! looked for gets facts that say so, whatever the line, a rule or a program says.

mod ear;

use crate::line::untold;
use crate::{Archive, Call};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use voicelog_evidence::timeline::{NoticeHearing, NoticeMark, notice_text};
use voicelog_model::{Language, RecordingId, Timestamp};

pub use ear::{Ear, EarEnd, EarHandle, EarNews, Hearing};
pub use voicelog_evidence::audio::{
    Found, NOTICE_SECONDS_MAX, NOTICE_SECONDS_MIN, Notice, NoticeError, StreamListener,
};

/// What came of looking for the notice of the line in a call; kept, sealed, with each decision
/// about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
pub enum NoticeState {
    /// It was not heard yet.
    Awaited {},
    /// It was heard.
    Heard {
        /// When it began.
        at: Timestamp,
        /// The same from the start of the call, in microseconds.
        from_us: u64,
        /// Where and how like.
        hearing: NoticeHearing,
    },
    /// It was not heard in its time.
    Missed {},
}

impl Call {
    /// Makes of the line's facts what they are as long as nobody has been told; and once the notice
    /// was heard, adds when and where.
    pub(crate) fn mind_notice(&self, facts: &mut Map<String, Value>) {
        let (Some(state), Some(notice)) = (&self.notice, &self.line.notice) else {
            return;
        };
        match state {
            NoticeState::Awaited {} if notice.keep_before => {}
            NoticeState::Awaited {} | NoticeState::Missed {} => {
                untold(facts);
            }
            NoticeState::Heard {
                at,
                from_us,
                hearing,
            } => {
                let mark = NoticeMark {
                    at_us: *from_us,
                    heard: Some(*hearing),
                };
                let proof = notice_text(&mark, Language::En);
                let told = facts.entry("announcement").or_insert_with(|| json!({}));
                if let Value::Object(told) = told {
                    told.insert("at".into(), json!(at));
                    told.insert("heard_proof".into(), json!(proof));
                }
            }
        }
    }
}

impl Archive {
    /// What came of looking for the notice of a call's line. Whoever tells this asks the law again
    /// by itself: nobody else is told. False if the call is over, or no notice is awaited in it.
    pub fn set_notice(&self, id: RecordingId, state: NoticeState) -> bool {
        let mut was_awaited = false;
        let changed = self.calls.change_untold(id, |call| {
            was_awaited = call.notice == Some(NoticeState::Awaited {});
            if was_awaited {
                call.notice = Some(state);
            }
            Ok(())
        });
        changed.is_ok() && was_awaited
    }
}
