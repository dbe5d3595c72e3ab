//! baresip, a SIP telephone that is not ours, calls: by a plain call, as telephones that fork
//! their own media do. It is answered, waits without media, is asked for media by a re-INVITE of
//! ours once there is consent, and what it then sends is kept.
//!
//! It uses no loopback addresses, so it lives with the server in a network of its own.

use crate::sipp;
use crate::support::{LINE, Server, binary, is_root, now, pause, write_config_with, write_file};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use voicelog_src_sim::speech;

/// The address of both in that network.
const HERE: &str = "10.99.0.1";
/// A second of A-law.
const SECOND: usize = 8_000;

#[test]
fn baresip_waits_for_consent_is_asked_for_media_and_is_recorded_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let extra = format!("media_address = \"{HERE}\"\naccept_without_siprec = true");
    let config = write_config_with(folder.path(), "", &extra, (0, 0));
    let text = std::fs::read_to_string(&config).unwrap();
    write_file(
        &config,
        &text.replace("udp = \"127.0.0.1", &format!("udp = \"{HERE}")),
    );
    let server = Server::start_with_address(&config);
    let mut telephone = baresip(folder.path(), &server);

    let id = server.only_call();
    // Nobody says who takes part, so no country is known, and the strictest law waits for consent.
    let consent = r#"{"openness":"announced_and_agreed","consent_per_participant":{"p1":"given","p2":"given"}}"#;
    let answer = server.ask("POST", &format!("/v1/calls/{id}/facts"), consent);
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    pause(Duration::from_secs(4));
    // It hangs up when it is told to end.
    sipp::interrupt(&telephone);
    telephone.wait().unwrap();

    let rows = server.wait_for_closed(1);
    assert_eq!(rows[0]["state"], "sealed", "{rows:?}");
    assert_eq!(rows[0]["verdict"], "whole_with_declared_gaps");
    let kept = sipp::payload(folder.path(), &server, &id);
    assert!(kept.len() > SECOND, "{} bytes", kept.len());
    // It reads its file from the moment it is answered, and sends from the moment it is asked.
    let place = speech::AGENT
        .windows(SECOND)
        .position(|window| window == &kept[..SECOND]);
    let place = place.expect("the first second kept is a second of what it says");
    let said = speech::AGENT.get(place..).unwrap_or_default();
    let both = kept.len().min(said.len());
    assert_eq!(kept[..both], said[..both]);
}

/// Starts baresip with a file as its microphone; it dials at once.
fn baresip(folder: &Path, server: &Server) -> Child {
    let home = folder.join("baresip");
    std::fs::create_dir(&home).unwrap();
    let said = home.join("said.wav");
    let sox = Command::new("sox")
        .args(["-t", "al", "-r", "8000", "-c", "1"])
        .arg(sipp::repository("crates/src-sim/assets/agent.al"))
        .args(["-e", "signed", "-b", "16"])
        .arg(&said)
        .status()
        .expect("sox should be installed: cargo xtask test does that");
    assert!(sox.success());
    let modules = Path::new("/usr/lib/baresip/modules");
    let multiarch = format!(
        "/usr/lib/{}-linux-gnu/baresip/modules",
        std::env::consts::ARCH
    );
    let modules = if modules.exists() {
        modules
    } else {
        Path::new(&multiarch)
    };
    write_file(
        &home.join("config"),
        &format!(
            "module_path {}\nmodule g711.so\nmodule aufile.so\nmodule_app account.so\nmodule_app menu.so\n\
             sip_listen {HERE}:5080\nnet_interface voice0\naudio_source aufile,{}\naudio_player aufile,{}\n",
            modules.display(),
            said.display(),
            home.join("heard.wav").display()
        ),
    );
    let account = format!("<sip:+31201234567@{HERE}>;regint=0;audio_codecs=PCMA/8000/1\n");
    write_file(&home.join("accounts"), &account);
    write_file(&home.join("contacts"), "");
    let mut command = Command::new("nsenter");
    command.args(server.enter.as_deref().unwrap_or_default());
    command
        .args(["baresip", "-f"])
        .arg(&home)
        .args(["-e", &format!("/dial sip:{LINE}@{}", server.sip)])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("baresip should be installed: cargo xtask test does that")
}

impl Server {
    /// Starts the server in a network of its own with one address that is not loopback.
    fn start_with_address(config: &Path) -> Self {
        let start = format!(
            "ip link set lo up && ip link add voice0 type bridge && ip addr add {HERE}/24 dev voice0 && \
             ip link set voice0 up && ip route add default dev voice0 && exec '{}' serve --lang en --config '{}'",
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

    /// One request to the API from within the server's network: the whole answer.
    fn ask(&self, method: &str, path: &str, body: &str) -> String {
        let token = self.config.with_file_name("data/secrets/api-token");
        let token = std::fs::read_to_string(token).unwrap();
        let host = self.http.trim_start_matches("http://");
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            token.trim(),
            body.len()
        );
        let file = self.config.with_file_name("request");
        write_file(&file, &request);
        let (address, port) = host.split_once(':').unwrap();
        let mut command = Command::new("nsenter");
        command.args(self.enter.as_deref().unwrap_or_default());
        let script = "exec 3<>/dev/tcp/$0/$1; cat \"$2\" >&3; cat <&3";
        let output = command
            .args(["bash", "-c", script, address, port])
            .arg(&file)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// The id of the call in progress, once there is one and the law was asked.
    fn only_call(&self) -> String {
        let deadline = now() + Duration::from_secs(20);
        loop {
            let answer = self.ask("GET", "/v1/calls", "");
            if let Some((_, rest)) = answer.split_once("\"id\":\"") {
                return rest.split('"').next().unwrap().to_owned();
            }
            assert!(now() < deadline, "no call came: {answer}");
            pause(Duration::from_millis(100));
        }
    }
}
