//! Terms that end, with the real program.

use crate::support::{FACTS, Server, voicelog, voicelog_json, write_config, write_file};
use serde_json::Value;
use std::path::Path;
use std::process::Output;
use std::time::Duration;
use voicelog_src_sim::{CallPlan, place};

#[test]
fn what_a_statute_forbids_is_counted_with_its_article_before_anything_happens() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_config(folder.path(), "");
    let text = std::fs::read_to_string(&config).unwrap();
    let facts = FACTS
        .replace("\"bewijs_overeenkomst\"", "\"wettelijke_plicht\"")
        .replace("legal_basis = \"b\"", "legal_basis = \"c\"")
        + "statutory_duty_ref = \"BGfo 35\"\nsector = \"finance_investment\"\n";
    // A term of a day where a statute demands years is no configuration.
    let short = facts.replace("\"P5Y\"", "\"P1D\"");
    write_file(&config, &text.replace(FACTS, &short));
    let refused = voicelog(&["check", "--config", config.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(2));
    let why = String::from_utf8_lossy(&refused.stderr);
    assert!(
        why.contains("2017/565 art. 76 lid 11") && why.contains("retention_term = \"P5Y\""),
        "{why}"
    );
    write_file(&config, &text.replace(FACTS, &facts));
    let mut server = Server::start(&config);
    let mut plan = CallPlan::speech(server.sip, crate::support::LINE);
    plan.duration = Some(Duration::from_secs(1));
    place(&plan).unwrap().finish().unwrap();
    let rows = server.wait_for_closed(1);
    assert_eq!(rows[0]["state"], "sealed", "{}", rows[0]);
    assert!(server.terminate().success());

    let config = config.to_str().unwrap();
    let preview = |until: &str| {
        voicelog_json(&[
            "retention",
            "preview",
            "--json",
            "--until",
            until,
            "--config",
            config,
        ])
    };
    let now = preview("2026-01-01T00:00:00Z");
    assert_eq!(
        (&now["destroyed"], &now["refused"]),
        (&0.into(), &0.into()),
        "{now:#}"
    );
    assert!(now["next"].is_string());
    let later = preview("2099-01-01T00:00:00Z");
    assert_eq!(
        (&later["destroyed"], &later["refused"]),
        (&0.into(), &1.into()),
        "{later:#}"
    );
    let alike = &later["alike"][0];
    assert_eq!(alike["purpose"], "wettelijke_plicht");
    assert_eq!(
        (&alike["retention_term"], &alike["floor"]["length"]),
        (&"P5Y".into(), &"P5Y".into())
    );
    assert!(
        !alike["refusals"][0]["articles"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    let asked = voicelog(&["retention", "run", "--json", "--config", config]);
    assert!(asked.status.success(), "nothing is due today");
    assert_eq!(asked.stdout, b"[]\n");
}

/// A folder with an archive in which one recording was destroyed, before its term.
struct Destroyed {
    folder: tempfile::TempDir,
    config: String,
    id: String,
}

impl Destroyed {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = write_config(folder.path(), "");
        let mut server = Server::start(&config);
        let mut plan = CallPlan::speech(server.sip, crate::support::LINE);
        plan.duration = Some(Duration::from_secs(1));
        place(&plan).unwrap().finish().unwrap();
        let rows = server.wait_for_closed(1);
        assert!(server.terminate().success());
        let made = Self {
            folder,
            config: config.to_str().unwrap().to_owned(),
            id: rows[0]["id"].as_str().unwrap().to_owned(),
        };
        let early = made.run(&["certificate", &made.id]);
        assert_eq!(early.status.code(), Some(2), "it is not destroyed");
        let destroyed = made.run(&["destroy", &made.id, "--yes"]);
        assert!(destroyed.status.success(), "{destroyed:?}");
        made
    }

    fn run(&self, arguments: &[&str]) -> Output {
        voicelog(&[arguments, &["--config", &self.config][..]].concat())
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }
}

#[test]
fn a_declaration_of_destruction_is_written_in_each_form_and_checked_without_the_archive() {
    let made = Destroyed::new();
    let told = made.run(&["certificate", &made.id, "--json"]);
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    let log_key = told["log_key"].as_str().unwrap().to_owned();
    let was = &told["destroyed"][0]["statement"]["was"];
    assert_eq!(was["purpose"], "bewijs_overeenkomst", "{told:#}");
    assert_eq!(was["asked_by_account"], true);
    for (name, begins) in [("d.pdf", "%PDF"), ("d.html", "<!doctype")] {
        let file = made.file(name);
        let written = made.run(&["certificate", &made.id, "-o", &file, "--lang", "en"]);
        assert!(written.status.success(), "{written:?}");
        let bytes = std::fs::read(file).unwrap();
        assert!(bytes.starts_with(begins.as_bytes()), "{name}");
    }
    // Paper brings what it can be checked with; by itself that is the same.
    let beside = std::fs::read(made.file("d.txt")).unwrap();
    assert!(beside.starts_with(b"voicelog-destruction/v1"));
    let (again, alone) = (made.file("d.txt"), made.file("alone.txt"));
    let refused = made.run(&["certificate", &made.id, "-o", &again]);
    assert_eq!(refused.status.code(), Some(2), "nothing is written over");
    assert!(
        made.run(&["certificate", &made.id, "-o", &alone])
            .status
            .success()
    );
    assert_eq!(std::fs::read(alone).unwrap(), beside);
    let page = std::fs::read_to_string(made.file("d.html")).unwrap();
    assert!(page.contains("Declaration of destruction"));
    assert!(page.contains("Somebody asked for its destruction"));
    // Neither archive nor configuration is at hand.
    let check = |name: &str| {
        let file = made.file(name);
        voicelog(&["certificate", "--check", &file, "--log-key", &log_key])
    };
    for name in ["d.txt", "d.html"] {
        let checked = check(name);
        assert!(checked.status.success(), "{checked:?}");
        let text = std::fs::read_to_string(made.file(name)).unwrap();
        let changed = text.replace("bewijs_overeenkomst", "klacht");
        write_file(Path::new(&made.file(name)), &changed);
        assert_eq!(check(name).status.code(), Some(1), "{name}");
    }
    let paper = check("d.pdf");
    assert_eq!(
        paper.status.code(),
        Some(2),
        "its certificates are a file of their own"
    );
}

#[test]
fn all_that_was_destroyed_in_a_time_is_declared_and_checked_together() {
    let made = Destroyed::new();
    let file = made.file("all.txt");
    let (from, to) = ("2026-01-01", "2099-01-01");
    let all = made.run(&["certificate", "--from", from, "--to", to, "-o", &file]);
    assert!(all.status.success(), "{all:?}");
    let checked = made.run(&["certificate", "--check", &file, "--json"]);
    let told: Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(told["holds"], true, "{told:#}");
    assert_eq!(told["certificates"].as_array().unwrap().len(), 1);
    let none = made.run(&["certificate", "--from", to, "--to", from]);
    assert_eq!(none.status.code(), Some(2));
}
