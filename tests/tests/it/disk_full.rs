//! A full disk: new calls get 503, calls in progress keep what they have and say where they
//! stopped, and once there is room everything is closed.
//!
//! The server runs in a mount namespace of its own with a small memory file system for its data,
//! so the disk of the machine stays out of it. As an ordinary user the namespace comes with a
//! user namespace.

use crate::support::{LINE, Server, endless_call, is_root, pause, write_config};
use std::process::Command;
use std::time::Duration;
use voicelog_src_sim::{SimError, place};

/// Enough to fill the small disk, twice over, in a quarter of a minute: the spool holds a second copy
/// of what is new, and gives its room up when there is none left.
const CALLS: usize = 48;

#[test]
fn a_full_disk_refuses_new_calls_and_costs_calls_in_progress_nothing_they_had() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_config(folder.path(), "");
    let data = folder.path().join("data");
    let mut server = Server::start_on_small_disk(&config, &data, "9m");
    let calls: Vec<_> = (0..CALLS)
        .map(|_call| place(&endless_call(server.sip)).unwrap())
        .collect();
    // They fill what is left within seconds.
    let mut refused = None;
    for _second in 0..60 {
        pause(Duration::from_secs(1));
        match place(&endless_call(server.sip)) {
            Err(SimError::Refused {
                status,
                retry_after,
                ..
            }) => {
                refused = Some((status, retry_after));
                break;
            }
            Ok(call) => drop(call),
            Err(other) => panic!("{other}"),
        }
    }
    let (status, retry_after) = refused.expect("a full disk should refuse new calls");
    assert_eq!(status, 503);
    assert!(retry_after.is_some(), "a 503 says when to try again");
    // The calls in progress go on until not a byte more fits.
    pause(Duration::from_secs(16));
    for call in calls {
        call.hang_up().unwrap();
    }
    server.enlarge_disk(&data, "64m");
    let rows = server.wait_for_closed(CALLS);
    let sealed: Vec<_> = rows.iter().filter(|row| row["state"] == "sealed").collect();
    assert!(sealed.len() >= CALLS, "{}", sealed.len());
    let stopped = sealed
        .iter()
        .filter(|row| row["verdict"] == "cut_short")
        .count();
    assert!(stopped > 0, "some calls should say that the disk was full");
    assert!(
        sealed.iter().all(|row| row["verdict"] != "undeclared_gap"),
        "{sealed:?}"
    );
    let check = server.voicelog(&["check", "--level", "hash"]);
    assert!(
        check.status.success(),
        "{}",
        String::from_utf8_lossy(&check.stdout)
    );
    // And calls are taken again.
    let again = place(&endless_call(server.sip)).unwrap_or_else(|error| panic!("{LINE}: {error}"));
    again.hang_up().unwrap();
    assert!(server.terminate().success());
}

impl Server {
    /// Starts the server with a memory file system of that size as its data folder.
    fn start_on_small_disk(config: &std::path::Path, data: &std::path::Path, size: &str) -> Self {
        std::fs::create_dir_all(data).unwrap();
        let mount = format!(
            "mount -t tmpfs -o size={size},mode=700 tmpfs '{}' && exec '{}' serve --lang en --config '{}'",
            data.display(),
            crate::support::binary().display(),
            config.display()
        );
        let mut command = Command::new("unshare");
        if !is_root() {
            command.args(["--user", "--map-root-user"]);
        }
        command.args(["--mount", "--propagation", "private", "sh", "-c", &mount]);
        let mut server = Self::start_with(command, config);
        let mut enter = vec!["--target".to_owned(), server.child.id().to_string()];
        enter.push("--mount".to_owned());
        if !is_root() {
            enter.extend(["--user".to_owned(), "--preserve-credentials".to_owned()]);
        }
        server.enter = Some(enter);
        server
    }

    fn enlarge_disk(&self, data: &std::path::Path, size: &str) {
        let mut command = Command::new("nsenter");
        command.args(self.enter.as_deref().unwrap_or_default());
        command
            .args(["mount", "-o", &format!("remount,size={size}")])
            .arg(data);
        assert!(
            command.status().unwrap().success(),
            "cannot enlarge the small disk"
        );
    }
}
