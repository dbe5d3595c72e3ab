//! `kill -9` in the middle of calls: at most half a second is lost, and nothing needs repair.

use crate::support::{Server, endless_call, pause, voicelog, voicelog_json, write_config};
use std::time::Duration;
use voicelog_src_sim::place;

const ROUNDS: u64 = 20;
const CALLS: usize = 2;
/// Half a second of packets of 20 ms.
const LOST_PACKETS_MAX: u64 = 25;

#[test]
fn twenty_kills_lose_at_most_half_a_second_each_and_every_archive_passes_the_check() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_config(folder.path(), "");
    let mut worst = 0;
    for round in 0..ROUNDS {
        let mut server = Server::start(&config);
        let calls: Vec<_> = (0..CALLS)
            .map(|_call| place(&endless_call(server.sip)).unwrap())
            .collect();
        // Different every round, the same in every run.
        pause(Duration::from_millis(700 + (round * 7_919) % 1_300));
        let sent: Vec<Vec<u64>> = calls.iter().map(sent_now).collect();
        server.kill();
        drop(calls);

        let mut server = Server::start(&config);
        let rows = server.list();
        for (call, row) in rows.iter().take(CALLS).rev().enumerate() {
            let id = row["id"].as_str().unwrap();
            assert_eq!(row["state"], "sealed", "round {round}: {row}");
            let shown = voicelog_json(&["show", id, "--json", "--config", server.config()]);
            for (stream, sent) in sent[call].iter().enumerate() {
                let kept = shown["timeline"]["streams"][stream]["packets"]
                    .as_u64()
                    .unwrap();
                let lost = sent.saturating_sub(kept);
                worst = worst.max(lost);
                assert!(
                    lost <= LOST_PACKETS_MAX,
                    "round {round}: {sent} packets were sent and {kept} are kept"
                );
            }
        }
        let check = voicelog(&["check", "--level", "hash", "--config", server.config()]);
        let said = String::from_utf8_lossy(&check.stdout).into_owned();
        assert!(check.status.success(), "round {round}: {said}");
        assert!(server.terminate().success());
    }
    println!("worst loss in {ROUNDS} kills: {} ms", worst * 20);
}

fn sent_now(call: &voicelog_src_sim::RunningCall) -> Vec<u64> {
    call.status()
        .streams
        .iter()
        .map(|stream| stream.sent.packets)
        .collect()
}
