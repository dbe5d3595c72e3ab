//! The documents that go with an answer of the interview: a form for the particulars, then the
//! document itself. Nothing is stored; all of it travels by POST.

use crate::assets;
use crate::trouble::Trouble;
use serde_json::{Map, Value, json};
use voicelog_law::{
    DocumentError, DocumentText, Facts, Particular, Particulars, Rulebook, Style, Text,
};
use voicelog_model::{Language, Timestamp};

/// Which document a person asked for, and what was typed for it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    name: String,
    typed: Map<String, Value>,
    /// The form was filled in.
    is_filled_in: bool,
}

/// What there is to show.
#[derive(Debug)]
pub(crate) enum Paper {
    /// The form for its particulars, with what is wrong with them: the key, or none for all of it.
    Form {
        text: Box<DocumentText>,
        asked: Vec<&'static Particular>,
        typed: Map<String, Value>,
        wrong: Vec<(String, Text)>,
    },
    /// The document, as a page.
    Made(String),
}

impl Wanted {
    /// Reads what a form asked for: `do` is `document:NAME` to see its form, `make:NAME` to get it.
    /// An empty field says nothing.
    pub(crate) fn read(act: &str, fields: &[(String, String)]) -> Option<Self> {
        let (verb, name) = act.split_once(':')?;
        let is_filled_in = match verb {
            "document" => false,
            "make" => true,
            _ => return None,
        };
        let typed = fields
            .iter()
            .filter_map(|(key, value)| Some((key.strip_prefix("p.")?, value)))
            .filter(|(_, value)| !value.trim().is_empty())
            .map(|(key, value)| (key.to_owned(), json!(value)));
        Some(Self {
            name: name.to_owned(),
            typed: typed.collect(),
            is_filled_in,
        })
    }

    /// Makes what was asked for, with the facts that the answers gave.
    pub(crate) fn paper(
        self,
        rulebook: &Rulebook,
        facts: &Facts,
        lang: Language,
        at: Timestamp,
    ) -> Result<Paper, Trouble> {
        let text = DocumentText::load(&self.name, lang, at).map_err(Trouble::from)?;
        let asked = text.particulars_for(facts, at);
        let form = |text, wrong| Paper::Form {
            text: Box::new(text),
            asked: asked.clone(),
            typed: self.typed.clone(),
            wrong,
        };
        if !text.fits(facts, at) {
            return Err(Trouble::not_found());
        }
        if !self.is_filled_in {
            return Ok(form(text, Vec::new()));
        }
        let particulars = match Particulars::from_map(&self.typed) {
            Ok(particulars) => particulars,
            Err(error) => return Ok(form(text, error.findings().to_vec())),
        };
        match text.make(rulebook, facts, &particulars, at) {
            Ok(document) => {
                let style = Style::At(assets::document_style_path());
                Ok(Paper::Made(document.to_html(style)))
            }
            Err(DocumentError::Wanting { what, .. }) => {
                let wanting = |(key, _)| {
                    let text = Text::new(
                        "dit mag in dit document niet open blijven",
                        "this may not stay open in this document",
                    );
                    (key, text)
                };
                let wrong = what.into_iter().map(wanting).collect();
                Ok(form(text, wrong))
            }
            Err(DocumentError::Refused { reasons, .. }) => {
                let wrong = reasons
                    .into_iter()
                    .map(|(text, _articles)| (String::new(), text))
                    .collect();
                Ok(form(text, wrong))
            }
            Err(error) => Err(error.into()),
        }
    }
}
