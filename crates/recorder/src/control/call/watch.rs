//! The watch on a call that is being recorded: media that does not come is an alarm while the call
//! still runs, not a discovery afterwards.

use crate::media::MediaCounts;
use voicelog_model::{StreamNumber, Timestamp};

/// How long nothing may come of a call, or of one of its sides, before it is an alarm, in
/// microseconds.
const ALARM_AFTER: i64 = 10_000_000;

/// Packets that do not fit the key until it is an alarm: a second of one stream.
const MISFITS: u64 = 50;

/// What is wrong with a call's media.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alarm {
    /// No RTP at all for ten seconds.
    NoMedia,
    /// Protected packets come, and what comes does not fit the key (SRTP).
    WrongKey,
    /// One side was never heard since recording began, the other was.
    OneSide,
    /// A side is offered in a way in which we cannot record it.
    SideRefused,
    /// More packets of a stream fail to come than the configuration bears.
    Loss,
    /// An update of who takes part could not be read.
    Metadata,
}

impl Alarm {
    /// The word in messages to other systems.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::NoMedia => "no_media",
            Self::WrongKey => "wrong_srtp_key",
            Self::OneSide => "one_side",
            Self::SideRefused => "side_refused",
            Self::Loss => "loss",
            Self::Metadata => "metadata_unreadable",
        }
    }

    /// The word in the diary and in metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::NoMedia => "alarm_no_media",
            Self::WrongKey => "alarm_wrong_srtp_key",
            Self::OneSide => "alarm_one_side",
            Self::SideRefused => "alarm_side_refused",
            Self::Loss => "alarm_loss",
            Self::Metadata => "alarm_metadata_unreadable",
        }
    }
}

/// What the watch saw last.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Packets kept when it looked last.
    kept: u64,
    /// Since when nothing more has come, while something was to come.
    quiet_since: Option<Timestamp>,
    /// Since when there has been something to hear.
    listening_since: Option<Timestamp>,
    said: Option<Alarm>,
    said_one_side: bool,
    /// Packets that did not fit the key when it last heard one that was kept.
    misfits: u64,
    said_wrong_key: bool,
    said_loss: bool,
    said_metadata: bool,
    said_refused: bool,
}

/// What a look found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// As it was.
    Same,
    /// An alarm, said once.
    Alarm(Alarm),
    /// Packets come again.
    Again,
    /// As few packets fail to come as before.
    LossOver,
    /// The metadata could be read, whole.
    ReadAgain,
    /// No side is refused any more.
    SideTaken,
}

impl Watch {
    /// Looks at whether what the client tells is behind: since the last whole document, an update
    /// could not be read.
    pub(super) const fn look_at_metadata(&mut self, is_behind: bool) -> Look {
        match (
            std::mem::replace(&mut self.said_metadata, is_behind),
            is_behind,
        ) {
            (false, true) => Look::Alarm(Alarm::Metadata),
            (true, false) => Look::ReadAgain,
            _ => Look::Same,
        }
    }

    /// Looks at what is being lost. The alarm ends at half of what it begins with, so that it does not come
    /// and go.
    pub(super) const fn look_at_loss(&mut self, counts: &MediaCounts, bearable: u64) -> Look {
        let permille = counts.loss_permille;
        if !self.said_loss && permille > bearable {
            self.said_loss = true;
            return Look::Alarm(Alarm::Loss);
        }
        if self.said_loss && permille <= bearable / 2 {
            self.said_loss = false;
            return Look::LossOver;
        }
        Look::Same
    }

    /// Looks at whether a side of a call that is being recorded is refused.
    pub(super) const fn look_at_refused(&mut self, is_refused: bool) -> Look {
        match (
            std::mem::replace(&mut self.said_refused, is_refused),
            is_refused,
        ) {
            (false, true) => Look::Alarm(Alarm::SideRefused),
            (true, false) => Look::SideTaken,
            (false, false) | (true, true) => Look::Same,
        }
    }

    /// Looks at the counts of a call. `active` are the streams on which the client says that it
    /// sends; none while the call is not being recorded.
    pub(super) fn look(
        &mut self,
        counts: &MediaCounts,
        active: impl Iterator<Item = StreamNumber> + Clone,
        now: Timestamp,
    ) -> Look {
        let has_more = std::mem::replace(&mut self.kept, counts.kept) != counts.kept;
        if active.clone().next().is_none() {
            self.quiet_since = None;
            self.listening_since = None;
            self.said = None;
            return Look::Same;
        }
        let listening_since = *self.listening_since.get_or_insert(now);
        if let Some(alarm) = self.look_at_keys(counts, has_more, active.clone()) {
            return Look::Alarm(alarm);
        }
        if has_more {
            self.quiet_since = Some(now);
            if self.said.take().is_some() {
                return Look::Again;
            }
        }
        let quiet_since = *self.quiet_since.get_or_insert(now);
        let is_over = |since: Timestamp| now.micros_since(since) >= ALARM_AFTER;
        // Who heard that the key is wrong knows why nothing comes.
        if is_over(quiet_since) && self.said.is_none() && !self.said_wrong_key {
            self.said = Some(Alarm::NoMedia);
            return Look::Alarm(Alarm::NoMedia);
        }
        let (heard, silent): (Vec<_>, Vec<_>) =
            active.partition(|number| counts.has_heard(*number));
        let is_one_side = !heard.is_empty() && !silent.is_empty();
        let is_explained = self.said_one_side || self.said_wrong_key;
        if is_one_side && is_over(listening_since) && !is_explained {
            self.said_one_side = true;
            return Look::Alarm(Alarm::OneSide);
        }
        Look::Same
    }

    /// Whether packets come that do not fit the key: instead of others, or while a side was never
    /// heard. A few may be forged, or under way when the key changed. Said once.
    fn look_at_keys(
        &mut self,
        counts: &MediaCounts,
        has_more: bool,
        mut active: impl Iterator<Item = StreamNumber>,
    ) -> Option<Alarm> {
        let since_kept = counts.not_authentic.saturating_sub(self.misfits);
        if has_more {
            self.misfits = counts.not_authentic;
        }
        let is_unheard = active.any(|number| !counts.has_heard(number));
        let is_wrong =
            (since_kept >= MISFITS && !has_more) || (counts.not_authentic >= MISFITS && is_unheard);
        if is_wrong && !self.said_wrong_key {
            self.said_wrong_key = true;
            return Some(Alarm::WrongKey);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [StreamNumber; 2] = [StreamNumber(1), StreamNumber(2)];

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    /// Looks once a second at calls that brought so many packets of these streams.
    fn looks(
        seconds: std::ops::Range<i64>,
        watch: &mut Watch,
        counts: impl Fn(i64) -> MediaCounts,
    ) -> Vec<(i64, Look)> {
        seconds
            .map(|second| {
                (
                    second,
                    watch.look(&counts(second), BOTH.into_iter(), at(second)),
                )
            })
            .filter(|(_, look)| *look != Look::Same)
            .collect()
    }

    fn heard(kept: u64, streams: &[u16]) -> MediaCounts {
        let mut counts = MediaCounts {
            kept,
            ..MediaCounts::default()
        };
        for number in streams {
            counts.hear(StreamNumber(*number));
        }
        counts
    }

    #[test]
    fn a_call_that_brings_nothing_is_an_alarm_after_ten_seconds_and_once() {
        let mut watch = Watch::default();
        let found = looks(0..60, &mut watch, |_| MediaCounts::default());
        assert_eq!(found, [(10, Look::Alarm(Alarm::NoMedia))]);
    }

    #[test]
    fn media_that_stops_is_an_alarm_and_that_it_comes_again_is_told() {
        let mut watch = Watch::default();
        let found = looks(0..60, &mut watch, |second| {
            let kept = if second < 20 {
                second
            } else if second < 40 {
                20
            } else {
                second
            };
            heard(kept.unsigned_abs(), &[1, 2])
        });
        assert_eq!(
            found,
            [(30, Look::Alarm(Alarm::NoMedia)), (40, Look::Again)]
        );
    }

    #[test]
    fn a_side_that_was_never_heard_is_an_alarm_once() {
        let mut watch = Watch::default();
        let found = looks(0..60, &mut watch, |second| {
            heard(second.unsigned_abs(), &[1])
        });
        assert_eq!(found, [(10, Look::Alarm(Alarm::OneSide))]);
    }

    #[test]
    fn packets_that_do_not_fit_the_key_are_an_alarm_at_once_and_the_only_one() {
        let misfits = |counts: MediaCounts, second: i64| MediaCounts {
            not_authentic: 100 * second.unsigned_abs(),
            ..counts
        };
        let wrong = [(1, Look::Alarm(Alarm::WrongKey))];
        let found = looks(0..60, &mut Watch::default(), |second| {
            misfits(MediaCounts::default(), second)
        });
        assert_eq!(found, wrong, "of both sides");
        let found = looks(0..60, &mut Watch::default(), |second| {
            misfits(heard(second.unsigned_abs(), &[1]), second)
        });
        assert_eq!(found, wrong, "of one side");
        // Somebody else who sends beside two sides that are heard is counted and no alarm.
        let found = looks(0..60, &mut Watch::default(), |second| {
            misfits(heard(second.unsigned_abs() + 1, &[1, 2]), second)
        });
        assert_eq!(found, []);
    }

    #[test]
    fn loss_over_the_threshold_is_an_alarm_until_it_is_half_of_that() {
        let mut watch = Watch::default();
        let looks = [0, 50, 51, 200, 30, 25, 40, 60].map(|loss_permille| {
            let counts = MediaCounts {
                loss_permille,
                ..MediaCounts::default()
            };
            watch.look_at_loss(&counts, 50)
        });
        let alarm = Look::Alarm(Alarm::Loss);
        let (same, over) = (Look::Same, Look::LossOver);
        assert_eq!(looks, [same, same, alarm, same, same, over, same, alarm]);
    }

    #[test]
    fn a_call_on_hold_brings_nothing_and_that_is_no_alarm() {
        let mut watch = Watch::default();
        for second in 0..60 {
            let look = watch.look(&MediaCounts::default(), std::iter::empty(), at(second));
            assert_eq!(look, Look::Same);
        }
        // Its ten seconds begin when it goes on.
        let found = looks(60..80, &mut watch, |_| MediaCounts::default());
        assert_eq!(found, [(70, Look::Alarm(Alarm::NoMedia))]);
    }
}
