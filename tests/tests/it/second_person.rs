//! A second person for what cannot be undone, through the built program: two people in two browsers, a house rule, and
//! a command that neither is.

use crate::support::{Server, voicelog_json, write_config};
use std::cell::RefCell;
use std::collections::BTreeMap;
use voicelog_src_sim::{CallPlan, place};

/// The example has a rule that nobody destroys a recording alone.
const HOUSE_RULES: &str = concat!(
    "[law]\nhouse_rules = \"",
    env!("CARGO_MANIFEST_DIR"),
    "/../examples/house-rules\"\n"
);
const PASSWORD: &str = "paard accu nietje batterij";

/// Somebody with a browser.
struct Person<'a> {
    server: &'a Server,
    agent: ureq::Agent,
    cookies: RefCell<BTreeMap<String, String>>,
}

impl<'a> Person<'a> {
    fn new(server: &'a Server) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .build();
        Self {
            server,
            agent: agent.into(),
            cookies: RefCell::default(),
        }
    }

    fn keep(&self, mut answer: ureq::http::Response<ureq::Body>) -> (u16, String, String) {
        for set in answer.headers().get_all("set-cookie") {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let mut cookies = self.cookies.borrow_mut();
            cookies.insert(name.to_owned(), value.to_owned());
        }
        let to = answer.headers().get("location");
        let to = to.map_or("", |to| to.to_str().unwrap()).to_owned();
        let text = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), to, text)
    }

    fn cookie(&self) -> String {
        let cookies = self.cookies.borrow();
        let pairs = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    fn get(&self, path: &str) -> String {
        let request = self.agent.get(format!("{}{path}", self.server.http));
        let request = request.header("cookie", self.cookie());
        let answer = request.header("accept-language", "en").call().unwrap();
        self.keep(answer).2
    }

    /// Sends the form of a page; the status, where it leads, and what it shows.
    fn post(&self, from: &str, path: &str, fields: &[(&str, &str)]) -> (u16, String, String) {
        let page = self.get(from);
        let token = between(&page, "name=\"form_token\" value=\"", "\"").to_owned();
        let mut fields = fields.to_vec();
        fields.push(("form_token", &token));
        let request = self.agent.post(format!("{}{path}", self.server.http));
        let request = request.header("cookie", self.cookie());
        let request = request.header("accept-language", "en");
        self.keep(request.send_form(fields).unwrap())
    }

    /// Makes an account by a link, and signs in with it.
    fn begin(&self, link: &str, name: &str) {
        let path = link.strip_prefix(&self.server.http).unwrap();
        let fields = [("name", name), ("password", PASSWORD), ("again", PASSWORD)];
        let (status, to, page) = self.post(path, path, &fields);
        assert_eq!((status, to.as_str()), (303, "/"), "{page}");
    }
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    let after = text
        .split_once(start)
        .unwrap_or_else(|| panic!("no {start} in {text}"));
    after.1.split_once(end).unwrap().0
}

/// A recording whose term runs, in an archive of a house where nobody destroys alone. Its server has stopped.
fn recorded(config: &std::path::Path) -> String {
    let mut server = Server::start(config);
    place(&CallPlan::speech(server.sip, crate::support::LINE))
        .unwrap()
        .finish()
        .unwrap();
    let id = server.wait_for_closed(1)[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(server.terminate().success());
    id
}

#[test]
fn where_the_house_demands_it_two_accounts_destroy_what_neither_a_command_nor_one_of_them_can() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_config(folder.path(), HOUSE_RULES);
    let id = recorded(&config);
    let destroy = ["destroy", &id, "--yes", "--lang", "en", "--config"];
    let refused = crate::support::voicelog(&[&destroy[..], &[config.to_str().unwrap()]].concat());
    assert_eq!(refused.status.code(), Some(3), "{refused:?}");
    let told = String::from_utf8_lossy(&refused.stdout);
    assert!(
        told.contains("only once a second person has confirmed it"),
        "{told}"
    );
    assert!(told.contains("put it to a colleague"), "{told}");

    let mut server = Server::start(&config);
    let link = server
        .printed
        .iter()
        .find_map(|line| line.split("begin: ").nth(1));
    let link = link.unwrap().to_owned();
    let (beheer, anna) = (Person::new(&server), Person::new(&server));
    beheer.begin(&link, "beheer");
    let (status, _, page) = beheer.post("/accounts", "/accounts", &[("name", "anna")]);
    assert_eq!(status, 200, "{page}");
    anna.begin(between(&page, "<pre>", "</pre>"), "anna");

    let path = format!("/recordings/{id}/destroy");
    let (status, _, page) = beheer.post(&path, &path, &[("confirm", "before_term")]);
    assert_eq!(status, 403, "{page}");
    let path = format!("/recordings/{id}/propose");
    assert!(page.contains(&path));
    let why = [("reason", "the customer asked for it")];
    let (status, proposal, page) = beheer.post(&path, &path, &why);
    assert_eq!(status, 303, "{page}");
    let yes = [("answer", "confirm")];
    assert_eq!(
        beheer.post(&proposal, &proposal, &yes).0,
        409,
        "not twice the same"
    );
    assert!(anna.get(&proposal).contains("the customer asked for it"));
    let (status, to, page) = anna.post(&proposal, &proposal, &yes);
    assert_eq!((status, to), (303, format!("/recordings/{id}")), "{page}");
    assert_eq!(server.recording(&id)["state"], "destroyed");
    let log = anna.get("/log");
    for told in [
        "Account made",
        "Destruction proposed",
        "Destruction confirmed",
        "Destroyed",
    ] {
        assert!(log.contains(&format!("{told}</td>")), "{told}: {log}");
    }
    assert!(server.terminate().success());
    let checked = ["check", "--level", "hash", "--json", "--config"];
    let checked = voicelog_json(&[&checked[..], &[config.to_str().unwrap()]].concat());
    assert_eq!(checked["holds"], true, "{checked:#}");
}
