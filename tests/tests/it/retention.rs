//! Terms that end, with the real program.

use crate::support::{FACTS, Server, voicelog, voicelog_json, write_config, write_file};
use std::time::Duration;
use voicelog_src_sim::{CallPlan, place};

#[test]
fn what_a_statute_forbids_is_counted_with_its_article_before_anything_happens() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_config(folder.path(), "");
    // A term of a day was chosen, and a statute demands years.
    let text = std::fs::read_to_string(&config).unwrap();
    let facts = FACTS
        .replace("\"bewijs_overeenkomst\"", "\"wettelijke_plicht\"")
        .replace("legal_basis = \"b\"", "legal_basis = \"c\"")
        .replace("\"P5Y\"", "\"P1D\"")
        + "statutory_duty_ref = \"BGfo 35\"\nsector = \"finance_investment\"\n";
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
