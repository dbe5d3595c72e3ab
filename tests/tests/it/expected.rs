//! The telephone system's list, held against what the built program recorded of real calls.

use crate::support::{
    LINE, Server, endless_call, voicelog, voicelog_json, write_config, write_file,
};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;
use voicelog_src_sim::place;

/// A call of three seconds, and when it began.
fn call(server: &Server) -> String {
    let mut plan = endless_call(server.sip);
    plan.duration = Some(Duration::from_secs(3));
    place(&plan).unwrap().finish().unwrap();
    let rows = server.list();
    rows[0]["started_at"].as_str().unwrap().to_owned()
}

fn report(list: &Path, text: &str, server: &Server) -> Value {
    write_file(list, text);
    voicelog_json(&[
        "expected",
        list.to_str().unwrap(),
        "--json",
        "--config",
        server.config(),
    ])
}

#[test]
fn what_was_recorded_is_found_in_the_list_and_what_was_not_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_config(folder.path(), "");
    let server = Server::start(&config);
    let started = call(&server);
    let list = folder.path().join("calls.csv");
    let head = "start;billsec;src;dst;uniqueid\n";
    let found = format!("{started};3;0201234567;{LINE};a\n");

    let clean = report(&list, &format!("{head}{found}"), &server);
    assert_eq!(clean["clean"], true, "{clean}");
    let text = voicelog(&[
        "expected",
        list.to_str().unwrap(),
        "--config",
        server.config(),
    ]);
    assert_eq!(text.status.code(), Some(0));

    let missing = format!(
        "{head}{found}{started};3;0301112222;0302223333;b\n{started};30;0201234567;{LINE};c\n"
    );
    let report = report(&list, &missing, &server);
    let line = |number: usize, name: &str| {
        report["lines"][number][name]
            .as_str()
            .unwrap_or("-")
            .to_owned()
    };
    assert_eq!(
        (line(0, "id"), line(0, "found"), line(0, "cause")),
        ("b".into(), "in_progress".into(), "too_recent".into()),
        "{report}"
    );
    assert_eq!(
        (line(1, "id"), line(1, "found"), line(1, "cause")),
        ("c".into(), "short".into(), "ended_early".into()),
        "{report}"
    );
    let text = voicelog(&[
        "expected",
        list.to_str().unwrap(),
        "--config",
        server.config(),
    ]);
    assert_eq!(text.status.code(), Some(1));
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(
        !text.contains("0201234567") && !text.contains("0301112222"),
        "{text}"
    );
}

#[test]
fn a_call_that_is_explained_perhaps_has_an_exit_status_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_config(folder.path(), "");
    let server = Server::start(&config);
    let mut plan = endless_call(server.sip);
    plan.request_user = "verkop".to_owned();
    plan.duration = Some(Duration::from_secs(1));
    place(&plan).unwrap().finish().unwrap();
    let rows = server.list();
    let started = rows[0]["started_at"].as_str().unwrap();
    let list = folder.path().join("calls.csv");
    let head = "start;billsec;src;dst;line\n";
    let told = |line: &str| {
        let text = format!("{head}{started};1;0301112222;0302223333;{line}\n");
        let report = report(&list, &text, &server);
        let output = voicelog(&[
            "expected",
            list.to_str().unwrap(),
            "--no-webhooks",
            "--config",
            server.config(),
        ]);
        (report["lines"][0].clone(), output.status.code())
    };
    let (line, status) = told("verkop");
    assert_eq!(
        (line["found"].as_str(), line["cause"].as_str(), status),
        (Some("perhaps"), Some("line_not_set_up"), Some(4)),
        "{line}"
    );
    // On a line that is set up, what was called by mistake explains nothing.
    let (line, status) = told(LINE);
    assert_eq!(
        (line["found"].as_str(), status),
        (Some("in_progress"), Some(0)),
        "{line}"
    );
}

#[test]
fn a_list_that_is_no_list_is_bad_input() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_config(folder.path(), "");
    let _server = Server::start(&config);
    let list = folder.path().join("calls.csv");
    write_file(&list, "name,colour\nx,red\n");
    let config = config.to_str().unwrap();
    for file in [list.to_str().unwrap(), "/no/such/file.csv"] {
        let output = voicelog(&["expected", file, "--config", config]);
        assert_eq!(output.status.code(), Some(2), "{file}");
    }
}
