//! What went wrong with other people's recorders, tried on this one. The list with the reports is
//! `ref/pains.md`; most of its tests are in the rooms that they are about.

use crate::sipp;
use crate::support::{
    LINE, Server, binary, endless_call, is_root, pause, voicelog_json, write_config,
    write_config_with, write_file,
};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use voicelog_src_sim::place;

/// Bytes of an XML comment that makes an INVITE longer than any packet of an Ethernet.
const PADDING: usize = 20_000;

#[test]
fn an_invite_in_ip_fragments_is_read_whole() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_config(folder.path(), "");
    let server = Server::start_on_narrow_network(&config);
    let scenario = std::fs::read_to_string(sipp::repository("tests/sipp/record.xml")).unwrap();
    // The participants stand behind the padding: an INVITE cut short names nobody.
    let padding = format!(
        "<datamode>complete</datamode>\n<!-- {} -->",
        "x".repeat(PADDING)
    );
    let long = scenario.replace("<datamode>complete</datamode>", &padding);
    assert_ne!(long, scenario);
    // One second of media is enough here.
    let long = long.replace("milliseconds=\"13000\"", "milliseconds=\"1500\"");
    let path = folder.path().join("long.xml");
    write_file(&path, &long);
    sipp::run(folder.path(), &server, "u1", &path);
    let rows = server.wait_for_closed(1);
    let id = rows[0]["id"].as_str().unwrap();
    let shown = voicelog_json(&["show", id, "--json", "--config", server.config()]);
    assert_eq!(shown["timeline"]["streams"].as_array().unwrap().len(), 2);
    // It was permitted, so both participants were read: nobody else is known to be in the country.
    assert_eq!(rows[0]["state"], "sealed", "{shown:#}");
    assert!(
        server.reassembled() > 0,
        "nothing was fragmented on the way"
    );
}

#[test]
fn after_a_hold_of_sixteen_seconds_the_recording_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_config(folder.path(), "");
    let server = Server::start(&config);
    let call = place(&endless_call(server.sip)).unwrap();
    pause(Duration::from_millis(600));
    assert_eq!(call.pause().unwrap(), 200);
    pause(Duration::from_secs(16));
    assert_eq!(call.resume().unwrap(), 200);
    pause(Duration::from_millis(600));
    let report = call.hang_up().unwrap();
    let rows = server.wait_for_closed(1);
    assert_eq!(rows[0]["verdict"], "whole_with_declared_gaps");
    let id = rows[0]["id"].as_str().unwrap();
    let shown = voicelog_json(&["show", id, "--json", "--config", server.config()]);
    for (kept, sent) in shown["timeline"]["streams"]
        .as_array()
        .unwrap()
        .iter()
        .zip(&report.streams)
    {
        // What is sent before the law has answered that the hold is over still belongs to it: on a slow disk a few.
        let kept_packets = kept["packets"].as_u64().unwrap();
        assert!(
            (1..=25).contains(&(sent.sent.packets + 1 - kept_packets)),
            "{kept}"
        );
        assert_eq!(kept["lost"], 0);
        let paused = kept["intervals"].as_array().unwrap().iter();
        let paused: u64 = paused
            .filter(|interval| interval["kind"] == "paused")
            .map(|i| i["end_us"].as_u64().unwrap() - i["start_us"].as_u64().unwrap())
            .sum();
        assert!(paused >= 15_900_000, "{kept}");
    }
}

#[test]
fn media_on_the_highest_ports_is_recorded_as_on_any() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_config_with(folder.path(), "", "", (64_000, 65_535));
    let server = Server::start(&config);
    let mut plan = endless_call(server.sip);
    plan.duration = Some(Duration::from_secs(1));
    let report = place(&plan).unwrap().finish().unwrap();
    let answer = report.answer.unwrap();
    let ports = answer
        .streams
        .iter()
        .map(|stream| stream.address.unwrap().port());
    assert!(
        ports.clone().all(|port| port >= 64_000),
        "{:?}",
        ports.collect::<Vec<_>>()
    );
    let rows = server.wait_for_closed(1);
    assert_eq!(rows[0]["verdict"], "whole", "line {LINE}");
}

impl Server {
    /// Starts the server in a network of its own, whose packets are as long as an Ethernet's.
    fn start_on_narrow_network(config: &Path) -> Self {
        let start = format!(
            "ip link set dev lo mtu 1500 up && exec '{}' serve --lang en --config '{}'",
            binary().display(),
            config.display()
        );
        let mut command = Command::new("unshare");
        if !is_root() {
            command.args(["--user", "--map-root-user"]);
        }
        command.args(["--net", "sh", "-c", &start]);
        let mut server = Self::start_with(command, config);
        server.enter_network();
        server
    }

    /// Datagrams that the kernel put together from fragments in the server's network.
    fn reassembled(&self) -> u64 {
        let mut command = Command::new("nsenter");
        command.args(self.enter.as_deref().unwrap_or_default());
        let output = command.args(["cat", "/proc/net/snmp"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let mut lines = text.lines().filter(|line| line.starts_with("Ip:"));
        let (names, values) = (lines.next().unwrap(), lines.next().unwrap());
        let mut both = names.split_whitespace().zip(values.split_whitespace());
        let (_, count) = both.find(|(name, _)| *name == "ReasmOKs").unwrap();
        count.parse().unwrap()
    }
}
