//! Holds: those of a recording, those that stand, and the forms.

use crate::view::Choice;
use crate::view::page::Page;
use crate::view::when::When;
use askama::Template;
use serde::Deserialize;
use voicelog_archive::{HoldGround, OpenHold};
use voicelog_model::{Language, Timestamp};

/// One hold.
#[derive(Debug, Clone)]
pub(crate) struct HoldView {
    pub(crate) id: String,
    pub(crate) recording: String,
    pub(crate) ground: &'static str,
    pub(crate) placed: When,
    pub(crate) review: When,
    pub(crate) is_overdue: bool,
    pub(crate) lifted: Option<When>,
    /// Whose it is, and what was noted; nothing where that was not opened.
    pub(crate) owner: Option<String>,
    pub(crate) note: Option<String>,
    /// Whether what is sealed of it should open and does not.
    pub(crate) is_closed: bool,
    /// Why it was lifted.
    pub(crate) why_lifted: Option<String>,
}

impl HoldView {
    pub(crate) fn new(open: &OpenHold, now: Timestamp, lang: Language) -> Self {
        let hold = &open.hold;
        let details = open.details.as_ref();
        let note = details.and_then(|details| details.note.as_ref());
        let released = details.and_then(|details| details.released.as_ref());
        Self {
            id: hold.id.to_string(),
            recording: hold.recording.to_string(),
            ground: hold.ground.text(lang),
            placed: When::new(hold.placed_at, lang),
            review: When::new(hold.review_at, lang),
            is_overdue: hold.is_overdue(now),
            lifted: hold.lifted_at.map(|at| When::new(at, lang)),
            owner: details.map(|details| details.owner.expose().clone()),
            note: note.map(|note| note.expose().clone()),
            is_closed: open.closed.is_some(),
            why_lifted: released.map(|(why, by)| format!("{} ({})", why.expose(), by.expose())),
        }
    }
}

/// What was filled in to place a hold, and what is missing of it.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct HoldForm {
    pub(crate) ground: String,
    pub(crate) owner: String,
    /// A day, as a date field sends it.
    pub(crate) review: String,
    pub(crate) note: String,
    #[serde(skip)]
    pub(crate) ground_missing: bool,
    #[serde(skip)]
    pub(crate) owner_missing: bool,
    #[serde(skip)]
    pub(crate) review_wrong: bool,
}

impl std::fmt::Debug for HoldForm {
    /// It has names in it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HoldForm").finish_non_exhaustive()
    }
}

impl HoldForm {
    pub(crate) const fn is_wrong(&self) -> bool {
        self.ground_missing || self.owner_missing || self.review_wrong
    }

    pub(crate) fn grounds(&self, lang: Language) -> Vec<Choice> {
        let choice = |ground: HoldGround| Choice {
            value: ground.as_str(),
            text: ground.text(lang),
            chosen: self.ground == ground.as_str(),
        };
        HoldGround::ALL.map(choice).into()
    }
}

/// The form that places a hold.
#[derive(Debug, Template)]
#[template(path = "hold.html")]
pub(crate) struct HoldPage {
    pub(crate) p: Page,
    pub(crate) id: String,
    pub(crate) started: When,
    pub(crate) grounds: Vec<Choice>,
    pub(crate) form: HoldForm,
}

/// The form that ends one.
#[derive(Debug, Template)]
#[template(path = "release.html")]
pub(crate) struct ReleasePage {
    pub(crate) p: Page,
    pub(crate) id: String,
    pub(crate) started: When,
    pub(crate) hold: HoldView,
    pub(crate) reason_missing: bool,
}

/// Those that stand.
#[derive(Debug, Template)]
#[template(path = "holds.html")]
pub(crate) struct HoldsPage {
    pub(crate) p: Page,
    pub(crate) overdue: u64,
    /// After which hold the next page goes on.
    pub(crate) next: Option<String>,
    pub(crate) holds: Vec<HoldView>,
}
