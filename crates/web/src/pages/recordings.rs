//! The list.

use crate::app::Shared;
use crate::frame::html;
use crate::trouble::Trouble;
use crate::view::conversation::ConversationView;
use crate::view::recordings::{RecordingsPage, states};
use crate::view::when::{day_end, day_start};
use crate::visitor::Visitor;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use voicelog_archive::{ArchiveError, Cursor, Proposal, ProposalState, RecordingFilter};
use voicelog_model::Timestamp;

/// Recordings on one page.
const PAGE_ROWS: usize = 50;

/// What the form asks for, all of it optional. An empty field is no wish.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Wishes {
    #[serde(default)]
    state: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    after: String,
}

impl Wishes {
    fn filter(&self) -> Result<RecordingFilter, Trouble> {
        let day = |text: &str, moment: fn(&str) -> Option<Timestamp>| match text {
            "" => Ok(None),
            text => moment(text).map(Some).ok_or_else(|| {
                Trouble::invalid(
                    "Schrijf een dag als jaar-maand-dag, bijvoorbeeld 2026-11-21.",
                    "Write a day as year-month-day, for example 2026-11-21.",
                )
            }),
        };
        let state = match self.state.as_str() {
            "" => None,
            word => Some(voicelog_archive::State::from_word(word).ok_or_else(|| {
                Trouble::invalid("Deze toestand bestaat niet.", "There is no such state.")
            })?),
        };
        Ok(RecordingFilter {
            state,
            from: day(&self.from, day_start)?,
            to: day(&self.to, day_end)?,
        })
    }

    /// The address of the list with the same filter; only values that passed `filter` get here.
    fn address(&self, after: Option<&str>) -> String {
        let pairs = [
            ("state", self.state.as_str()),
            ("from", &self.from),
            ("to", &self.to),
        ];
        let query: Vec<String> = pairs
            .into_iter()
            .chain(after.map(|after| ("after", after)))
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if query.is_empty() {
            "/".to_owned()
        } else {
            format!("/?{}", query.join("&"))
        }
    }
}

/// Where a list goes on, as text in an address: microseconds and id.
pub(crate) fn cursor_text(cursor: &Cursor) -> String {
    format!("{}.{}", cursor.started_at.micros(), cursor.id)
}

/// Reads it back; the empty text is the first page.
pub(crate) fn parse_cursor(text: &str) -> Result<Option<Cursor>, Trouble> {
    if text.is_empty() {
        return Ok(None);
    }
    let parse = || {
        let (micros, id) = text.split_once('.')?;
        let started_at = Timestamp::from_micros(micros.parse().ok()?);
        Some(Cursor {
            started_at,
            id: id.parse().ok()?,
        })
    };
    parse().map(Some).ok_or_else(|| {
        Trouble::invalid(
            "Deze plek in de lijst bestaat niet.",
            "There is no such place in the list.",
        )
    })
}

pub(crate) async fn list(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Query(wishes): Query<Wishes>,
) -> Result<Response, Trouble> {
    let filter = wishes.filter()?;
    let after = parse_cursor(&wishes.after)?;
    let is_later_page = after.is_some();
    let narrowed = filter.clone();
    let ((conversations, next), proposals, now) = desk
        .ask(move |archive, now| {
            let page = archive.list_conversations(&narrowed, after, PAGE_ROWS)?;
            Ok::<_, ArchiveError>((page, archive.proposals_standing(now)?, now))
        })
        .await?;
    let is_open = |one: &&Proposal| one.state(now) == ProposalState::Open;
    let lang = visitor.lang;
    let view = RecordingsPage {
        proposed: proposals.iter().filter(is_open).count(),
        conversations: conversations
            .iter()
            .filter_map(|conversation| ConversationView::new(conversation, None, lang))
            .collect(),
        states: states(filter.state, lang),
        filtered: filter != RecordingFilter::default(),
        is_later_page,
        first: wishes.address(None),
        later: next.map(|cursor| wishes.address(Some(&cursor_text(&cursor)))),
        pause: desk.app.status.status().pause.map(|pause| pause.text(lang)),
        recording_addresses: desk.app.config.recording_addresses.clone(),
        from: wishes.from,
        to: wishes.to,
        p: visitor.page("recordings", lang.pick("Opnamen", "Recordings")),
    };
    html(StatusCode::OK, &view)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_list_reads_back_and_nothing_else_does() {
        let id = "019aa2b4-7c00-7000-8000-000000000001".parse().unwrap();
        let cursor = Cursor {
            started_at: Timestamp::from_micros(1_790_000_000_123_456),
            id,
        };
        assert_eq!(parse_cursor(&cursor_text(&cursor)).unwrap(), Some(cursor));
        for text in [
            "1",
            "1.",
            ".x",
            "1.2",
            "x.019aa2b4-7c00-7000-8000-000000000001",
        ] {
            assert!(parse_cursor(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_empty_field_is_no_wish_and_a_strange_one_is_told() {
        assert_eq!(
            Wishes::default().filter().unwrap(),
            RecordingFilter::default()
        );
        let strange = Wishes {
            from: "gisteren".to_owned(),
            ..Wishes::default()
        };
        assert!(strange.filter().is_err());
        let strange = Wishes {
            state: "kept".to_owned(),
            ..Wishes::default()
        };
        assert!(strange.filter().is_err());
        let narrowed = Wishes {
            state: "sealed".to_owned(),
            from: "2026-11-21".to_owned(),
            ..Wishes::default()
        };
        assert_eq!(
            narrowed.address(Some("1.x")),
            "/?state=sealed&from=2026-11-21&after=1.x"
        );
    }
}
