//! Terms that end, counted.

use crate::view::page::Page;
use crate::view::proposals::ProposalView;
use crate::view::recordings::line_name;
use crate::view::when::When;
use askama::Template;
use voicelog_archive::TermsPreview;
use voicelog_casework::retention::term_in_words;

/// Recordings about which the answer is the same.
#[derive(Debug)]
pub(crate) struct AlikeView {
    pub(crate) count: u64,
    pub(crate) line: String,
    pub(crate) purpose: String,
    /// The term that was chosen, and between which bounds the law lets one choose.
    pub(crate) term: String,
    /// Why the law would refuse, with its articles; nothing where it would permit.
    pub(crate) refusals: Vec<String>,
}

/// Recordings that are held on one ground.
#[derive(Debug)]
pub(crate) struct HeldView {
    pub(crate) count: u64,
    pub(crate) ground: &'static str,
    pub(crate) review: When,
}

/// Recordings whose sound goes before the rest.
#[derive(Debug)]
pub(crate) struct SoundView {
    pub(crate) count: u64,
    pub(crate) held: u64,
    pub(crate) put_off: u64,
    pub(crate) next: Option<When>,
}

impl SoundView {
    /// Whether any line has such a term.
    pub(crate) const fn is_empty(&self) -> bool {
        self.count == 0 && self.held == 0 && self.put_off == 0 && self.next.is_none()
    }
}

#[derive(Debug, Template)]
#[template(path = "retention.html")]
pub(crate) struct RetentionPage {
    pub(crate) p: Page,
    /// The day that was asked for, as a date field has it.
    pub(crate) day: String,
    pub(crate) until: When,
    pub(crate) destroyed: u64,
    pub(crate) refused: u64,
    pub(crate) alike: Vec<AlikeView>,
    pub(crate) held: Vec<HeldView>,
    pub(crate) put_off: u64,
    pub(crate) unsorted: u64,
    pub(crate) sound: SoundView,
    pub(crate) next: Option<When>,
    /// Proposals to destroy that stand.
    pub(crate) proposals: Vec<ProposalView>,
}

impl RetentionPage {
    pub(crate) fn new(p: Page, found: &TermsPreview, day: String) -> Self {
        let lang = p.lang;
        let alike = found.alike.iter().map(|alike| AlikeView {
            count: alike.count,
            line: line_name(&alike.line, lang),
            purpose: alike
                .purpose
                .as_deref()
                .and_then(voicelog_law::purpose)
                .map(|purpose| purpose.called.pick(lang).to_owned())
                .unwrap_or_default(),
            term: term_in_words(alike, found.until, lang),
            refusals: alike
                .refusals
                .iter()
                .map(|one| format!("{} ({})", one.text.pick(lang), one.articles.join("; ")))
                .collect(),
        });
        let held = found.held.iter().map(|held| HeldView {
            count: held.count,
            ground: held.ground.text(lang),
            review: When::new(held.first_review, lang),
        });
        Self {
            day,
            until: When::new(found.until, lang),
            destroyed: found.destroyed(),
            refused: found.refused(),
            alike: alike.collect(),
            held: held.collect(),
            put_off: found.put_off,
            unsorted: found.unsorted,
            sound: SoundView {
                count: found.sound_to_go(),
                held: found.sound.held,
                put_off: found.sound.put_off,
                next: found.sound.next.map(|next| When::new(next, lang)),
            },
            next: found.next.map(|next| When::new(next, lang)),
            proposals: Vec::new(),
            p,
        }
    }
}
