//! Alarms that stand: raised and not over yet. Other systems are told when one begins and when it is
//! over; the pages and `/v1/metrics` show what stands now. Words, ids and moments, nothing about anybody.

use crate::shared::Shared;
use voicelog_archive::{News, NewsKind};
use voicelog_model::{RecordingId, Timestamp};

/// What an alarm is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AlarmKey {
    /// Its word.
    pub alarm: &'static str,
    /// The recording, where it is about one.
    pub recording: Option<RecordingId>,
    /// Why, where one alarm has several reasons; each stands by itself.
    pub reason: Option<&'static str>,
}

impl AlarmKey {
    /// An alarm about the recorder as a whole.
    pub(crate) const fn of(alarm: &'static str) -> Self {
        Self {
            alarm,
            recording: None,
            reason: None,
        }
    }

    /// An alarm about a call.
    pub(crate) const fn of_call(alarm: &'static str, id: RecordingId) -> Self {
        Self {
            alarm,
            recording: Some(id),
            reason: None,
        }
    }

    /// The same, for that reason.
    pub(crate) const fn because(mut self, reason: &'static str) -> Self {
        self.reason = Some(reason);
        self
    }

    fn news(self, kind: NewsKind, at: Timestamp) -> News {
        let news = News::new(kind, at, self.recording).with("alarm", self.alarm);
        match self.reason {
            Some(reason) => news.with("reason", reason),
            None => news,
        }
    }
}

/// An alarm that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StandingAlarm {
    /// What it is about.
    pub key: AlarmKey,
    /// When it was raised.
    pub since: Timestamp,
}

impl Shared {
    /// Raises an alarm and tells other systems, with what else there is to say; nothing if it stands.
    pub(crate) fn raise(&self, key: AlarmKey, at: Timestamp, say: impl FnOnce(News) -> News) {
        if self.set_alarm(key, at) {
            self.tell(say(key.news(NewsKind::AlarmRaised, at)));
        }
    }

    /// An alarm is over; nothing if it did not stand.
    pub(crate) fn clear(&self, key: AlarmKey, at: Timestamp, say: impl FnOnce(News) -> News) {
        if self.unset_alarm(key) {
            self.tell(say(key.news(NewsKind::AlarmCleared, at)));
        }
    }

    /// A call is over, and with it every alarm about it.
    pub(crate) fn clear_of_call(&self, id: RecordingId, at: Timestamp) {
        for alarm in self.alarms() {
            if alarm.key.recording == Some(id) {
                self.clear(alarm.key, at, |news| news.with("call_ended", true));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn an_alarm_stands_from_when_it_is_raised_until_it_is_over_and_is_told_once_each() {
        let shared = Shared::default();
        let key = AlarmKey::of("disk_filling");
        shared.raise(key, at(1), |news| news);
        shared.raise(key, at(2), |news| news);
        assert_eq!(shared.alarms(), [StandingAlarm { key, since: at(1) }]);
        shared.clear(key, at(3), |news| news);
        shared.clear(key, at(4), |news| news);
        assert_eq!(shared.alarms(), []);
        let told: Vec<_> = shared.take_news().iter().map(|news| news.kind).collect();
        assert_eq!(told, [NewsKind::AlarmRaised, NewsKind::AlarmCleared]);
    }

    #[test]
    fn the_end_of_a_call_ends_its_alarms_and_no_other() {
        let shared = Shared::default();
        let [one, two] = [1, 2].map(|byte| RecordingId::from_bytes([byte; 16]));
        for key in [
            AlarmKey::of_call("loss", one),
            AlarmKey::of_call("one_side", one),
            AlarmKey::of_call("loss", two),
            AlarmKey::of("calls_refused").because("tls_not_tls"),
            AlarmKey::of("calls_refused").because("refused_full"),
        ] {
            shared.raise(key, at(1), |news| news);
        }
        shared.take_news();
        shared.clear_of_call(one, at(2));
        assert_eq!(shared.take_news().len(), 2);
        assert_eq!(shared.alarms().len(), 3);
    }
}
