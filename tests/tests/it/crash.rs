//! `kill -9` in the middle of calls: at most half a second is lost, and nothing needs repair.

use crate::support::{Server, endless_call, pause, setting, voicelog, write_config};
use std::time::Duration;
use voicelog_src_sim::{RunningCall, place};
use voicelog_tests::fuzz_smoke::Dice;

/// Kills, unless `cargo xtask crash` says how many.
const KILLS: u64 = 50;
/// After so many a new archive is begun: each check looks at everything that there is.
const KILLS_PER_ARCHIVE: u64 = 50;
const CALLS: usize = 6;
/// Half a second of packets of 20 ms.
const LOST_PACKETS_MAX: u64 = 25;

#[test]
fn kills_at_random_moments_lose_at_most_half_a_second_each_and_every_archive_passes_the_check() {
    let kills = setting("VOICELOG_KILLS").map_or(KILLS, |text| text.parse().unwrap());
    let mut dice = Dice::new(setting("VOICELOG_SEED").map_or(1, |text| text.parse().unwrap()));
    let mut worst = 0;
    for begin in (0..kills).step_by(usize::try_from(KILLS_PER_ARCHIVE).unwrap()) {
        let folder = tempfile::tempdir().unwrap();
        let config = write_config(folder.path(), "");
        for kill in begin..kills.min(begin + KILLS_PER_ARCHIVE) {
            let before = usize::try_from(kill - begin).unwrap() * CALLS;
            let lost = one_kill(&config, kill, before, &mut dice);
            worst = worst.max(lost);
        }
        println!(
            "{} kills, worst loss so far {} ms",
            kills.min(begin + KILLS_PER_ARCHIVE),
            worst * 20
        );
    }
}

/// Kills the server among calls that begin, run and end; gives the packets lost by the stream that
/// lost most. `before`: recordings that the archive already has.
fn one_kill(config: &std::path::Path, kill: u64, before: usize, dice: &mut Dice) -> u64 {
    let mut server = Server::start(config);
    let mut calls = Vec::new();
    for _call in 0..CALLS {
        calls.push(place(&endless_call(server.sip)).unwrap());
        pause(Duration::from_millis(
            u64::try_from(dice.below(60)).unwrap(),
        ));
    }
    pause(Duration::from_millis(
        300 + u64::try_from(dice.below(700)).unwrap(),
    ));
    // Every other time some calls have just ended, so that the kill falls into their closing.
    let ending = if kill.is_multiple_of(2) {
        0
    } else {
        dice.below(CALLS)
    };
    let mut sent: Vec<Vec<u64>> = Vec::new();
    let mut rest = Vec::new();
    for (place, call) in calls.into_iter().enumerate() {
        if place < ending {
            sent.push(
                call.hang_up()
                    .unwrap()
                    .streams
                    .iter()
                    .map(|s| s.sent.packets)
                    .collect(),
            );
        } else {
            rest.push(call);
        }
    }
    pause(Duration::from_millis(
        u64::try_from(dice.below(40)).unwrap(),
    ));
    sent.extend(rest.iter().map(sent_now));
    server.kill();
    drop(rest);

    let mut server = Server::start(config);
    let mut worst = 0;
    let rows = server.list();
    // Every call was answered before the kill, so each has its recording.
    assert_eq!(rows.len(), before + CALLS, "kill {kill}: a call is missing");
    for (call, row) in rows.iter().take(CALLS).rev().enumerate() {
        let id = row["id"].as_str().unwrap();
        assert_eq!(row["state"], "sealed", "kill {kill}: {row}");
        let shown = server.recording(id);
        for (stream, sent) in sent[call].iter().enumerate() {
            let kept = shown["timeline"]["streams"][stream]["packets"]
                .as_u64()
                .unwrap();
            let lost = sent.saturating_sub(kept);
            worst = worst.max(lost);
            assert!(
                lost <= LOST_PACKETS_MAX,
                "kill {kill}: {sent} packets were sent and {kept} are kept"
            );
        }
    }
    let check = voicelog(&["check", "--level", "hash", "--config", server.config()]);
    let said = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(check.status.success(), "kill {kill}: {said}");
    assert!(server.terminate().success());
    worst
}

fn sent_now(call: &RunningCall) -> Vec<u64> {
    call.status()
        .streams
        .iter()
        .map(|stream| stream.sent.packets)
        .collect()
}
