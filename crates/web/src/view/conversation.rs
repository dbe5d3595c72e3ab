//! A conversation of several recordings: its line in the list, and where one part stands among them.

use crate::view::badge::{Badge, Shape};
use crate::view::recordings::{Row, line_name};
use crate::view::when::length;
use crate::view::words;
use voicelog_archive::conversation::REPLACES;
use voicelog_archive::timeline::Verdict;
use voicelog_archive::{Conversation, RecordingSummary, State};
use voicelog_model::{Language, RecordingId};

/// One part on one line.
#[derive(Debug, Clone)]
pub(crate) struct PartView {
    /// Its line, as a recording by itself has one.
    pub(crate) row: Row,
    /// `deelopname 2`.
    pub(crate) name: String,
    /// Why it is a part, or that it is the same talk once more.
    pub(crate) why: &'static str,
    /// Whether it is the one that the page is about.
    pub(crate) is_this: bool,
}

/// A conversation, as the list and a part's page show it.
#[derive(Debug, Clone)]
pub(crate) struct ConversationView {
    /// Its first part's line, with the length and the verdict of all.
    pub(crate) whole: Row,
    /// `3 deelopnamen`; nothing where it is one recording.
    pub(crate) count: Option<String>,
    /// Its parts, oldest first; none where it is one recording.
    pub(crate) parts: Vec<PartView>,
    /// `Deelopname 2 van 3`, on the page of that part.
    pub(crate) place: Option<String>,
    /// The part before the one that the page is about.
    pub(crate) before: Option<String>,
    /// The part after it.
    pub(crate) after: Option<String>,
}

impl ConversationView {
    /// Of a conversation; `this` is the part that the page is about.
    pub(crate) fn new(
        conversation: &Conversation,
        this: Option<RecordingId>,
        lang: Language,
    ) -> Option<Self> {
        let first = conversation.parts.first()?;
        let total = conversation.parts.len();
        let mut whole = Row::new(first, lang);
        if total > 1 {
            whole.length = conversation
                .length_us()
                .map_or_else(|| "–".to_owned(), length);
            whole.badge = badge(&conversation.parts, lang);
            whole.state = "";
            let mut parts = conversation.parts.iter();
            whole.is_partly_private = parts.any(|part| part.is_partly_private);
            // A part that is destroyed has no line any more.
            let line = conversation.parts.iter().map(|part| part.line.as_str());
            whole.line = line_name(line.max_by_key(|line| !line.is_empty()).unwrap_or(""), lang);
        }
        let place = this.and_then(|id| conversation.place_of(id));
        let id_at = |place: Option<usize>| {
            let part = conversation.parts.get(place?.checked_sub(1)?)?;
            Some(part.id.to_string())
        };
        let parts = conversation.parts.iter().zip(1..).map(|(part, number)| {
            let word = lang.pick("deelopname", "part");
            PartView {
                row: Row::new(part, lang),
                name: format!("{word} {number}"),
                why: why(part, number == 1, lang),
                is_this: Some(part.id) == this,
            }
        });
        Some(Self {
            whole,
            count: (total > 1).then(|| format!("{total} {}", lang.pick("deelopnamen", "parts"))),
            parts: parts.filter(|_| total > 1).collect(),
            place: place.map(|place| match lang {
                Language::Nl => format!("Deelopname {place} van {total} van één gesprek"),
                Language::En => format!("Part {place} of {total} of one conversation"),
            }),
            before: id_at(place.and_then(|place| place.checked_sub(1))),
            after: id_at(place.map(|place| place + 1)),
        })
    }
}

/// What is said of all parts alike; that they differ, where they do. One gap that nobody declares is one in
/// the whole, and so is a part that we cut short.
fn badge(parts: &[RecordingSummary], lang: Language) -> Badge {
    let mut badges = parts.iter().map(|part| words::badge(part, lang));
    let has = |part: &RecordingSummary, verdict| {
        part.verdict == Some(verdict) && !matches!(part.state, State::Destroyed | State::Destroying)
    };
    if parts.iter().any(|part| has(part, Verdict::UndeclaredGap)) {
        return words::completeness(Some(Verdict::UndeclaredGap), State::Sealed, lang);
    }
    if parts.iter().any(|part| has(part, Verdict::CutShort)) {
        return words::completeness(Some(Verdict::CutShort), State::Sealed, lang);
    }
    match badges.next() {
        Some(first) if badges.all(|badge| badge == first) => first,
        _ => Badge::new(
            Shape::Dashes,
            "part",
            lang.pick("Verschilt per deelopname", "Differs by part"),
        ),
    }
}

/// What linked a part to the others.
fn why(part: &RecordingSummary, is_first: bool, lang: Language) -> &'static str {
    let Some(link) = part.part.as_ref() else {
        return "";
    };
    let (nl, en) = match link.linked_by.as_str() {
        _ if link.is_copy => (
            "hetzelfde gesprek nog eens, van een andere opnameclient",
            "the same talk once more, from another recording client",
        ),
        _ if is_first => ("", ""),
        REPLACES => (
            "neemt de plaats in van een andere deelopname (Replaces)",
            "takes the place of another part (Replaces)",
        ),
        "session_id" => ("zelfde Session-ID", "same Session-ID"),
        "session" => (
            "zelfde sessie volgens de centrale",
            "same session, as the exchange says",
        ),
        _ => (
            "zelfde groep volgens de centrale",
            "same group, as the exchange says",
        ),
    };
    lang.pick(nl, en)
}

#[cfg(test)]
mod tests {
    use super::*;
    use voicelog_archive::Part;
    use voicelog_model::Timestamp;

    fn part(number: u8, verdict: Option<Verdict>, state: State) -> RecordingSummary {
        let started_at = Timestamp::from_micros(i64::from(number) * 60_000_000);
        RecordingSummary {
            is_partly_private: false,
            id: RecordingId::from_bytes([number; 16]),
            line: "verkoop".to_owned(),
            state,
            started_at,
            ended_at: Some(started_at.plus_micros(90_000_000)),
            verdict,
            retain_until: None,
            destroyed_at: None,
            sound_until: None,
            sound_destroyed_at: None,
            part: Some(Part {
                conversation: RecordingId::from_bytes([1; 16]),
                linked_by: "group".to_owned(),
                is_copy: number == 3,
            }),
        }
    }

    #[test]
    fn a_gap_in_one_part_is_one_in_the_whole_and_an_overlap_counts_once() {
        let conversation = Conversation {
            parts: vec![
                part(1, None, State::Destroyed),
                part(2, Some(Verdict::UndeclaredGap), State::Sealed),
                part(3, Some(Verdict::Whole), State::Sealed),
            ],
        };
        let this = RecordingId::from_bytes([2; 16]);
        let view = ConversationView::new(&conversation, Some(this), Language::En).unwrap();
        assert_eq!(view.whole.badge.text, "Beware: undeclared gap");
        let without = Conversation {
            parts: [&conversation.parts[..1], &conversation.parts[2..]].concat(),
        };
        let differing = ConversationView::new(&without, None, Language::En).unwrap();
        assert_eq!(differing.whole.badge.text, "Differs by part");
        assert_eq!(view.whole.length, "3:30");
        assert_eq!(view.count.as_deref(), Some("3 parts"));
        assert_eq!(
            view.place.as_deref(),
            Some("Part 2 of 3 of one conversation")
        );
        let ids = conversation.parts.iter().map(|part| part.id.to_string());
        let ids: Vec<_> = ids.collect();
        assert_eq!(
            (view.before.as_ref(), view.after.as_ref()),
            (ids.first(), ids.last())
        );
        assert_eq!(view.parts[0].why, "");
        assert!(view.parts[2].why.starts_with("the same talk once more"));
    }
}
