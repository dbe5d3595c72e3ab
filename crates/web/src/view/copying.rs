//! The page on which a copy is made, of all or of a part.

use crate::view::asking::ForeseenView;
use crate::view::badge::Shape;
use crate::view::page::Page;
use crate::view::when::When;
use askama::Template;
use serde_json::{Value, json};
use std::fmt;
use voicelog_casework::disclosure::PartRequest;
use voicelog_model::{Language, MediaStream};

/// Passages in one form at most, and how many the button adds.
const ROWS_MAX: usize = 20;
const ROWS_ADDED: usize = 3;

/// A passage to leave out, as it was filled in.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct PassageForm {
    /// The number of a stream; empty for all.
    pub(crate) stream: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) reason: String,
    pub(crate) ground: String,
    pub(crate) decider: String,
    /// Which fields are wrong, by their name.
    pub(crate) wrong: Vec<&'static str>,
}

impl PassageForm {
    fn is_blank(&self) -> bool {
        let fields = [
            &self.stream,
            &self.from,
            &self.to,
            &self.reason,
            &self.ground,
            &self.decider,
        ];
        fields.iter().all(|text| text.is_empty())
    }

    pub(crate) fn is_bad(&self, field: &str) -> bool {
        self.wrong.contains(&field)
    }

    fn look(&mut self) {
        let is_no_moment = |text: &str| PartRequest::moment(text).is_err();
        let checks = [
            ("from", is_no_moment(&self.from)),
            ("to", is_no_moment(&self.to)),
            ("reason", self.reason.is_empty()),
            ("ground", self.ground.is_empty()),
            ("decider", self.decider.is_empty()),
        ];
        let wrong = checks.into_iter().filter(|(_, is_wrong)| *is_wrong);
        self.wrong = wrong.map(|(field, _)| field).collect();
    }

    fn plan(&self) -> Value {
        let mut plan = json!({
            "from": self.from, "to": self.to, "reason": self.reason, "legal_ground": self.ground,
            "decided_by": self.decider,
        });
        if let (Ok(stream), Value::Object(members)) = (self.stream.parse::<u16>(), &mut plan) {
            members.insert("stream".to_owned(), json!(stream));
        }
        plan
    }
}

/// Which part a copy is to show.
#[derive(Clone)]
pub(crate) struct PartForm {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) from_wrong: bool,
    pub(crate) to_wrong: bool,
    pub(crate) passages: Vec<PassageForm>,
    /// Why it fits no such recording.
    pub(crate) refused: Option<String>,
}

impl fmt::Debug for PartForm {
    /// What is left out, and why, can name somebody.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartForm").finish_non_exhaustive()
    }
}

impl Default for PartForm {
    fn default() -> Self {
        Self {
            from: String::new(),
            to: String::new(),
            from_wrong: false,
            to_wrong: false,
            passages: vec![PassageForm::default()],
            refused: None,
        }
    }
}

impl PartForm {
    /// Reads the fields of the form; those of passage 2 end in `_2`.
    pub(crate) fn read(fields: &[(String, String)]) -> Self {
        let mut form = Self::default();
        for (name, value) in fields {
            let value = value.trim().to_owned();
            let (field, number) = match name.rsplit_once('_') {
                Some((field, number)) => (field, number.parse::<usize>().ok()),
                None => (name.as_str(), None),
            };
            match (field, number) {
                ("from", None) => form.from = value,
                ("to", None) => form.to = value,
                (_, Some(number @ 1..=ROWS_MAX)) => {
                    if form.passages.len() < number {
                        form.passages.resize(number, PassageForm::default());
                    }
                    let Some(row) = form.passages.get_mut(number - 1) else {
                        continue;
                    };
                    match field {
                        "stream" => row.stream = value,
                        "from" => row.from = value,
                        "to" => row.to = value,
                        "reason" => row.reason = value,
                        "ground" => row.ground = value,
                        "decider" => row.decider = value,
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        form
    }

    pub(crate) fn add_rows(&mut self) {
        let rows = self.passages.len().saturating_add(ROWS_ADDED).min(ROWS_MAX);
        self.passages.resize(rows, PassageForm::default());
    }

    pub(crate) fn can_grow(&self) -> bool {
        self.passages.len() < ROWS_MAX
    }

    pub(crate) fn is_wrong(&self) -> bool {
        let is_bad = |row: &PassageForm| !row.wrong.is_empty();
        self.from_wrong
            || self.to_wrong
            || self.refused.is_some()
            || self.passages.iter().any(is_bad)
    }

    /// Whether more than the whole recording was asked for.
    pub(crate) fn is_part(&self) -> bool {
        let is_filled = |row: &PassageForm| !row.is_blank();
        !self.from.is_empty() || !self.to.is_empty() || self.passages.iter().any(is_filled)
    }

    /// What is asked for: the whole (an inner `None`) or a part; `None` where a field is wrong, which the
    /// form then knows.
    pub(crate) fn request(&mut self, lang: Language) -> Option<Option<PartRequest>> {
        let moment = |text: &str| match text {
            "" => Ok(None),
            text => PartRequest::moment(text).map(Some),
        };
        let (start, end) = (moment(&self.from), moment(&self.to));
        (self.from_wrong, self.to_wrong) = (start.is_err(), end.is_err());
        let rows = self.passages.iter_mut().filter(|row| !row.is_blank());
        rows.for_each(PassageForm::look);
        if self.is_wrong() {
            return None;
        }
        if !self.is_part() {
            return Some(None);
        }
        let rows = self.passages.iter().filter(|row| !row.is_blank());
        let plan = json!({ "redactions": rows.map(PassageForm::plan).collect::<Vec<_>>() });
        let Ok(redactions) = PartRequest::redactions(plan.to_string().as_bytes()) else {
            let text = lang.pick(
                "Wat is ingevuld om weg te laten, past niet.",
                "What was filled in to be left out does not fit.",
            );
            self.refused = Some(text.to_owned());
            return None;
        };
        Some(Some(PartRequest {
            start_us: start.ok().flatten(),
            end_us: end.ok().flatten(),
            redactions,
        }))
    }
}

/// A stream that a passage can be left out of.
#[derive(Debug, Clone)]
pub(crate) struct StreamChoice {
    pub(crate) number: String,
    pub(crate) text: String,
}

impl StreamChoice {
    pub(crate) fn new(stream: &MediaStream, lang: Language) -> Self {
        let number = stream.number.to_string();
        let name = lang.pick("Stroom", "Stream");
        let party = stream.party.as_ref().map(|party| format!(" ({party})"));
        Self {
            text: format!("{name} {number}{}", party.unwrap_or_default()),
            number,
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "copy.html")]
pub(crate) struct CopyPage {
    pub(crate) p: Page,
    pub(crate) id: String,
    pub(crate) started: When,
    /// How long the call lasted.
    pub(crate) length: String,
    pub(crate) streams: Vec<StreamChoice>,
    /// What would be answered for the one who gets the copy.
    pub(crate) d: ForeseenView,
    pub(crate) form: PartForm,
}
