//! The pages of a company and of a public body, as they are made from a configuration.

use super::*;
use voicelog_law::HouseRules;

const AT: &str = "2026-11-21T10:00:00Z";

fn at() -> Timestamp {
    AT.parse().unwrap()
}

fn line(name: &str, title: &str, facts: &Value) -> Line {
    Line {
        title: title.to_owned(),
        facts: facts.as_object().unwrap().clone(),
        sound_term: Some("P2W".to_owned()),
        ..Line::not_set_up(name)
    }
}

fn company() -> Line {
    let facts = json!({
        "recorder_type": "company", "counterpart_types": ["private_person"],
        "participation": "participant", "openness": "announced", "purpose": "klacht",
        "legal_basis": "b", "structural": "all", "retention_term": "P1Y",
    });
    line("klacht", "Klachten & vragen", &facts)
}

fn municipality() -> Line {
    let facts = json!({
        "recorder_type": "government_body", "counterpart_types": ["citizen"],
        "participation": "participant", "openness": "announced", "purpose": "dossier_overheid",
        "legal_basis": "e", "public_task_ref": "Gemeentewet 160", "structural": "all",
        "retention_term": "P5Y",
    });
    line("balie", "Balie", &facts)
}

fn organisation() -> Organisation {
    Organisation {
        name: "Smit & Zn. <BV>".to_owned(),
        contact: "privacy@smit.voorbeeld".to_owned(),
        officer: String::new(),
        website: "https://smit.voorbeeld/opnemen".to_owned(),
    }
}

fn made(lines: &[Line], rulebook: &Rulebook, interview: Option<&str>) -> Site {
    let organisation = organisation();
    let sources = Sources {
        organisation: &organisation,
        lines: lines.iter().collect(),
        law: &Rulebook::embedded(at()).unwrap(),
        rulebook,
        interview,
        at: at(),
    };
    site(&sources, Language::Nl).unwrap()
}

fn page<'a>(site: &'a Site, path: &str) -> &'a str {
    let file = site.files.iter().find(|file| file.path == path);
    &file.unwrap_or_else(|| panic!("no {path}")).text
}

#[test]
fn a_company_tells_what_it_records_for_how_long_and_how_to_get_a_copy_in_both_languages() {
    let law = Rulebook::embedded(at()).unwrap();
    let site = made(
        &[company()],
        &law,
        Some("https://opnamen.voorbeeld/mag-ik-opnemen"),
    );
    let paths: Vec<_> = site.files.iter().map(|file| file.path.as_str()).collect();
    let wanted = [
        "style.css",
        "privacy-1.html",
        "index.html",
        "en/privacy-1.html",
        "en/index.html",
    ];
    assert_eq!(paths, wanted);
    let (dutch, english) = (page(&site, "index.html"), page(&site, "en/index.html"));
    for (told, of) in [
        (
            "<h1>Gesprekken opnemen bij Smit &amp; Zn. &lt;BV&gt;</h1>",
            dutch,
        ),
        ("<h3>Klachten &amp; vragen</h3>", dutch),
        ("<dd>een klacht", dutch),
        ("<dd>1 jaar</dd>", dutch),
        ("<dt>Het geluid zelf</dt><dd>2 weken</dd>", dutch),
        ("<dt>Wie mogen luisteren</dt>", dutch),
        ("<a href=\"privacy-1.html\">", dutch),
        ("[AVG 12 lid 3; AVG 15 lid 3]", dutch),
        ("privacy@smit.voorbeeld", dutch),
        (
            "<a href=\"https://opnamen.voorbeeld/mag-ik-opnemen\">",
            dutch,
        ),
        ("<html lang=\"nl\">", dutch),
        ("<a href=\"en/index.html\" lang=\"en\"", dutch),
        (
            "<h1>Recording conversations at Smit &amp; Zn. &lt;BV&gt;</h1>",
            english,
        ),
        ("<dd>1 year</dd>", english),
        ("<html lang=\"en\">", english),
        ("href=\"../style.css\"", english),
    ] {
        assert!(of.contains(told), "{told} is not in {of}");
    }
    let statement = page(&site, "privacy-1.html");
    assert!(statement.contains("Smit &amp; Zn. &lt;BV&gt;") && statement.contains("style.css"));
    assert_eq!(site.left_out, []);
}

#[test]
fn whoever_talks_with_them_reads_the_laws_own_answers() {
    let law = Rulebook::embedded(at()).unwrap();
    let site = made(&[company()], &law, None);
    let answers = page(&site, "index.html");
    let after = |question: &str| {
        let rest = answers.split(question).nth(1).unwrap();
        let answer = rest.split("class=\"answer\">").nth(1).unwrap();
        answer.split('<').next().unwrap().to_owned()
    };
    assert_eq!(after("opnemen, en dat zeggen"), "Dat mag");
    assert_eq!(after("zonder het te zeggen"), "Dat mag");
    assert_eq!(
        after("waar u niet bij bent"),
        "Dat mag niet: het is strafbaar"
    );
    assert_eq!(after("op internet zetten"), "Dat mag niet");
    assert_eq!(after("aan de rechter geven"), "Dat mag");
    assert!(answers.contains("[Sr 139a"), "with the article");
    assert!(
        !answers.contains("mag ik dit gesprek opnemen?"),
        "nobody reaches it"
    );
}

#[test]
fn a_public_body_has_the_rules_that_the_ombudsman_asks_for() {
    let law = Rulebook::embedded(at()).unwrap();
    let site = made(&[company(), municipality()], &law, None);
    let rules = page(&site, "regels.html");
    assert!(rules.contains("Ja. Hebt u een gesprek met iemand van"));
    assert!(page(&site, "index.html").contains("<a href=\"regels.html\">"));
    assert!(page(&site, "en/index.html").contains("<a href=\"regels.html\">"));
    assert!(page(&site, "en/regels.html").contains("<html lang=\"en\">"));
    assert!(
        site.open_places
            .iter()
            .any(|(path, _)| path == "regels.html")
    );
}

#[test]
fn the_rules_of_the_house_are_told_with_where_they_stand() {
    let law = Rulebook::embedded(at()).unwrap();
    let rule = "@id(\"house.geen_heimelijke_opname\")\n@kind(\"labour\")\n\
        @article(\"Personeelshandboek 4.2\")\n@valid_from(\"2026-10-01\")\n\
        @nl(\"Wij nemen niets heimelijk op.\")\n@en(\"We record nothing covertly.\")\n\
        forbid (principal, action in Action::\"making\", resource)\n\
        when { context has openness && context.openness == \"covert\" };\n";
    let house = HouseRules::read(&[("huis.cedar".to_owned(), rule.to_owned())], &law).unwrap();
    let rulebook = law.with_house(&house).unwrap();
    let site = made(&[company()], &rulebook, None);
    let told = "<li>Wij nemen niets heimelijk op. [Personeelshandboek 4.2]</li>";
    assert!(page(&site, "index.html").contains(told));
    let english = page(&site, "en/index.html");
    assert!(english.contains("<li>We record nothing covertly."));
    let answer = english.split("without saying so").nth(1).unwrap();
    let answer = answer.split("class=\"answer\">").nth(1).unwrap();
    assert!(answer.starts_with("You may<"), "they do not bind a visitor");
}

#[test]
fn a_line_that_may_not_be_recorded_has_no_statement_and_whoever_makes_the_pages_is_told_why() {
    let law = Rulebook::embedded(at()).unwrap();
    let mut covert = company();
    covert.facts.insert("openness".to_owned(), json!("covert"));
    covert
        .facts
        .insert("participation".to_owned(), json!("none"));
    covert
        .facts
        .insert("line_subscriber".to_owned(), json!("other"));
    let site = made(&[company(), covert], &law, None);
    let [(name, why)] = &site.left_out[..] else {
        panic!("{:?}", site.left_out)
    };
    assert!(name == "klacht" && why.contains("misleiden"), "{why}");
    assert!(!page(&site, "index.html").contains("privacy-2.html"));
}

#[test]
fn without_a_name_or_a_line_there_is_no_site() {
    let law = Rulebook::embedded(at()).unwrap();
    let mut organisation = organisation();
    let (line, none) = (company(), Vec::new());
    let of = |organisation: &Organisation, lines: Vec<&Line>| {
        let sources = Sources {
            organisation,
            lines,
            law: &law,
            rulebook: &law,
            interview: None,
            at: at(),
        };
        site(&sources, Language::En)
    };
    assert!(matches!(
        of(&organisation, none),
        Err(SiteError::NothingRecorded)
    ));
    organisation.website = "smit.voorbeeld".to_owned();
    let wrong = of(&organisation, vec![&line]);
    assert!(
        matches!(wrong, Err(SiteError::Organisation(_))),
        "{wrong:?}"
    );
    organisation.name = " ".to_owned();
    assert!(matches!(
        of(&organisation, vec![&line]),
        Err(SiteError::NoName)
    ));
}
