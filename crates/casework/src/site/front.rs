//! The first page: everything at a glance, with the way to the rest.

use crate::site::markup::{escaped, link, paragraph, rows, section};
use crate::site::{Recorded, SiteError, Sources, may_i};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use voicelog_law::{FactWords, Status, in_brackets, purpose};
use voicelog_model::Language;

/// What the front page has besides the style of documents.
pub(super) const STYLE: &str = "\
nav ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; }\n\
h3 { font-size: 1.05rem; margin: 1.2rem 0 .3rem; }\n\
.answer { font-weight: 600; }\n";

/// What the page is made of.
pub(super) struct Front<'a> {
    pub(super) sources: &'a Sources<'a>,
    pub(super) recorded: &'a [Recorded],
    /// The page with the statement about each of them, where there is one.
    pub(super) statements: &'a [Option<String>],
    /// The page with the rules of a public body.
    pub(super) rules: Option<&'a str>,
    pub(super) language: Language,
}

impl Front<'_> {
    /// The page.
    ///
    /// # Errors
    /// A text of ours is wrong, which the tests catch.
    pub(super) fn page(&self) -> Result<String, SiteError> {
        let words = FactWords::load(self.language, self.sources.at).map_err(SiteError::Text)?;
        let name = &self.sources.organisation.name;
        let title = match self.language {
            Language::Nl => format!("Gesprekken opnemen bij {name}"),
            Language::En => format!("Recording conversations at {name}"),
        };
        let mut sections = vec![(
            "what",
            self.t("Wat wij opnemen", "What we record"),
            self.what(&words),
        )];
        let house = self.house();
        if !house.is_empty() {
            sections.push(("rules", self.t("Onze eigen regels", "Our own rules"), house));
        }
        let heading = self.t("Mag u ons opnemen?", "May you record us?");
        sections.push(("may-i", heading, self.may_i()?));
        let heading = self.t(
            "Een opname horen, of een kopie krijgen",
            "Hear a recording, or get a copy",
        );
        sections.push(("copy", heading, self.copy()));
        sections.push(("contact", self.t("Vragen", "Questions"), self.contact()));
        let items = sections.iter();
        let items = items
            .map(|(id, heading, _)| format!("<li>{}</li>\n", link(&format!("#{id}"), heading)));
        let items: String = items.collect();
        let list = self.t("Op deze bladzijde", "On this page");
        let body = sections.iter();
        let body: String = body
            .map(|(id, heading, inside)| section(id, heading, inside))
            .collect();
        Ok(self.frame(
            &title,
            &format!(
                "<nav aria-label=\"{}\">\n<ul>\n{items}</ul>\n</nav>\n{body}",
                escaped(list)
            ),
        ))
    }

    fn t<'t>(&self, nl: &'t str, en: &'t str) -> &'t str {
        self.language.pick(nl, en)
    }

    fn frame(&self, title: &str, body: &str) -> String {
        let (style, other, lang, text) = match self.language {
            Language::Nl => ("style.css", "en/index.html", "en", "English"),
            Language::En => ("../style.css", "../index.html", "nl", "Nederlands"),
        };
        let (title, tag) = (escaped(title), self.language.tag());
        let foot = self.foot();
        format!(
            "<!doctype html>\n<html lang=\"{tag}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
             <link rel=\"stylesheet\" href=\"{style}\">\n</head>\n<body>\n<main>\n\
             <p><a href=\"{other}\" lang=\"{lang}\" hreflang=\"{lang}\">{text}</a></p>\n\
             <h1>{title}</h1>\n{body}</main>\n<footer>\n{foot}</footer>\n</body>\n</html>\n"
        )
    }

    /// What is recorded, one after the other.
    fn what(&self, words: &FactWords) -> String {
        let all = self.recorded.iter().zip(self.statements);
        all.map(|(one, statement)| {
            let mut text = format!("<h3>{}</h3>\n", escaped(&one.title));
            text.push_str(&rows(&self.about(one, words)));
            if let Some(statement) = statement {
                let label = match self.language {
                    Language::Nl => format!("Alles over deze opnamen: {}", one.title),
                    Language::En => format!("All about these recordings: {}", one.title),
                };
                text.push_str(&format!("<p>{}</p>\n", link(statement, &label)));
            }
            text
        })
        .collect()
    }

    fn about(&self, one: &Recorded, words: &FactWords) -> Vec<(&'static str, String)> {
        let said = |name: &str| one.said.get(name).map(|value| words.value(name, value));
        let mut rows = Vec::new();
        let mut add = |nl, en, text: Option<String>| {
            rows.extend(text.map(|text| (self.language.pick(nl, en), text)));
        };
        let aim = one
            .said
            .get("purpose")
            .and_then(Value::as_str)
            .and_then(purpose);
        add("Waarvoor", "What for", said("purpose"));
        add(
            "Op welke grond in de wet",
            "On which ground in the law",
            said("legal_basis"),
        );
        add("Hoe lang bewaard", "Kept for", said("retention_term"));
        let sound = one.sound_term.as_ref();
        let sound = sound.map(|term| words.value("retention_term", &json!(term)));
        add("Het geluid zelf", "The sound itself", sound);
        let listeners = aim.map(|aim| aim.listeners.pick(self.language).to_owned());
        add("Wie mogen luisteren", "Who may listen", listeners);
        add(
            "Welke gesprekken",
            "Which conversations",
            said("structural"),
        );
        rows
    }

    /// The rules of the house.
    fn house(&self) -> String {
        let rules = self.sources.rulebook.rules();
        // A mark only says whether a duty is met.
        let own = rules.filter(|rule| rule.status == Status::House && rule.kind != "mark");
        let items = own.map(|rule| {
            let text = self.language.pick(&rule.text_nl, &rule.text_en);
            let articles = in_brackets(&rule.articles);
            format!("<li>{}</li>\n", escaped(&format!("{text}{articles}")))
        });
        let items: String = items.collect();
        let mut text = String::new();
        if !items.is_empty() {
            text.push_str(&paragraph(self.t(
                "Boven op de wet houden wij ons aan deze regels:",
                "On top of the law we keep to these rules:",
            )));
            text.push_str(&format!("<ul>\n{items}</ul>\n"));
        }
        if let Some(page) = self.rules {
            let label = self.t(
                "Onze spelregels voor het opnemen van gesprekken",
                "Our rules for recording conversations",
            );
            text.push_str(&format!("<p>{}</p>\n", link(page, label)));
        }
        text
    }

    fn may_i(&self) -> Result<String, SiteError> {
        let mut text = paragraph(self.t(
            "Dit zegt de wet als u met ons praat en zelf wilt opnemen, voor uzelf.",
            "This is what the law says where you talk with us and want to record it for yourself.",
        ));
        let kinds = self.recorded.iter();
        let kinds = kinds.filter_map(|one| one.said.get("recorder_type")?.as_str());
        let kind = kinds.collect::<BTreeSet<_>>();
        // A public body that does other things too is one to a citizen.
        let kind = match kind.contains("government_body") {
            true => "government_body",
            false => kind.first().copied().unwrap_or("company"),
        };
        let answers = may_i::answers(self.sources.law, kind, self.sources.at, self.language);
        let wrong = |error| SiteError::Facts(kind.to_owned(), error);
        for answer in answers.map_err(wrong)? {
            text.push_str(&format!(
                "<h3>{}</h3>\n<p class=\"answer\">{}</p>\n",
                escaped(answer.question),
                escaped(answer.outcome)
            ));
            if !answer.reasons.is_empty() {
                let reasons = answer.reasons.iter();
                let reasons = reasons.map(|reason| format!("<li>{}</li>\n", escaped(reason)));
                text.push_str(&format!("<ul>\n{}</ul>\n", reasons.collect::<String>()));
            }
        }
        if let Some(interview) = self.sources.interview {
            let label = self.t(
                "Een ander geval? Beantwoord een paar vragen: mag ik dit gesprek opnemen?",
                "Another case? Answer a few questions: may I record this conversation?",
            );
            text.push_str(&format!("<p>{}</p>\n", link(interview, label)));
        }
        Ok(text)
    }

    /// How a person gets at what was recorded of them.
    fn copy(&self) -> String {
        let law = |rule: &str| {
            let rule = self.sources.rulebook.rule(rule);
            rule.map_or_else(String::new, |rule| in_brackets(&rule.articles))
        };
        let steps = [
            (
                self.t(
                    "Zeg wanneer u met ons sprak, en met wie of over welk nummer. Zo vinden wij de opname.",
                    "Say when you spoke with us, and with whom or on which number. So we find the recording.",
                ),
                String::new(),
            ),
            (
                self.t(
                    "Wij gaan na dat u het bent, zodat niemand anders uw gesprek hoort.",
                    "We make sure that it is you, so that nobody else hears your conversation.",
                ),
                String::new(),
            ),
            (
                self.t(
                    "Binnen een maand krijgt u antwoord. De eerste kopie is gratis.",
                    "You have an answer within a month. The first copy is free.",
                ),
                law("avg.15.answer"),
            ),
            (
                self.t(
                    "Namen en stemmen van anderen maken wij onherkenbaar waar dat nodig is.",
                    "Where needed we mask names and voices of others.",
                ),
                law("avg.15.mask"),
            ),
            (
                self.t(
                    "U kunt ook vragen om verbetering, wissing of beperking, en bezwaar maken.",
                    "You can also ask for rectification, erasure or restriction, and object.",
                ),
                law("avg.12.rights"),
            ),
            (
                self.t(
                    "Met de kopie krijgt u verify.html: daarmee gaat u zelf na dat de opname heel is, of wat eruit is gelaten en waarom.",
                    "With the copy comes verify.html: with it you check yourself that the recording is whole, or what was left out and why.",
                ),
                String::new(),
            ),
        ];
        let steps =
            steps.map(|(text, law)| format!("<li>{}</li>\n", escaped(&format!("{text}{law}"))));
        let complaint = paragraph(self.t(
            "Bent u het niet eens met ons antwoord? U kunt een klacht indienen bij de Autoriteit Persoonsgegevens, of naar de rechter gaan.",
            "Do you disagree with our answer? You can complain to the data protection authority (Autoriteit Persoonsgegevens), or go to court.",
        ));
        format!("<ol>\n{}</ol>\n{complaint}", steps.concat())
    }

    fn contact(&self) -> String {
        let of = self.sources.organisation;
        let all = [
            (self.t("Organisatie", "Organisation"), &of.name),
            (self.t("Contact", "Contact"), &of.contact),
            (
                self.t(
                    "Functionaris voor gegevensbescherming",
                    "Data protection officer",
                ),
                &of.officer,
            ),
        ];
        let said = all.into_iter().filter(|(_, text)| !text.trim().is_empty());
        rows(
            &said
                .map(|(label, text)| (label, text.clone()))
                .collect::<Vec<_>>(),
        )
    }

    fn foot(&self) -> String {
        let rulebook = self.sources.rulebook;
        let (id, from) = (rulebook.id(), rulebook.valid_from());
        let day = crate::moment::day(self.sources.at, self.language);
        paragraph(&match self.language {
            Language::Nl => format!(
                "Gemaakt op {day} met voicelog, regelboek {id} van {from}. De antwoorden over de wet zijn beredeneerd en met artikel; ze zijn geen juridisch advies."
            ),
            Language::En => format!(
                "Made on {day} with voicelog, rulebook {id} of {from}. The answers about the law are reasoned and cite their articles; they are no legal advice."
            ),
        })
    }
}
