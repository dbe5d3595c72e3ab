//! The pages on which a file is imported.

use crate::assets;
use crate::view::badge::Shape;
use crate::view::decision::DecisionView;
use crate::view::interview::{GivenView, QuestionPage};
use crate::view::page::Page;
use crate::visitor::Visitor;
use askama::Template;
use voicelog_law::{Ask, Walk};
use voicelog_model::Language;

/// Where the page is, in either language.
const PATH: &str = "/import";

pub(crate) fn frame(visitor: &Visitor) -> Page {
    let title = visitor
        .lang
        .pick("Een opname inlezen", "Import a recording");
    visitor.page_at(PATH, "recordings", title)
}

/// A question of the interview, on this page.
pub(crate) fn question(visitor: &Visitor, walk: &Walk, ask: &Ask) -> QuestionPage {
    let other = match visitor.lang {
        Language::Nl => "/import?lang=en",
        Language::En => "/import?lang=nl",
    };
    let mut page = QuestionPage::new(visitor, walk, ask);
    page.p = frame(visitor);
    (page.path, page.other_path) = (PATH, other);
    // What is to be done nobody was asked.
    page.given.retain(|given| given.key != "act");
    page.number = page.number.saturating_sub(1);
    page.lead = visitor.lang.pick(
        "Beantwoord eerst een paar vragen over de opname. De wet wordt gevraagd voordat u iets verstuurt.",
        "First answer a few questions about the recording. The law is asked before you send anything.",
    );
    page
}

/// Where it begins, or goes on.
#[derive(Debug, Template)]
#[template(path = "import_start.html")]
pub(crate) struct StartPage {
    pub(crate) p: Page,
}

impl StartPage {
    /// Nothing is said yet of a file: only one that was begun can go on.
    const fn facts(&self) -> &'static str {
        ""
    }

    fn script(&self) -> &'static str {
        assets::import_script_path()
    }
}

/// When it was recorded.
#[derive(Debug, Template)]
#[template(path = "import_moment.html")]
pub(crate) struct MomentPage {
    pub(crate) p: Page,
    pub(crate) given: Vec<GivenView>,
    pub(crate) day: String,
    pub(crate) clock: String,
    pub(crate) has_pictures: bool,
    pub(crate) wrong: bool,
}

/// The law has nothing against it so far: the file is chosen and sent.
#[derive(Debug, Template)]
#[template(path = "import_send.html")]
pub(crate) struct SendPage {
    pub(crate) p: Page,
    pub(crate) given: Vec<GivenView>,
    pub(crate) day: String,
    pub(crate) clock: String,
    pub(crate) d: DecisionView,
    pub(crate) facts: String,
}

impl SendPage {
    fn facts(&self) -> &str {
        &self.facts
    }

    fn script(&self) -> &'static str {
        assets::import_script_path()
    }
}

/// The law refuses.
#[derive(Debug, Template)]
#[template(path = "import_refused.html")]
pub(crate) struct RefusedImportPage {
    pub(crate) p: Page,
    pub(crate) d: DecisionView,
}

/// What came of a file that was sent.
#[derive(Debug)]
pub(crate) enum EndView {
    Receiving,
    Working,
    Taken {
        id: String,
        is_new: bool,
        is_heard: bool,
    },
    Failed(String),
}

#[derive(Debug, Template)]
#[template(path = "import_end.html")]
pub(crate) struct EndPage {
    pub(crate) p: Page,
    pub(crate) end: EndView,
}
