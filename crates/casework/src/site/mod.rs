//! The pages about recording for an organisation's own website: what it records and for how long, its own rules,
//! how to get a copy, and whether a visitor may record it.
//!
//! Static files without a script, in Dutch and English. All that they say comes from the configuration, the rulebook
//! and the texts of the documents that go with it; what is not known there is not said. The Ombudsman's second rule
//! on recording asks a public body for such a page.

mod front;
mod markup;
mod may_i;
#[cfg(test)]
mod tests;

use crate::site::front::Front;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::fmt;
use voicelog_archive::{Line, Rule};
use voicelog_law::{
    DOCUMENT_STYLE, Document, DocumentError, DocumentText, Facts, FactsError, Particulars,
    ParticularsError, Rulebook, Style,
};
use voicelog_model::{Language, Timestamp};

/// The organisation, as its own website names it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Organisation {
    /// What it is called.
    pub name: String,
    /// E-mail, telephone or address for questions and requests.
    pub contact: String,
    /// The data protection officer, with contact details.
    pub officer: String,
    /// Where these pages will be: a web address.
    pub website: String,
}

/// What the pages are made of.
pub struct Sources<'a> {
    /// Whose they are.
    pub organisation: &'a Organisation,
    /// What it records: telephone lines, and kinds of talk.
    pub lines: Vec<&'a Line>,
    /// The law in force, without rules of the house.
    pub law: &'a Rulebook,
    /// The rules in force, with those of the house.
    pub rulebook: &'a Rulebook,
    /// Where the interview of the law can be asked, where the public reaches it.
    pub interview: Option<&'a str>,
    /// For when.
    pub at: Timestamp,
}

impl fmt::Debug for Sources<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources")
            .field("organisation", &self.organisation)
            .finish_non_exhaustive()
    }
}

/// One file of the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where it lies in the folder, with `/`.
    pub path: String,
    /// What is in it.
    pub text: String,
}

/// The site, and what whoever makes it should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Its files; those of the same path take the place of former ones.
    pub files: Vec<File>,
    /// Statements that were not made, by the name of the line, with the reason in the language that was asked for.
    pub left_out: Vec<(String, String)>,
    /// Places that the organisation has to fill in, by file.
    pub open_places: Vec<(String, usize)>,
}

/// Why there is no site.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// The organisation has no name.
    #[error("the organisation has no name")]
    NoName,
    /// Nothing is recorded, so there is nothing to tell.
    #[error("the configuration has no line and no kind of talk")]
    NothingRecorded,
    /// The facts of a line, or of a question that a visitor asks, are not as they should be.
    #[error("facts of `{0}`")]
    Facts(String, #[source] FactsError),
    /// What is said of the organisation is not as it should be.
    #[error("the organisation")]
    Organisation(#[source] ParticularsError),
    /// A text of ours is wrong, which the tests catch.
    #[error("a text of the documents")]
    Text(#[source] DocumentError),
}

/// One thing that is recorded: a line, or what a rule of it makes of some calls.
pub(crate) struct Recorded {
    /// The name of the line, and of the rule.
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) facts: Facts,
    pub(crate) said: Map<String, Value>,
    /// How long the sound alone is kept, where that is shorter.
    pub(crate) sound_term: Option<String>,
}

/// Makes the pages in both languages; `language` is that of what is told about them.
///
/// # Errors
///
/// There is nothing to tell, or the configuration is not as it should be.
pub fn site(sources: &Sources<'_>, language: Language) -> Result<Site, SiteError> {
    if sources.organisation.name.trim().is_empty() {
        return Err(SiteError::NoName);
    }
    let recorded = recorded(sources)?;
    if recorded.is_empty() {
        return Err(SiteError::NothingRecorded);
    }
    let mut site = Site {
        files: vec![file("style.css", style())],
        left_out: Vec::new(),
        open_places: Vec::new(),
    };
    for of in [Language::Nl, Language::En] {
        let texts = Texts {
            language: of,
            told_in: language,
        };
        add_language(sources, &recorded, &texts, &mut site)?;
    }
    Ok(site)
}

/// In which language pages are made, and in which one is told of them.
struct Texts {
    language: Language,
    told_in: Language,
}

fn add_language(
    sources: &Sources<'_>,
    recorded: &[Recorded],
    texts: &Texts,
    site: &mut Site,
) -> Result<(), SiteError> {
    let language = texts.language;
    let given = particulars(sources.organisation).map_err(SiteError::Organisation)?;
    let mut statements = Vec::new();
    for (place, one) in recorded.iter().enumerate() {
        let path = format!("{}privacy-{}.html", folder(language), place + 1);
        let made = document(sources, "privacy-statement", &one.facts, &given, language)?;
        match made {
            Ok(made) => {
                statements.push(Some(format!("privacy-{}.html", place + 1)));
                add_document(site, path, &made);
            }
            Err(why) => {
                statements.push(None);
                if language == texts.told_in {
                    let why = why.in_language(language);
                    site.left_out.push((one.name.clone(), why));
                }
            }
        }
    }
    // The rules of a public body, where it is one.
    let mut rules = None;
    for one in recorded {
        if let Ok(made) = document(sources, "house-rules", &one.facts, &given, language)? {
            add_document(site, format!("{}regels.html", folder(language)), &made);
            rules = Some("regels.html");
            break;
        }
    }
    let front = Front {
        sources,
        recorded,
        statements: &statements,
        rules,
        language,
    };
    let page = front.page()?;
    site.files
        .push(file(&format!("{}index.html", folder(language)), page));
    Ok(())
}

/// Dutch is what a visitor comes to first.
const fn folder(language: Language) -> &'static str {
    match language {
        Language::Nl => "",
        Language::En => "en/",
    }
}

fn file(path: &str, text: String) -> File {
    File {
        path: path.to_owned(),
        text,
    }
}

fn add_document(site: &mut Site, path: String, document: &Document) {
    if document.blanks > 0 {
        site.open_places.push((path.clone(), document.blanks));
    }
    let style = match document.language {
        Language::Nl => "style.css",
        Language::En => "../style.css",
    };
    site.files.push(File {
        path,
        text: document.to_html(Style::At(style)),
    });
}

/// A document; why not, where it does not go with these facts or would mislead.
fn document(
    sources: &Sources<'_>,
    name: &str,
    facts: &Facts,
    given: &Particulars,
    language: Language,
) -> Result<Result<Document, DocumentError>, SiteError> {
    let text = DocumentText::load(name, language, sources.at).map_err(SiteError::Text)?;
    match text.make(sources.rulebook, facts, given, sources.at) {
        Err(error @ (DocumentError::Text { .. } | DocumentError::NoSuch { .. })) => {
            Err(SiteError::Text(error))
        }
        made => Ok(made),
    }
}

fn particulars(organisation: &Organisation) -> Result<Particulars, ParticularsError> {
    let given = [
        ("organisation", &organisation.name),
        ("contact", &organisation.contact),
        ("officer", &organisation.officer),
        ("privacy_url", &organisation.website),
    ];
    let said = given.iter().filter(|(_, text)| !text.trim().is_empty());
    let map = said.map(|(id, text)| ((*id).to_owned(), json!(text)));
    Particulars::from_map(&map.collect())
}

fn recorded(sources: &Sources<'_>) -> Result<Vec<Recorded>, SiteError> {
    let of_line = |line: &&Line| {
        let rules = line.rules.iter().map(Some).collect::<Vec<_>>();
        let line = *line;
        // What no rule takes is the line's own.
        rules
            .into_iter()
            .chain([None])
            .map(|rule| one(line, rule, sources.at))
            .collect::<Vec<_>>()
    };
    sources.lines.iter().flat_map(of_line).collect()
}

fn one(line: &Line, rule: Option<&Rule>, at: Timestamp) -> Result<Recorded, SiteError> {
    let name = match rule {
        None => line.name.clone(),
        Some(rule) => format!("{}, {}", line.name, rule.name),
    };
    let title = match line.title.as_str() {
        "" => line.name.clone(),
        title => title.to_owned(),
    };
    let title = match rule {
        None => title,
        Some(rule) => format!("{title}: {}", rule.name),
    };
    let mut said = line.facts_under(rule);
    said.insert("requested_action".to_owned(), json!("record"));
    said.entry("channel").or_insert_with(|| json!("phone"));
    let facts =
        Facts::from_map(&said, at).map_err(|error| SiteError::Facts(name.clone(), error))?;
    Ok(Recorded {
        name,
        title,
        facts,
        said,
        sound_term: line.sound_term_under(rule).map(str::to_owned),
    })
}

/// The style sheet of documents, and what the front page has besides.
fn style() -> String {
    format!("{DOCUMENT_STYLE}\n{}", front::STYLE)
}
