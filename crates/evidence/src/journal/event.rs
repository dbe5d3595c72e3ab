//! What can happen to a recording besides packets.

use serde::{Deserialize, Serialize};
use voicelog_model::rtp::RtpPacket;
use voicelog_model::{DecisionId, MediaStream, StreamNumber, Timestamp};

/// An event of the journal, stored as canonical JSON. It names people by pseudonym only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum JournalEvent {
    /// The call came in. The timeline starts here.
    CallStarted {},
    /// A media stream was agreed on.
    StreamAdded {
        /// The stream.
        stream: MediaStream,
    },
    /// The client offers a stream of sound that we cannot record. From here on it is missing, until
    /// it is added.
    StreamRefused {
        /// The stream, as far as its offer can be read.
        stream: MediaStream,
        /// Why.
        cause: Cause,
    },
    /// The law refused, or waits for a person: nothing is recorded (yet).
    NotPermitted {
        /// The decision that says so.
        decision: DecisionId,
        /// Its outcome, as decisions spell it.
        outcome: String,
        /// Why.
        reasons: Vec<Ground>,
    },
    /// Recording may start from here on.
    Permitted {
        /// The decision that says so.
        decision: DecisionId,
    },
    /// A later refusal ends the permission to record.
    PermitEnded {
        /// The decision that says so.
        decision: DecisionId,
        /// Why.
        reasons: Vec<Ground>,
    },
    /// A stream is paused.
    StreamPaused {
        /// Which stream.
        stream: StreamNumber,
        /// Who or what paused it.
        by: Cause,
    },
    /// A paused stream goes on.
    StreamResumed {
        /// Which stream.
        stream: StreamNumber,
    },
    /// Recording of the whole call is paused on our side: nothing that arrives is kept. Another
    /// pause before the end of this one takes its place.
    RecordingPaused {
        /// Why.
        reason: PauseReason,
        /// Who asked for it.
        by: AskedBy,
        /// Pseudonym of the participant who pressed the key, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        party: Option<String>,
    },
    /// The pause on our side is over.
    RecordingResumed {
        /// Who or what ended it.
        by: ResumedBy,
    },
    /// Somebody on our side says that this is a private call: nothing that arrives is kept, until
    /// the end of the call or until the same person says that it is no longer.
    PrivateBegan {
        /// How it was said.
        by: AskedBy,
        /// Pseudonym of the participant who pressed the key, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        party: Option<String>,
    },
    /// The call is no longer private, says who said that it was.
    PrivateEnded {
        /// Why.
        reason: PrivateEnd,
        /// How it was said.
        by: AskedBy,
        /// Pseudonym of the participant who pressed the key, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        party: Option<String>,
    },
    /// The recorder itself lost packets of a stream.
    MediaDropped {
        /// Which stream.
        stream: StreamNumber,
        /// How many.
        packets: u64,
        /// Why.
        cause: Cause,
    },
    /// A packet about a key that is being pressed (RFC 4733) came, and is not kept: it says which.
    KeyLeftOut {
        /// Which stream.
        stream: StreamNumber,
        /// What else it said.
        packet: KeyPacket,
    },
    /// A stream goes on from another synchronisation source (RFC 3550 §8).
    SourceChanged {
        /// Which stream.
        stream: StreamNumber,
        /// What was kept of the stream until then came from an address that the client had never named,
        /// and this one it did name: it may be somebody else's.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        was_elsewhere: bool,
    },
    /// Whose voice a stream is from here on, as the other side says it. It holds until the next of these
    /// about that stream; before the first, nobody said.
    StreamVoice {
        /// Which stream.
        stream: StreamNumber,
        /// Its SDP label (RFC 4574) from here on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        label: Option<String>,
        /// Pseudonyms. None: not known. More than one: a mix that cannot be separated.
        parties: Vec<String>,
        /// By what that is known, the weakest where voices were found by several; nothing where nobody
        /// is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rule: Option<VoiceRule>,
    },
    /// A participant joined after the call had started.
    PartyJoined {
        /// The pseudonym.
        party: String,
    },
    /// A participant left, as far as the client says; it may come back.
    PartyLeft {
        /// The pseudonym.
        party: String,
    },
    /// The recorder's clock was set. The time of this event and of all that follow are those of the clock
    /// as it is from then on.
    ClockStepped {
        /// By how much, in microseconds; below zero it was set back.
        by_us: i64,
    },
    /// The notice of the line was heard in a stream; the event is dated where it began.
    NoticeHeard {
        /// Which stream.
        stream: StreamNumber,
        /// How long after its beginning it ended, in microseconds.
        length_us: u64,
        /// How like the notice it is, in thousandths.
        similarity_permille: u16,
    },
    /// The notice of the line was not heard in the time that it has.
    NoticeMissed {},
    /// A participant said not to agree to being recorded. What follows from that the law says, in the
    /// events about decisions; here it stands in any case, also where the law does not heed it.
    RefusalSaid {
        /// The pseudonym.
        party: String,
        /// How it was said.
        by: SaidBy,
    },
    /// Somebody asked to keep this call, on a line that keeps what it is asked to keep.
    KeepRequested {
        /// Why.
        reason: KeepReason,
        /// Who asked.
        by: AskedBy,
        /// Pseudonym of the participant who pressed the key, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        party: Option<String>,
    },
    /// What waited in memory from before this moment could have been kept on request, and was not
    /// held any more.
    LookBackCut {
        /// How much of it, in microseconds.
        by_us: u64,
    },
    /// When the conversation began and ended by the other side's clock, as its metadata says (RFC 7865
    /// §6.3). A claim: nothing is reckoned with it. What it told before counts no more.
    ClientTimes {
        /// When the first of its sessions began.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        started: Option<Timestamp>,
        /// When the last of them ended, where all of them did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ended: Option<Timestamp>,
    },
    /// The recorder's clock was held against another one (RFC 5905), the last time before the call or in
    /// it.
    ClockChecked {
        /// Name of the other clock, as configured.
        source: String,
        /// When.
        checked_at: Timestamp,
        /// By how many microseconds ours was behind.
        offset_us: i64,
        /// How far that may be wrong, in microseconds.
        uncertainty_us: u64,
    },
    /// The call ended. The timeline ends here.
    CallEnded {
        /// Who or what ended it.
        cause: Cause,
    },
    /// The recorder stopped without ending the call; recovery wrote this. The timeline ends here:
    /// at the latest moment that the recorder can have kept anything of.
    Interrupted {
        /// When the recorder ran again; the timeline does not depend on it.
        restarted_at: Timestamp,
    },
}

/// How it is known whose voice a stream is, from strong to weak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoiceRule {
    /// The other side said so, by the stream's label.
    Label,
    /// Worked out from who sends what, without a label that fits.
    Send,
    /// A guess by the order.
    Order,
}

impl VoiceRule {
    /// The word in the journal.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::Send => "send",
            Self::Order => "order",
        }
    }
}

/// What is kept of a packet about a key: all that its place in the stream needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyPacket {
    /// RTP payload type, 0 to 127.
    pub payload_type: u8,
    /// Sequence number.
    pub sequence: u16,
    /// RTP timestamp: when the key went down.
    pub timestamp: u32,
    /// Synchronisation source.
    pub ssrc: u32,
    /// How long it has been down since then, in units of the RTP clock.
    pub duration: u16,
    /// It is up again.
    pub has_ended: bool,
}

impl KeyPacket {
    /// What is kept of that packet. One without a whole event block says nothing of its key.
    #[must_use]
    pub fn of(packet: &RtpPacket<'_>) -> Self {
        let (duration, has_ended) = match *packet.payload {
            [_event, second, high, low, ..] => {
                (u16::from_be_bytes([high, low]), second & 0x80 != 0)
            }
            _ => (0, false),
        };
        Self {
            payload_type: packet.payload_type,
            sequence: packet.sequence,
            timestamp: packet.timestamp,
            ssrc: packet.ssrc,
            duration,
            has_ended,
        }
    }
}

/// A pause on our side, as the timeline has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pausing {
    /// What was about to be said.
    pub reason: PauseReason,
    /// Who asked for it.
    pub by: AskedBy,
    /// Pseudonym of the participant who pressed the key, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<String>,
}

/// Why recording pauses. A closed list: a reason in somebody's own words could tell what the pause
/// is there to keep out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseReason {
    /// The number of a payment card, or what goes with it.
    CardData,
    /// A citizen service number (BSN).
    CitizenNumber,
    /// Something private.
    Private,
    /// Somebody's health.
    Medical,
    /// Something else.
    Other,
    /// The call is a private one: no pause, but [`JournalEvent::PrivateBegan`].
    PrivateCall,
}

impl PauseReason {
    /// Every reason for which somebody may pause.
    pub const ALL: [Self; 5] = [
        Self::CardData,
        Self::CitizenNumber,
        Self::Private,
        Self::Medical,
        Self::Other,
    ];

    /// The word in the journal, the API and the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CardData => "card_data",
            Self::CitizenNumber => "citizen_number",
            Self::Private => "private",
            Self::Medical => "medical",
            Self::Other => "other",
            Self::PrivateCall => "private_call",
        }
    }

    /// The reason with that word, for which somebody may pause.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

/// Why a call is no longer private.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrivateEnd {
    /// It is about business again.
    BusinessAgain,
    /// It never was private.
    Mistake,
}

impl PrivateEnd {
    /// Every reason.
    pub const ALL: [Self; 2] = [Self::BusinessAgain, Self::Mistake];

    /// The word in the journal and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BusinessAgain => "business_again",
            Self::Mistake => "mistake",
        }
    }

    /// The reason with that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

/// How a refusal to be recorded came to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SaidBy {
    /// With a key of the participant's own telephone.
    Key,
    /// Aloud; somebody who heard it told us.
    Spoken,
}

/// Why somebody asks to keep a call. A closed list, as for pauses: it is seen by whoever may see
/// that there is a recording, and says nothing of what was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeepReason {
    /// Something was agreed, or is about to be.
    Agreement,
    /// Somebody complains.
    Complaint,
    /// Somebody threatens or abuses.
    Threat,
    /// To learn from.
    Training,
    /// Something else.
    Other,
}

impl KeepReason {
    /// Every reason.
    pub const ALL: [Self; 5] = [
        Self::Agreement,
        Self::Complaint,
        Self::Threat,
        Self::Training,
        Self::Other,
    ];

    /// The word in the journal and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agreement => "agreement",
            Self::Complaint => "complaint",
            Self::Threat => "threat",
            Self::Training => "training",
            Self::Other => "other",
        }
    }

    /// The reason with that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

/// How somebody asked for a pause or to keep a call, or said that it is private.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskedBy {
    /// A program, over the API.
    Program,
    /// Somebody in the call, with the keys of the telephone.
    Key,
}

/// Who or what ended a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResumedBy {
    /// A program, over the API.
    Program,
    /// Somebody in the call, with the keys of the telephone.
    Key,
    /// Nobody: it had lasted as long as it may.
    Limit,
}

/// Who or what made something stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The other side's session recording client (RFC 7866).
    RecordingClient,
    /// A person on our side.
    Operator,
    /// A refusal by the law.
    Refusal,
    /// More work than the recorder could do.
    Overload,
    /// No room to store.
    DiskFull,
    /// The recorder was shut down in an orderly way.
    Shutdown,
    /// Nothing was heard for too long.
    TimeOut,
    /// The recorder stopped without order and was started again.
    Restart,
    /// No media ever came.
    NoMedia,
    /// The client protects the stream in a way that the recorder does not have (DTLS-SRTP).
    Protection,
    /// The client protects the stream with keys that cannot be used, or that came in the clear.
    Keys,
    /// What the client says of the stream cannot be followed: no format, or no port of its own.
    Form,
    /// A device in the room recorded nothing, and did not say why: it ended, or its owner left.
    Device,
    /// A telephone call took the microphone of a device.
    DeviceCall,
    /// The screen of a device was locked, or another page was in front.
    DeviceHidden,
    /// The microphone of a device was muted.
    DeviceMuted,
    /// A device has no microphone any more.
    DeviceGone,
    /// The page on a device was loaded again.
    DeviceReloaded,
    /// A device had no room for more.
    DeviceFull,
}

impl Cause {
    /// Whether it is what records, a recording client or a device, that stopped by itself.
    #[must_use]
    pub const fn is_of_client(self) -> bool {
        match self {
            Self::RecordingClient
            | Self::Device
            | Self::DeviceCall
            | Self::DeviceHidden
            | Self::DeviceMuted
            | Self::DeviceGone
            | Self::DeviceReloaded
            | Self::DeviceFull => true,
            Self::Operator
            | Self::Refusal
            | Self::Overload
            | Self::DiskFull
            | Self::Shutdown
            | Self::TimeOut
            | Self::Restart
            | Self::NoMedia
            | Self::Protection
            | Self::Keys
            | Self::Form => false,
        }
    }
}

/// The id that stands in [`Ground::rule`] where it was not the law: the call was not drawn for the sample
/// of its line.
pub const SAMPLE_RULE: &str = "line.sample";
/// The same where nobody asked to keep a call of a line that keeps what it is asked to keep.
pub const KEEP_RULE: &str = "line.keep";

/// A reason of the law, as much of it as the timeline shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ground {
    /// Id of the rule.
    pub rule: String,
    /// Articles of law, as people cite them: `§ 201 StGB`.
    pub articles: Vec<String>,
    /// In a few Dutch words: `geen toestemming`.
    pub text_nl: String,
    /// In a few English words: `no consent`.
    pub text_en: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::{canonical_json, from_canonical};

    #[test]
    fn an_event_is_canonical_json_with_its_type() {
        let event = JournalEvent::StreamPaused {
            stream: StreamNumber(2),
            by: Cause::DiskFull,
        };
        let bytes = canonical_json(&event).unwrap();
        assert_eq!(
            String::from_utf8(bytes.clone()).unwrap(),
            r#"{"by":"disk_full","stream":2,"type":"stream_paused"}"#
        );
        assert_eq!(from_canonical::<JournalEvent>(&bytes).unwrap(), event);
    }

    #[test]
    fn a_pause_is_written_flat_and_its_words_are_those_of_the_list() {
        for (reason, party) in PauseReason::ALL
            .into_iter()
            .zip([None, Some("p2")].into_iter().cycle())
        {
            let event = JournalEvent::RecordingPaused {
                reason,
                by: AskedBy::Key,
                party: party.map(str::to_owned),
            };
            let bytes = canonical_json(&event).unwrap();
            let party = party.map_or_else(String::new, |party| format!(r#""party":"{party}","#));
            let word = reason.as_str();
            assert_eq!(
                String::from_utf8(bytes.clone()).unwrap(),
                format!(r#"{{"by":"key",{party}"reason":"{word}","type":"recording_paused"}}"#)
            );
            assert_eq!(from_canonical::<JournalEvent>(&bytes).unwrap(), event);
            assert_eq!(PauseReason::from_word(word), Some(reason));
        }
    }

    #[test]
    fn the_words_of_asking_to_keep_a_call_are_those_of_the_list() {
        for reason in KeepReason::ALL {
            let event = JournalEvent::KeepRequested {
                reason,
                by: AskedBy::Program,
                party: None,
            };
            let bytes = canonical_json(&event).unwrap();
            let word = reason.as_str();
            assert_eq!(
                String::from_utf8(bytes.clone()).unwrap(),
                format!(r#"{{"by":"program","reason":"{word}","type":"keep_requested"}}"#)
            );
            assert_eq!(from_canonical::<JournalEvent>(&bytes).unwrap(), event);
            assert_eq!(KeepReason::from_word(word), Some(reason));
        }
    }

    #[test]
    fn a_voice_says_its_rule_and_leaves_out_what_is_not_known() {
        let known = JournalEvent::StreamVoice {
            stream: StreamNumber(1),
            label: Some("2".to_owned()),
            parties: vec!["p3".to_owned()],
            rule: Some(VoiceRule::Label),
        };
        let unknown = JournalEvent::StreamVoice {
            stream: StreamNumber(1),
            label: None,
            parties: Vec::new(),
            rule: None,
        };
        for (event, text) in [
            (
                known,
                r#"{"label":"2","parties":["p3"],"rule":"label","stream":1,"type":"stream_voice"}"#,
            ),
            (
                unknown,
                r#"{"parties":[],"stream":1,"type":"stream_voice"}"#,
            ),
        ] {
            let bytes = canonical_json(&event).unwrap();
            assert_eq!(String::from_utf8(bytes.clone()).unwrap(), text);
            assert_eq!(from_canonical::<JournalEvent>(&bytes).unwrap(), event);
        }
    }

    #[test]
    fn unknown_events_and_unknown_members_are_refused() {
        for text in [
            r#"{"parties":[],"rule":"hearsay","stream":1,"type":"stream_voice"}"#,
            r#"{"type":"unheard_of"}"#,
            r#"{"extra":1,"type":"call_started"}"#,
            r#"{"cause":"restart","extra":1,"type":"call_ended"}"#,
            r#"{"cause":"moonlight","type":"call_ended"}"#,
            r#"{"by":"key","extra":1,"reason":"medical","type":"recording_paused"}"#,
            r#"{"by":"key","reason":"4111 1111","type":"recording_paused"}"#,
            r#"{"by":"key","reason":"curiosity","type":"keep_requested"}"#,
        ] {
            assert!(
                from_canonical::<JournalEvent>(text.as_bytes()).is_err(),
                "{text}"
            );
        }
    }
}
