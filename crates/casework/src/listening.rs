//! Listening to a recording: for a declared reason, and logged.

use crate::Asked;
use serde_json::{Map, json};
use voicelog_archive::{Archive, ArchiveError, StreamSpans, Verdict};
use voicelog_evidence::timeline::Timeline;
use voicelog_model::{Party, Pii, RecordingId, Timestamp};

/// A recording opened for one person and one reason. It holds the sound in memory, and nowhere
/// else, for as long as it lives.
#[derive(Debug)]
pub struct ListenSession {
    /// Which recording.
    pub id: RecordingId,
    /// Who took part.
    pub parties: Vec<Party>,
    /// What is heard, and what is not.
    pub timeline: Timeline,
    /// Where the sound is not simply what was sent, by stream.
    pub spans: Vec<StreamSpans>,
    wav: Vec<u8>,
}

impl ListenSession {
    /// The sound as a WAV file, the channels of each stream, gaps as silence of their true length.
    #[must_use]
    pub fn wav(&self) -> &[u8] {
        &self.wav
    }
}

/// Asks to listen. `asker` is the account that asks, `need_to_know` its own reason; without one
/// the law refuses. Both are kept, sealed, with the decision ([`Archive::accesses`]).
pub fn open(
    archive: &Archive,
    id: RecordingId,
    asker: &Pii<String>,
    need_to_know: &str,
    now: Timestamp,
) -> Result<Asked<ListenSession>, ArchiveError> {
    let mut facts = Map::new();
    facts.insert("requester_role".into(), json!("controller_staff"));
    let reason = need_to_know.trim();
    if !reason.is_empty() {
        facts.insert("need_to_know_basis".into(), json!(reason));
    }
    let answer = archive.ask_to_listen(id, asker, &facts, now)?;
    let permit = match answer.verdict {
        Verdict::Permit(permit) => permit,
        Verdict::Refusal(_) => {
            return Ok(Asked::Refused {
                id: answer.id,
                decision: Box::new(answer.decision),
            });
        }
    };
    let opened = archive.listen(permit, now)?;
    let (wav, spans) = opened.wav()?;
    Ok(Asked::Given(ListenSession {
        id,
        parties: opened.parties,
        timeline: opened.timeline,
        spans,
        wav,
    }))
}
