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
    use proptest::prelude::*;
    use voicelog_archive::journal::{JournalEvent, KeyPacket, Record};
    use voicelog_evidence::timeline;
    use voicelog_model::{Codec, DecisionId, Format, MediaStream, StreamNumber};

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

    /// A packet about a key: timestamp, payload, sequence number.
    type Arriving = (u32, [u8; 4], u16);

    fn listener(sequences: &[&str]) -> KeyListener {
        let sequence = |text: &&str| (Sequence::try_from((*text).to_owned()).unwrap(), CARD);
        let acts = Arc::new(sequences.iter().map(sequence).collect());
        let mut listener = KeyListener::default();
        listener.listen(Some(Listening { party: None, acts }));
        listener
    }

    /// A telephone presses keys: of each key its packets in the order in which they arrive, with the moment
    /// of their arrival. All but the first of a key may come after the first of the next one; some twice.
    fn pressed_by_telephone(keys: &[(u8, u8, u8)], start: u32) -> Vec<Arriving> {
        let mut arriving = Vec::new();
        let mut late: Vec<Arriving> = Vec::new();
        let (mut timestamp, mut sequence) = (start, 65_000_u16);
        for (event, count, disorder) in keys {
            for number in 0..=*count {
                let is_end = number + 2 > *count;
                let ticks = u16::from(number + 1) * 160;
                let [high, low] = ticks.to_be_bytes();
                let payload = [*event, if is_end { 0x8a } else { 10 }, high, low];
                let packet = (timestamp, payload, sequence);
                sequence = sequence.wrapping_add(1);
                match (
                    number,
                    disorder.checked_shr(u32::from(number)).unwrap_or(0) & 3,
                ) {
                    (0, _) => {
                        arriving.push(packet);
                        arriving.append(&mut late);
                    }
                    (_, 0) => late.push(packet),
                    (_, 1) => arriving.extend([packet, packet]),
                    _ => arriving.push(packet),
                }
            }
            timestamp = timestamp.wrapping_add(16_000);
        }
        arriving.append(&mut late);
        arriving
    }

    fn packet(timestamp: u32, payload: &[u8], sequence: u16) -> RtpPacket<'_> {
        RtpPacket {
            marker: false,
            payload_type: 101,
            sequence,
            timestamp,
            ssrc: 7,
            payload,
        }
    }

    /// How many keys the timeline of such a call says were pressed.
    fn on_timeline(packets: &[Arriving]) -> usize {
        let at = |millis: i64| Timestamp::from_micros(1_790_000_000_000_000 + millis * 1_000);
        let number = StreamNumber(1);
        let format = |encoding: &str, payload_type| Format {
            codec: Codec::read(encoding).unwrap(),
            payload_type,
            parameters: None,
        };
        let formats = [format("PCMA", 8), format("telephone-event", 101)];
        let stream = MediaStream::of_formats(number, &formats).unwrap();
        let decision = DecisionId::from_bytes([1; 16]);
        let event = |millis, event| Record::Event {
            at: at(millis),
            event,
        };
        let mut records = vec![
            event(0, JournalEvent::CallStarted {}),
            event(0, JournalEvent::StreamAdded { stream }),
            event(0, JournalEvent::Permitted { decision }),
        ];
        for (place, (timestamp, payload, sequence)) in (1..).zip(packets) {
            let packet = KeyPacket::of(&packet(*timestamp, payload, *sequence));
            let left_out = JournalEvent::KeyLeftOut {
                stream: number,
                packet,
            };
            records.push(event(20 * place, left_out));
        }
        timeline::build(records).streams[0].keys.len()
    }

    proptest! {
        #[test]
        fn whatever_comes_in_whatever_order_is_heard_without_harm_and_nothing_of_it_is_kept(
            packets in prop::collection::vec(
                (any::<u32>(), any::<u32>(), prop::collection::vec(any::<u8>(), 0..6), any::<i64>()),
                0..200,
            ),
        ) {
            let sequences = ["*7", "*1*2", "1", "112", "00000000"];
            let mut listener = listener(&sequences);
            for (timestamp, ssrc, payload, at) in &packets {
                let packet = RtpPacket { ssrc: ssrc % 3, ..packet(*timestamp, payload, 0) };
                // Clocks are set, too.
                listener.hear(&packet, Timestamp::from_micros(*at));
                prop_assert_eq!(listener.progress.len(), sequences.len());
                for (come, sequence) in listener.progress.iter().zip(sequences) {
                    prop_assert!(*come < sequence.len());
                }
            }
        }

        #[test]
        fn each_key_is_heard_once_and_they_are_as_many_as_the_timeline_has(
            keys in prop::collection::vec((0_u8..16, 1_u8..7, any::<u8>()), 0..40),
            start in any::<u32>(),
        ) {
            let packets = pressed_by_telephone(&keys, start);
            let every_key = "0123456789*#ABCD";
            let all: Vec<_> = every_key.split("").filter(|key| !key.is_empty()).collect();
            let mut listener = listener(&all);
            let hear = |(place, (timestamp, payload, sequence)): (i64, &Arriving)| {
                let at = Timestamp::from_micros(place * 20_000);
                listener.hear(&packet(*timestamp, payload, *sequence), at)
            };
            let heard = (0..).zip(&packets).filter_map(hear).count();
            prop_assert_eq!(heard, keys.len());
            prop_assert_eq!(on_timeline(&packets), keys.len());
        }

        #[test]
        fn a_sequence_is_found_wherever_the_keys_that_were_pressed_hold_it(
            keys in prop::collection::vec((0_u8..3, 1_u8..4, any::<u8>()), 0..60),
            wanted in prop::collection::vec(0_u8..3, 1..5),
        ) {
            let text: String = wanted.iter().map(|key| char::from(b'0' + key)).collect();
            let mut listener = listener(&[&text]);
            let mut heard = 0;
            for (place, (timestamp, payload, sequence)) in
                (0..).zip(&pressed_by_telephone(&keys, 0))
            {
                let at = Timestamp::from_micros(place * 20_000);
                heard += usize::from(listener.hear(&packet(*timestamp, payload, *sequence), at).is_some());
            }
            // One that was found is not part of the next.
            let (mut pressed, mut found) = (Vec::new(), 0);
            for (key, ..) in keys {
                pressed.push(key);
                if pressed.ends_with(&wanted) {
                    found += 1;
                    pressed.clear();
                }
            }
            prop_assert_eq!(heard, found);
        }
    }
}
