//! May I record this conversation? For everybody, in both languages, without script.

use crate::support::*;
use axum::http::StatusCode;

const PATH: &str = "/may-i-record";

/// The fields that the page sends along.
fn hidden(page: &Page) -> Vec<(String, String)> {
    let form = page.text().split_once("<form class=\"card\"");
    let form = form.map_or(page.text(), |(_, form)| form);
    let parts = form.split("<input type=\"hidden\" name=\"").skip(1);
    parts
        .map(|part| {
            let (name, rest) = part.split_once("\" value=\"").unwrap();
            (name.to_owned(), rest.split_once('"').unwrap().0.to_owned())
        })
        .filter(|(name, _)| name != "form_token")
        .collect()
}

/// Presses a button after choosing.
async fn press(
    browser: &mut Browser<'_>,
    path: &str,
    page: &Page,
    choices: &[&str],
    button: &str,
) -> Page {
    let carried = hidden(page);
    let mut fields: Vec<(&str, &str)> = carried
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    fields.extend(choices.iter().map(|choice| ("c", *choice)));
    fields.push(("do", button));
    let token = page.form_token().to_owned();
    browser.post_with(path, &token, &fields).await
}

/// A person who takes part in a call with a company and records its sound.
const PERSON: [&[&str]; 5] = [
    &["record"],
    &["private_person"],
    &["company"],
    &["participant"],
    &[],
];

/// Answers question after question.
async fn answer(browser: &mut Browser<'_>, path: &str, answers: &[&[&str]]) -> Page {
    let mut page = browser.get(path).await;
    for choices in answers {
        page = press(browser, path, &page, choices, "next").await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    }
    page
}

#[tokio::test]
async fn a_person_without_an_account_gets_an_answer_with_articles_in_five_questions() {
    let site = empty_site();
    let mut browser = Browser::new(&site);
    let page = answer(&mut browser, PATH, &PERSON).await;
    for text in [
        "Permitted",
        "Sr 139c lid 1",
        "no legal advice",
        "&quot;requested_action&quot;",
        "lang=\"en\"",
    ] {
        assert!(
            page.shows(text) || page.shows(&text.replace("&quot;", "&#34;")),
            "{text}"
        );
    }
    let page = answer(&mut browser, "/mag-ik-opnemen", &PERSON).await;
    assert!(page.shows("geen juridisch advies") && page.shows("lang=\"nl\""));
}

#[tokio::test]
async fn an_organisation_gets_its_duties_as_a_list_to_tick() {
    let site = empty_site();
    let mut browser = Browser::new(&site);
    let answers: [&[&str]; 9] = [
        &["record"],
        &["company"],
        &["private_person"],
        &["participant"],
        &[],
        &["announced"],
        &["agreement"],
        &["all"],
        &["consented"],
    ];
    let page = answer(&mut browser, PATH, &answers).await;
    assert!(
        page.shows("What you have to do") && page.shows("AVG 30") && page.shows("class=\"done\"")
    );
}

#[tokio::test]
async fn back_and_change_keep_the_other_answers() {
    let site = empty_site();
    let mut browser = Browser::new(&site);
    let answers: [&[&str]; 4] = [&["record"], &["private_person"], &["company"], &["none"]];
    let page = answer(&mut browser, PATH, &answers).await;
    let page = press(&mut browser, PATH, &page, &[], "back").await;
    assert!(page.shows("Does the one who records take part"));
    let page = press(&mut browser, PATH, &page, &["participant"], "next").await;
    let page = press(&mut browser, PATH, &page, &[], "next").await;
    assert!(page.shows("The answer") && page.shows("Permitted"));
    // Changed from the page with the answer: the rest stays as it was.
    let page = press(&mut browser, PATH, &page, &[], "again:participation").await;
    assert!(page.shows("id=\"c-participant\"") && page.shows("value=\"company\""));
    let page = press(&mut browser, PATH, &page, &["none"], "next").await;
    assert!(
        page.shows("Do the others know about the recording?"),
        "what counts only now is asked"
    );
}

#[tokio::test]
async fn an_answer_that_is_none_is_said_and_nothing_is_lost() {
    let site = empty_site();
    let mut browser = Browser::new(&site);
    let page = answer(&mut browser, PATH, &[&["record"]]).await;
    for choices in [&[][..], &["nobody"][..], &["company", "employer"][..]] {
        let wrong = press(&mut browser, PATH, &page, choices, "next").await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            wrong.shows("role=\"alert\"") && wrong.shows("a.act"),
            "{choices:?}"
        );
    }
    let nonsense = [("a.act", "~"), ("ask", "no-such-question"), ("do", "next")];
    let page = browser.post(PATH, &nonsense).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.shows("What do you want to do?"));
}

#[tokio::test]
async fn the_facts_file_is_one_that_the_law_takes() {
    let site = empty_site();
    let mut browser = Browser::new(&site);
    let answers: [&[&str]; 5] = [
        &["record"],
        &["citizen"],
        &["government_body"],
        &["participant"],
        &[],
    ];
    let page = answer(&mut browser, PATH, &answers).await;
    let file = press(&mut browser, PATH, &page, &[], "facts").await;
    assert!(file.header("content-disposition").contains("facts.json"));
    let decided = program(&site, "POST", "/v1/law/decisions", file.text()).await;
    assert_eq!(decided.json()["outcome"], "permitted", "{}", decided.text());
}

/// Presses a button with fields typed.
async fn fill_in(
    browser: &mut Browser<'_>,
    page: &Page,
    typed: &[(&str, &str)],
    button: &str,
) -> Page {
    let carried = hidden(page);
    let mut fields: Vec<(&str, &str)> = carried
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    fields.extend(typed);
    fields.push(("do", button));
    let token = page.form_token().to_owned();
    browser.post_with(PATH, &token, &fields).await
}

#[tokio::test]
async fn the_answer_offers_the_documents_that_go_with_it_and_no_other() {
    let site = empty_site();
    let mut browser = Browser::new(&site);
    let page = answer(&mut browser, PATH, &PERSON).await;
    for name in ["checklist", "minutes", "request"] {
        assert!(page.shows(&format!("document:{name}")), "{name}");
    }
    for name in ["house-rules", "staff-notice", "register-entry"] {
        assert!(!page.shows(&format!("document:{name}")), "{name}");
    }
    let form = press(&mut browser, PATH, &page, &[], "document:request").await;
    assert!(form.shows("p.subject") && !form.shows("p.signal") && !form.shows("p.listeners"));
    let typed = [("p.subject", "the <invoice>"), ("p.sender", " ")];
    let made = fill_in(&mut browser, &form, &typed, "make:request").await;
    assert_eq!(made.status, StatusCode::OK);
    assert!(made.shows("the &lt;invoice&gt;") && made.shows("name of the one who writes"));
    assert!(made.shows("/assets/document.css?v=") && !made.shows("<style"));
    assert!(
        made.header("content-security-policy")
            .contains("style-src 'self'")
    );
    // One that does not go with the answers is not there.
    let other = press(&mut browser, PATH, &page, &[], "document:house-rules").await;
    assert_eq!(other.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_refusal_by_a_government_body_needs_its_reason_on_the_page_too() {
    let site = empty_site();
    let mut browser = Browser::new(&site);
    let answers: [&[&str]; 3] = [&["refuse_recording"], &["government_body"], &["both"]];
    let page = answer(&mut browser, PATH, &answers).await;
    assert!(page.shows("document:refusal"), "{}", page.text());
    let form = press(&mut browser, PATH, &page, &[], "document:refusal").await;
    let wrong = fill_in(
        &mut browser,
        &form,
        &[("p.talk_day", "soon")],
        "make:refusal",
    )
    .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.shows("href=\"#p-talk_day\""), "{}", wrong.text());
    let wrong = fill_in(
        &mut browser,
        &form,
        &[("p.reason", "a neighbour")],
        "make:refusal",
    )
    .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.shows("href=\"#p-alternative\"") && wrong.shows("a neighbour"));
    let typed = [("p.reason", "a neighbour"), ("p.alternative", "minutes")];
    let made = fill_in(&mut browser, &form, &typed, "make:refusal").await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text());
    assert!(made.shows("a neighbour") && !made.shows("answered in the interview"));
}
