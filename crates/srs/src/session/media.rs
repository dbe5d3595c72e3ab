//! What is agreed about media in one recording session (RFC 3264, RFC 7866 §7).

use crate::api::{Activity, LocalDirection, OfferedStream, StreamActivity, StreamAnswer};
use crate::sdp::{self, Accepted, KeyFault, Keys, LocalLine, MediaLine};
use crate::srtp::MasterKey;
use std::net::{IpAddr, SocketAddr};
use voicelog_model::{Pii, StreamNumber};

/// Our side of the session description and what the client says of its own.
pub(crate) struct Media {
    id: u64,
    version: u64,
    address: IpAddr,
    lines: Vec<LocalLine>,
    activity: Vec<Activity>,
    remotes: Vec<Option<SocketAddr>>,
    /// What the caller wants.
    pub(crate) wanted: LocalDirection,
    /// What was last agreed with the client.
    pub(crate) agreed: LocalDirection,
    /// What the last version said, to know whether the next one says something else.
    sent: Option<(IpAddr, Vec<LocalLine>)>,
}

/// The number of the stream at a place in the list of `m=` lines.
fn number_at(place: usize) -> StreamNumber {
    StreamNumber(u16::try_from(place + 1).unwrap_or(u16::MAX))
}

impl Media {
    pub(crate) const fn new(id: u64, address: IpAddr) -> Self {
        Self {
            id,
            version: 0,
            address,
            lines: Vec::new(),
            activity: Vec::new(),
            remotes: Vec::new(),
            wanted: LocalDirection::Inactive,
            agreed: LocalDirection::Inactive,
            sent: None,
        }
    }

    /// What the caller is told of an offer.
    pub(crate) fn offered(&self, lines: &[MediaLine]) -> Vec<OfferedStream> {
        lines
            .iter()
            .enumerate()
            .map(|(place, line)| OfferedStream {
                number: number_at(place),
                label: line.label.clone(),
                formats: self
                    .kept(place, line)
                    .map_or_else(|| line.usable.clone(), |kept| kept.formats),
                direction: line.direction,
                is_held: line.is_held,
                has_rtcp_mux: line.has_rtcp_mux,
                remote: line.remote.map(Pii::new),
                key: line.crypto.as_ref().map(|crypto| crypto.key.clone()),
                rtp_port: self.kept(place, line).map(|kept| kept.rtp_port),
                refused: line.refused.clone(),
            })
            .collect()
    }

    /// The agreement about a line that the client's new line still fits.
    fn kept(&self, place: usize, line: &MediaLine) -> Option<Accepted> {
        let known = self.lines.get(place)?;
        let accepted = known.accepted.as_ref()?.under(line)?;
        let is_same = known.label == line.label || known.is_label_ours && line.label.is_none();
        is_same.then_some(accepted)
    }

    /// Whether the caller must answer: a line is new, came back, is of another kind, or has sound and is
    /// refused as it was not before.
    pub(crate) fn needs_answer(&self, lines: &[MediaLine]) -> bool {
        lines.iter().enumerate().any(|(place, line)| {
            let is_new = line.is_usable() && self.kept(place, line).is_none();
            let why = line.refused.as_ref().map(|refused| refused.why);
            let before = self.lines.get(place).and_then(|known| known.refused);
            is_new || (why.is_some() && why != before)
        })
    }

    /// Whether a line that stands is at one of these places.
    pub(crate) fn loses(&self, places: &[usize]) -> bool {
        let mut lines = places.iter().filter_map(|place| self.lines.get(*place));
        lines.any(|line| line.accepted.is_some())
    }

    /// Why a line that stands would be lost by a later offer: its new keys cannot be used.
    pub(crate) fn key_fault(&self, lines: &[MediaLine]) -> Option<KeyFault> {
        let stand = self.lines.iter().zip(lines);
        let mut stand = stand.filter(|(ours, _)| ours.accepted.is_some());
        stand.find_map(|(_, line)| line.key_fault)
    }

    /// The lines that have sound, also where we refuse it, for finding out whose voice they are.
    pub(crate) fn labels(&self) -> Vec<(StreamNumber, Option<String>)> {
        self.lines
            .iter()
            .enumerate()
            .filter(|(_, line)| line.accepted.is_some() || line.refused.is_some())
            .map(|(place, line)| (number_at(place), line.label.clone()))
            .collect()
    }

    /// The same of an offer that is not answered yet.
    pub(crate) fn offered_labels(lines: &[MediaLine]) -> Vec<(StreamNumber, Option<String>)> {
        lines
            .iter()
            .enumerate()
            .filter(|(_, line)| line.is_usable() || line.refused.is_some())
            .map(|(place, line)| (number_at(place), line.label.clone()))
            .collect()
    }

    /// Takes an offer with the caller's answer. Says whether any stream is taken.
    pub(crate) fn answer(
        &mut self,
        lines: &[MediaLine],
        address: IpAddr,
        answers: &[StreamAnswer],
    ) -> bool {
        self.address = address;
        let accepted: Vec<_> = lines
            .iter()
            .enumerate()
            .map(|(place, line)| {
                let number = number_at(place);
                let answer = answers.iter().find(|answer| answer.number == number)?;
                let rtp_port = answer.rtp_port.filter(|port| *port != 0)?;
                let fresh = || {
                    Some(Accepted {
                        rtp_port,
                        formats: line.usable.clone(),
                        offered: line.usable.clone(),
                        has_rtcp_mux: line.has_rtcp_mux,
                        keys: keys(line, answer)?,
                    })
                    .filter(|_| line.is_usable())
                };
                let accepted = self.kept(place, line).or_else(fresh)?;
                Some(Accepted {
                    rtp_port,
                    ..accepted
                })
            })
            .collect();
        self.take(lines, accepted);
        self.lines.iter().any(|line| line.accepted.is_some())
    }

    /// The lines that were just answered are those of an offer of ours.
    pub(crate) fn is_our_offer(&mut self) {
        for line in &mut self.lines {
            line.is_label_ours = true;
        }
    }

    /// Takes an offer that changes nothing the caller must know of first.
    pub(crate) fn answer_unasked(&mut self, lines: &[MediaLine]) {
        let accepted = lines
            .iter()
            .enumerate()
            .map(|(place, line)| self.kept(place, line))
            .collect();
        self.take(lines, accepted);
    }

    fn take(&mut self, lines: &[MediaLine], accepted: Vec<Option<Accepted>>) {
        let is_wanted = self.wanted == LocalDirection::Receive;
        self.activity = lines.iter().zip(&accepted).map(activity).collect();
        self.remotes = lines.iter().map(|line| line.remote).collect();
        let mut known = std::mem::take(&mut self.lines).into_iter();
        self.lines = lines
            .iter()
            .zip(accepted)
            .map(|(line, accepted)| {
                // A label of ours stays where the client says none.
                let ours = known.next().filter(|known| known.is_label_ours);
                let ours = ours.filter(|_| line.label.is_none());
                LocalLine {
                    media: line.media.clone(),
                    protocol: line.protocol.clone(),
                    formats: line.formats.clone(),
                    is_label_ours: ours.is_some(),
                    label: ours.map_or_else(|| line.label.clone(), |known| known.label),
                    refused: line.refused.as_ref().map(|refused| refused.why),
                    accepted,
                    is_receiving: is_wanted && line.direction.sends(),
                }
            })
            .collect();
        self.agreed = self.wanted;
    }

    /// Our own offer: the same lines, in the direction that is wanted (RFC 7866 §7.2: a recording
    /// server adds no streams).
    pub(crate) fn offer(&mut self) -> Vec<u8> {
        let is_receiving = self.wanted == LocalDirection::Receive;
        for line in &mut self.lines {
            line.is_receiving = is_receiving;
        }
        self.description()
    }

    /// Takes the client's answer to our offer.
    pub(crate) fn answered(&mut self, lines: &[MediaLine], direction: LocalDirection) {
        self.agreed = direction;
        self.remotes = lines.iter().map(|line| line.remote).collect();
        for ((local, activity), line) in self.lines.iter_mut().zip(&mut self.activity).zip(lines) {
            if line.port == 0 {
                local.accepted = None;
            }
            if let Some(keys) = local.accepted.as_mut().and_then(|a| a.keys.as_mut()) {
                keys.answered(line.crypto.as_ref());
            }
            *activity = self::activity((line, &local.accepted));
        }
    }

    /// Our session description as it stands; the version moves only when the rest does
    /// (RFC 3264 §8).
    pub(crate) fn description(&mut self) -> Vec<u8> {
        let now = (self.address, self.lines.clone());
        if self.sent.as_ref() != Some(&now) {
            self.version += 1;
            self.sent = Some(now);
        }
        sdp::write(self.id, self.version, self.address, &self.lines)
    }

    /// What the client says of each stream. Lines that it left out since `before` are removed.
    pub(crate) fn activities(&self, before: usize) -> Vec<StreamActivity> {
        (0..self.activity.len().max(before))
            .map(|place| StreamActivity {
                number: number_at(place),
                activity: self
                    .activity
                    .get(place)
                    .copied()
                    .unwrap_or(Activity::Removed),
                remote: self.remotes.get(place).copied().flatten().map(Pii::new),
                key: self.key_of(place),
            })
            .collect()
    }

    /// Takes back that streams became inactive since `before`.
    pub(crate) fn as_willing_as(&mut self, before: &[StreamActivity]) {
        for (activity, before) in self.activity.iter_mut().zip(before) {
            if *activity == Activity::Inactive {
                *activity = before.activity;
            }
        }
    }

    fn key_of(&self, place: usize) -> Option<MasterKey> {
        let keys = self.lines.get(place)?.accepted.as_ref()?.keys.as_ref()?;
        Some(keys.theirs.key.clone())
    }

    /// How many `m=` lines there are.
    pub(crate) const fn len(&self) -> usize {
        self.lines.len()
    }
}

/// The keys of a line that is answered for the first time; no answer without ours.
fn keys(line: &MediaLine, answer: &StreamAnswer) -> Option<Option<Keys>> {
    let Some(theirs) = &line.crypto else {
        return Some(None);
    };
    let ours = answer.key.as_ref();
    let ours = ours.filter(|ours| ours.suite() == theirs.key.suite())?;
    Some(Some(Keys {
        theirs: theirs.clone(),
        ours: ours.clone(),
    }))
}

fn activity((line, accepted): (&MediaLine, &Option<Accepted>)) -> Activity {
    match accepted {
        None => Activity::Removed,
        Some(_) if line.is_active() => Activity::Active,
        Some(_) => Activity::Inactive,
    }
}
