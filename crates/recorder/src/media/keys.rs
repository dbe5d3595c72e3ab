//! Recognising sequences of keys in packets of `telephone-event` (RFC 4733).
//!
//! **Invariant:** which keys were pressed is not kept, not even here: only how far each configured
//! sequence has come. Digits that begin none of them leave no trace.

use std::sync::Arc;
use voicelog_archive::line::{KeyAct, Sequence};
use voicelog_model::Timestamp;
use voicelog_model::rtp::RtpPacket;

/// Longest time between two keys of one sequence, in microseconds.
const BETWEEN_KEYS_MAX: i64 = 3_000_000;

/// The keys of RFC 4733 §3.2 in the order of their event codes.
const KEYS: &[u8] = b"0123456789*#ABCD";

/// What sequences do, and whose stream it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listening {
    /// Pseudonym of whose voice the stream carries, where that is known.
    pub(crate) party: Option<String>,
    /// What each sequence does.
    pub(crate) acts: Arc<Vec<(Sequence, KeyAct)>>,
}

/// The keys pressed on one stream, as far as anybody listens.
#[derive(Debug, Default)]
pub(super) struct KeyListener {
    listening: Option<Listening>,
    /// How many keys of each sequence have been pressed.
    progress: Vec<usize>,
    /// SSRC and timestamp of the last key: its packets all have the same.
    last: Option<(u32, u32)>,
    last_at: Timestamp,
}

impl KeyListener {
    /// Listens for these from now on.
    pub(super) fn listen(&mut self, listening: Option<Listening>) {
        if self.listening != listening {
            let acts = listening
                .as_ref()
                .map_or(0, |listening| listening.acts.len());
            self.progress = vec![0; acts];
            self.listening = listening;
        }
    }

    /// Whether anything would come of a key.
    pub(super) fn is_listening(&self) -> bool {
        let listening = self.listening.as_ref();
        listening.is_some_and(|listening| !listening.acts.is_empty())
    }

    /// Whose stream it is, where that is known.
    pub(super) fn party(&self) -> Option<&String> {
        self.listening.as_ref()?.party.as_ref()
    }

    /// Hears a packet about a key. What its sequence does, once the last key of it goes down.
    pub(super) fn hear(&mut self, packet: &RtpPacket<'_>, at: Timestamp) -> Option<KeyAct> {
        let listening = self.listening.as_ref()?;
        let key = *KEYS.get(usize::from(*packet.payload.first()?))?;
        let pressing = (packet.ssrc, packet.timestamp);
        if let Some((ssrc, timestamp)) = self.last
            && ssrc == packet.ssrc
            && packet.timestamp.wrapping_sub(timestamp) > u32::MAX / 2
        {
            // A late packet of an earlier key.
            return None;
        }
        if self.last.replace(pressing) == Some(pressing) {
            return None;
        }
        let since = at.micros_since(std::mem::replace(&mut self.last_at, at));
        if since > BETWEEN_KEYS_MAX {
            self.progress.fill(0);
        }
        let mut done = None;
        for ((sequence, act), come) in listening.acts.iter().zip(&mut self.progress) {
            *come = following(sequence.keys(), *come, key);
            if *come == sequence.keys().len() {
                done = Some(*act);
            }
        }
        if done.is_some() {
            self.progress.fill(0);
        }
        done
    }
}

/// How far a sequence has come after one more key: the longest beginning of it that ends what was
/// pressed.
fn following(sequence: &[u8], come: usize, key: u8) -> usize {
    let pressed = sequence.iter().take(come).copied().chain([key]);
    let pressed: Vec<u8> = pressed.collect();
    (0..=pressed.len().min(sequence.len()))
        .rev()
        .find(|length| {
            let end = pressed.len() - length;
            pressed.get(end..) == sequence.get(..*length)
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of keys pressed so many milliseconds apart.
    fn pressed(sequences: &[(&str, KeyAct)], keys: &str, apart: i64) -> Vec<KeyAct> {
        let sequence = |text: &str| Sequence::try_from(text.to_owned()).unwrap();
        let acts = sequences.iter().map(|(text, act)| (sequence(text), *act));
        let mut listener = KeyListener::default();
        listener.listen(Some(Listening {
            party: None,
            acts: Arc::new(acts.collect()),
        }));
        assert!(listener.is_listening());
        let mut heard = Vec::new();
        for (place, key) in keys.bytes().enumerate() {
            let event = KEYS.iter().position(|known| *known == key).unwrap();
            let payload = [u8::try_from(event).unwrap(), 10, 0, 160];
            let place = u32::try_from(place).unwrap();
            // A key comes as many packets of one timestamp, the first of an earlier one late.
            for timestamp in [
                place * 4_000,
                place * 4_000,
                place.saturating_sub(1) * 4_000,
            ] {
                let packet = RtpPacket {
                    marker: false,
                    payload_type: 101,
                    sequence: 0,
                    timestamp,
                    ssrc: 7,
                    payload: &payload,
                };
                let at = Timestamp::from_micros(i64::from(place) * apart * 1_000);
                heard.extend(listener.hear(&packet, at));
            }
        }
        heard
    }

    const CARD: KeyAct = KeyAct::PauseCardData;
    const RESUME: KeyAct = KeyAct::Resume;

    #[test]
    fn a_sequence_does_what_it_says_once_and_each_time_it_is_pressed() {
        let keys = [("*7", CARD), ("*8", RESUME)];
        assert_eq!(pressed(&keys, "*7", 200), [CARD]);
        assert_eq!(pressed(&keys, "12*7*84*7", 200), [CARD, RESUME, CARD]);
        assert_eq!(pressed(&keys, "**7", 200), [CARD]);
        assert_eq!(pressed(&keys, "*17", 200), []);
        assert_eq!(pressed(&keys, "7*", 200), []);
    }

    #[test]
    fn a_sequence_that_holds_its_own_beginning_is_found_wherever_it_starts() {
        assert_eq!(pressed(&[("*1*2", CARD)], "*1*1*2", 200), [CARD]);
        assert_eq!(pressed(&[("112", CARD)], "1112", 200), [CARD]);
    }

    #[test]
    fn keys_that_are_far_apart_are_no_sequence() {
        assert_eq!(pressed(&[("*7", CARD)], "*7", 3_000), [CARD]);
        assert_eq!(pressed(&[("*7", CARD)], "*7", 3_001), []);
    }

    #[test]
    fn where_nobody_listens_nothing_is_heard() {
        let mut listener = KeyListener::default();
        let packet = RtpPacket {
            marker: false,
            payload_type: 101,
            sequence: 0,
            timestamp: 0,
            ssrc: 7,
            payload: &[1, 10, 0, 160],
        };
        assert_eq!(listener.hear(&packet, Timestamp::from_micros(0)), None);
        assert!(!listener.is_listening());
    }
}
