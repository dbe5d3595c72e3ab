//! The page of minutes: the text, what was said of it, who signed, and what became of it.

use crate::view::copy_links::LaterView;
use crate::view::page::Page;
use crate::view::rooms::{GroundView, name_of};
use crate::view::when::When;
use askama::Template;
use voicelog_casework::receipt::Receipt;
use voicelog_model::Language;
use voicelog_room::{Minutes, Phase, Seat, State};

/// Somebody in the talk, and whether they signed this version.
#[derive(Debug)]
pub(crate) struct SignerView {
    pub(crate) who: String,
    pub(crate) signed: Option<When>,
    pub(crate) is_there: bool,
}

/// What somebody said of this version.
#[derive(Debug)]
pub(crate) struct RemarkView {
    pub(crate) who: String,
    pub(crate) at: When,
    pub(crate) text: String,
}

/// Minutes that are kept.
#[derive(Debug)]
pub(crate) struct KeptView {
    pub(crate) id: String,
    pub(crate) words: String,
    pub(crate) digest: String,
    pub(crate) text: String,
}

#[derive(Debug, Template)]
#[template(path = "minutes.html")]
pub(crate) struct MinutesPage {
    pub(crate) p: Page,
    pub(crate) talk: String,
    pub(crate) title: String,
    pub(crate) is_host: bool,
    /// Whether minutes can be begun: while the talk is open.
    pub(crate) is_open: bool,
    pub(crate) is_there: bool,
    /// Nothing before the first version.
    pub(crate) version: u32,
    pub(crate) written: Option<(String, When)>,
    /// The text as it stands.
    pub(crate) text: String,
    /// What is in the field: that, or what somebody typed and could not be taken.
    pub(crate) typed: String,
    pub(crate) signers: Vec<SignerView>,
    pub(crate) has_signed: bool,
    pub(crate) is_signed: bool,
    pub(crate) remarks: Vec<RemarkView>,
    pub(crate) refused: Vec<GroundView>,
    pub(crate) kept: Option<KeptView>,
    pub(crate) receipt: Option<Receipt>,
    /// With what a guest fetches the copy later.
    pub(crate) later: Option<LaterView>,
    pub(crate) problem: Option<String>,
}

impl MinutesPage {
    pub(crate) fn new(p: Page, talk: &State, seat: &Seat, minutes: Option<&Minutes>) -> Self {
        let lang = p.lang;
        let signed = |id: &str| minutes.and_then(|one| one.signed.get(id));
        let text = minutes.map(|one| one.text.clone()).unwrap_or_default();
        let me = talk.parties.iter().find(|one| one.id == seat.party);
        Self {
            talk: crate::view::rooms::path(talk.id),
            title: talk.title.clone(),
            is_host: seat.is_host,
            is_open: talk.phase != Phase::Ended,
            is_there: me.is_some_and(|me| me.is_there),
            version: minutes.map_or(0, |one| one.version),
            written: minutes.map(|one| {
                let (writer, at) = &one.written;
                (called(talk, writer, lang), When::new(*at, lang))
            }),
            typed: text.clone(),
            text,
            signers: talk
                .parties
                .iter()
                .map(|party| SignerView {
                    who: name_of(talk, party, lang),
                    signed: signed(&party.id).map(|at| When::new(*at, lang)),
                    is_there: party.is_there,
                })
                .collect(),
            has_signed: signed(&seat.party).is_some(),
            is_signed: minutes.is_some_and(|one| !one.signed.is_empty()),
            remarks: minutes
                .iter()
                .flat_map(|one| &one.remarks)
                .map(|remark| RemarkView {
                    who: called(talk, &remark.party, lang),
                    at: When::new(remark.at, lang),
                    text: remark.text.clone(),
                })
                .collect(),
            refused: minutes
                .iter()
                .flat_map(|one| &one.refused)
                .map(|ground| GroundView {
                    text: lang.pick(&ground.text_nl, &ground.text_en).to_owned(),
                    articles: ground.articles.clone(),
                })
                .collect(),
            kept: minutes.and_then(|one| one.kept.as_ref()).map(|kept| {
                let print = kept.fingerprint.as_ref();
                KeptView {
                    id: kept.id.to_string(),
                    words: print.map(|one| one.words.clone()).unwrap_or_default(),
                    digest: print.map(|one| one.digest.clone()).unwrap_or_default(),
                    text: kept.text.clone(),
                }
            }),
            receipt: None,
            later: None,
            problem: None,
            p,
        }
    }
}

fn called(talk: &State, id: &str, lang: Language) -> String {
    let party = talk.parties.iter().find(|party| party.id == id);
    party.map_or_else(|| id.to_owned(), |party| name_of(talk, party, lang))
}
