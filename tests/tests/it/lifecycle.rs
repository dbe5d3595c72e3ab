//! Starting without anything, stopping in the middle of a call, starting again.

use crate::support::{Server, endless_call, pause, voicelog_json, write_config};
use std::time::Duration;
use voicelog_src_sim::place;

#[test]
fn a_first_start_makes_folder_keys_and_a_one_time_link_and_lets_nobody_else_in() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_config(folder.path(), "");
    let server = Server::start(&config);
    let link = server
        .printed
        .iter()
        .find_map(|line| line.split("begin: ").nth(1))
        .expect("there should be a set-up link");
    let page = ureq::get(link).call().unwrap();
    assert_eq!(page.status(), 200);
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .build()
        .into();
    let list = agent.get(format!("{}/", server.http)).call().unwrap();
    assert_ne!(list.status(), 200, "the list is not for strangers");
    let secrets = folder.path().join("data/secrets");
    for entry in std::fs::read_dir(&secrets).unwrap() {
        use std::os::unix::fs::PermissionsExt;
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "a secret is for its owner alone");
    }
}

#[test]
fn a_second_server_on_the_same_folder_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_config(folder.path(), "");
    let _first = Server::start(&config);
    let second = crate::support::voicelog(&["serve", "--config", config.to_str().unwrap()]);
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("a voicelog server is running"));
}

#[test]
fn a_clean_stop_finishes_the_call_in_progress_and_says_so_on_its_timeline() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_config(folder.path(), "");
    let mut server = Server::start(&config);
    let mut plan = endless_call(server.sip);
    plan.duration = Some(Duration::from_secs(3));
    let call = place(&plan).unwrap();
    pause(Duration::from_secs(1));
    // The call ends by itself while the server waits for it.
    let finished = std::thread::spawn(move || call.finish());
    assert!(server.terminate().success());
    let report = finished.join().unwrap().unwrap();

    let server = Server::start(&config);
    let rows = server.list();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["state"], "sealed");
    assert!(
        rows[0]["verdict"].as_str().unwrap().starts_with("whole"),
        "{}",
        rows[0]
    );
    let id = rows[0]["id"].as_str().unwrap();
    let shown = voicelog_json(&["show", id, "--json", "--config", server.config()]);
    for (stream, sent) in report.streams.iter().enumerate() {
        let kept = shown["timeline"]["streams"][stream]["packets"]
            .as_u64()
            .unwrap();
        assert_eq!(kept, sent.sent.packets);
    }
}
