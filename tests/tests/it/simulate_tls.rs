//! `voicelog simulate --transport tls` against the built program, with certificates that openssl made.

use crate::support::{LINE, Server, now, pause, voicelog, write_config_with, write_file};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

/// An issuer, a certificate of the server for 127.0.0.1 and one of a client, by openssl.
struct Papers {
    folder: tempfile::TempDir,
}

impl Papers {
    fn new(issuer: &str) -> Self {
        let papers = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        write_file(
            &papers.folder.path().join("leaf.ext"),
            "subjectAltName = IP:127.0.0.1, DNS:recorder.voorbeeld.example\n",
        );
        papers.openssl(&format!(
            "req -x509 {NEW_KEY} ca.key -out ca.pem -days 30 -subj /CN={issuer}"
        ));
        for name in ["server", "client"] {
            papers.openssl(&format!(
                "req {NEW_KEY} {name}.key -out {name}.csr -subj /CN={name}"
            ));
            papers.openssl(&format!(
                "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 \
                 -extfile leaf.ext -out {name}.pem"
            ));
        }
        papers
    }

    fn openssl(&self, arguments: &str) -> String {
        let output = Command::new("openssl")
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "openssl {arguments}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// As openssl prints it: `sha256 Fingerprint=AB:CD:…`.
    fn fingerprint(&self, name: &str) -> String {
        let said = self.openssl(&format!("x509 -noout -fingerprint -sha256 -in {name}"));
        said.trim().split_once('=').unwrap().1.to_owned()
    }

    /// A server that asks its clients for a certificate, and where it listens for TLS.
    fn server(&self, folder: &Path) -> (Server, SocketAddr) {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let sip = format!(
            "tls = \"{address}\"\ntls_certificate = \"{}\"\ntls_key = \"{}\"\ntls_client_ca = \"{}\"",
            self.path("server.pem"),
            self.path("server.key"),
            self.path("ca.pem"),
        );
        let config = write_config_with(folder, "", &sip, (0, 0));
        (Server::start(&config), address)
    }
}

/// A key of P-256 in a file of its own.
const NEW_KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout";

fn simulate(address: SocketAddr, arguments: &[&str]) -> (Output, String) {
    let address = address.to_string();
    let common = [
        "simulate",
        "--lang",
        "en",
        "--server",
        &address,
        "--line",
        LINE,
        "--seconds",
        "1",
        "--transport",
        "tls",
    ];
    let output = voicelog(&[&common[..], arguments].concat());
    let said = [&output.stdout[..], &output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    (output, said)
}

#[test]
fn calls_over_tls_with_srtp_are_kept_to_the_packet_by_issuer_by_name_and_by_fingerprint() {
    let (papers, folder) = (Papers::new("issuer"), tempfile::tempdir().unwrap());
    let (server, address) = papers.server(folder.path());
    let own = [
        "--tls-certificate",
        &papers.path("client.pem"),
        "--tls-key",
        &papers.path("client.key"),
    ];
    let ca = papers.path("ca.pem");
    let fingerprint = papers.fingerprint("server.pem");
    let trusts: [&[&str]; 3] = [
        &["--tls-ca", &ca],
        &["--tls-ca", &ca, "--tls-name", "recorder.voorbeeld.example"],
        &["--tls-fingerprint", &fingerprint],
    ];
    for trust in trusts {
        let suite = [
            "--srtp",
            "AES_CM_128_HMAC_SHA1_80",
            "--dialect",
            "all",
            "--config",
            server.config(),
        ];
        let (output, said) = simulate(address, &[trust, &own, &suite].concat());
        assert_eq!(output.status.code(), Some(0), "{trust:?}: {said}");
        assert!(
            said.ends_with("PASS\n") || said.contains("\nPASS\n"),
            "{said}"
        );
    }
    assert!(!server.events().contains_key("srtp_auth_failed"));
}

#[test]
fn a_server_that_is_not_believed_gets_no_call_and_its_fingerprint_is_told() {
    let (papers, folder) = (Papers::new("issuer"), tempfile::tempdir().unwrap());
    let (server, address) = papers.server(folder.path());
    let shown = papers.fingerprint("server.pem");
    let (ca, other) = (papers.path("ca.pem"), Papers::new("strange"));
    let (strange, foreign) = (other.path("ca.pem"), other.fingerprint("server.pem"));
    let cases: [(&[&str], &str); 4] = [
        (&[], "nobody is named who may have issued it"),
        (&["--tls-ca", &strange], "UnknownIssuer"),
        (
            &["--tls-ca", &ca, "--tls-name", "elders.example"],
            "not valid for name",
        ),
        (&["--tls-fingerprint", &foreign], "another certificate"),
    ];
    for (trust, why) in cases {
        let (output, said) = simulate(address, trust);
        assert_eq!(output.status.code(), Some(2), "{trust:?}: {said}");
        assert!(
            said.contains(why) && said.contains(&shown),
            "{trust:?}: {said}"
        );
    }
    assert_eq!(server.list().len(), 0);
}

#[test]
fn without_the_certificate_that_the_server_asks_for_the_test_fails_and_says_so() {
    let (papers, folder) = (Papers::new("issuer"), tempfile::tempdir().unwrap());
    let (server, address) = papers.server(folder.path());
    let (output, said) = simulate(address, &["--tls-ca", &papers.path("ca.pem")]);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("CertificateRequired"), "{said}");
    let deadline = now() + Duration::from_secs(10);
    while server.events().get("tls_no_client_certificate") != Some(&1) {
        assert!(now() < deadline, "{:?}", server.events());
        pause(Duration::from_millis(50));
    }
    assert_eq!(server.list().len(), 0);
}

#[test]
fn options_of_tls_that_say_nothing_or_do_not_fit_are_told_before_any_call() {
    let nowhere: SocketAddr = "127.0.0.1:9".parse().unwrap();
    for (arguments, why) in [
        (&["--tls-fingerprint", "12:34"][..], "64 hexadecimal digits"),
        (&["--tls-ca", "/does/not/exist.pem"], "exist.pem"),
        (&["--tls-key", "key.pem"], "--tls-certificate"),
    ] {
        let (output, said) = simulate(nowhere, arguments);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(why), "{said}");
    }
    let plain = [
        "simulate",
        "--server",
        "127.0.0.1:9",
        "--line",
        LINE,
        "--tls-ca",
        "ca.pem",
    ];
    assert_eq!(voicelog(&plain).status.code(), Some(2));
}
