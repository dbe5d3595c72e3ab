//! A certificate of the pages by a public authority: pebble, the authority that Let's Encrypt tests clients with. It looks
//! at the names itself, over real connections; names are answered by its own server of names.

use crate::support::{Server, now, pause, write_config, write_file};
use serde_json::Value;
use std::io::Write as _;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const NAME: &str = "opnamen.voorbeeld.example";
/// How long a certificate of this authority is believed, in seconds.
const LIFE: u32 = 30;
const LONG: Duration = Duration::from_secs(60);

/// A port that is free for both.
fn free_port() -> u16 {
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        if UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            break port;
        }
    }
}

fn quiet(command: &mut Command) -> Child {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null());
    quiet.stderr(Stdio::null()).spawn().unwrap()
}

/// The authority, and the server of names that it asks.
struct Authority {
    folder: tempfile::TempDir,
    running: Vec<Child>,
    /// Where it is asked.
    port: u16,
    /// Where its own certificate is had.
    management: u16,
    /// Where it looks at names.
    pages: u16,
    names: u16,
    /// It takes nobody whom it does not know already.
    asks_for_key: bool,
}

impl Drop for Authority {
    fn drop(&mut self) {
        self.end();
    }
}

impl Authority {
    fn new(asks_for_key: bool) -> Self {
        let mut authority = Self {
            folder: tempfile::tempdir().unwrap(),
            running: Vec::new(),
            port: free_port(),
            management: free_port(),
            pages: free_port(),
            names: free_port(),
            asks_for_key,
        };
        let mut openssl = Command::new("openssl");
        openssl.current_dir(authority.folder.path());
        openssl.args("req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 2 -keyout own.key -out own.pem".split(' '));
        openssl.args([
            "-subj",
            "/CN=pebble",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ]);
        assert!(openssl.output().unwrap().status.success());
        authority.begin();
        authority
    }

    /// Starts it. It keeps nothing: whoever had an account has none.
    fn begin(&mut self) {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        let external = if self.asks_for_key {
            serde_json::json!({ "kid-1": KEY })
        } else {
            serde_json::json!({})
        };
        let config = serde_json::json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{}", self.port),
            "managementListenAddress": format!("127.0.0.1:{}", self.management),
            "certificate": path("own.pem"), "privateKey": path("own.key"),
            "httpPort": 1, "tlsPort": self.pages, "ocspResponderURL": "",
            "externalAccountBindingRequired": self.asks_for_key,
            "externalAccountMACKeys": external,
            "certificateValidityPeriod": LIFE,
        }});
        let file = self.folder.path().join("pebble.json");
        write_file(&file, &config.to_string());
        let names = format!("127.0.0.1:{}", self.names);
        let mut server = Command::new("pebble-challtestsrv");
        server.args([
            "-dns01",
            &names,
            "-defaultIPv4",
            "127.0.0.1",
            "-defaultIPv6",
            "",
        ]);
        server.args(["-http01", "", "-https01", "", "-tlsalpn01", ""]);
        server.args(["-management", &format!("127.0.0.1:{}", free_port())]);
        self.running.push(quiet(&mut server));
        let mut pebble = Command::new("pebble");
        pebble.args([
            "-config",
            &path("pebble.json"),
            "-dnsserver",
            &names,
            "-strict",
            "false",
        ]);
        pebble.env("PEBBLE_VA_NOSLEEP", "1");
        // Else it turns away one request in twenty, and now and then the same one three times.
        pebble.env("PEBBLE_WFE_NONCEREJECT", "0");
        self.running.push(quiet(&mut pebble));
        wait_until("the authority answers", || {
            let address = ("127.0.0.1", self.management);
            std::net::TcpStream::connect(address).is_ok()
        });
    }

    fn end(&mut self) {
        for child in &mut self.running {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        self.running.clear();
    }

    /// The configuration of a server whose pages are where the authority looks.
    fn config(&self, folder: &Path, extra: &str) -> PathBuf {
        self.config_at(self.pages, folder, extra)
    }

    /// The same for pages at another port.
    fn config_at(&self, port: u16, folder: &Path, extra: &str) -> PathBuf {
        let config = write_config(folder, "");
        let text = std::fs::read_to_string(&config).unwrap();
        let acme = format!(
            "[http]\naddress = \"127.0.0.1:{}\"\n[http.acme]\nnames = [\"{NAME}\"]\nterms_agreed = true\n\
             directory = \"https://127.0.0.1:{}/dir\"\nissuers = \"{}\"\ncontact = \"beheer@voorbeeld.example\"\n{extra}",
            port,
            self.port,
            self.folder.path().join("own.pem").display(),
        );
        let usual = "[http]\naddress = \"127.0.0.1:0\"\n";
        assert!(text.contains(usual));
        write_file(&config, &text.replace(usual, &acme));
        config
    }

    /// What it signs with, as a client needs it.
    fn root(&self) -> PathBuf {
        let root = self.folder.path().join("root.pem");
        write_file(&root, &get(self.management, "/roots/0", ""));
        root
    }

    /// The number of the certificate that the pages show, where a client believes it for the name.
    fn shown(&self, root: &Path) -> Option<String> {
        let mut openssl = Command::new("openssl");
        openssl.args(["s_client", "-connect", &format!("127.0.0.1:{}", self.pages)]);
        openssl.args(["-servername", NAME, "-verify_hostname", NAME]);
        openssl.args(["-alpn", "h2,http/1.1", "-verify_return_error", "-CAfile"]);
        openssl.arg(root).stdin(Stdio::null());
        let said = openssl.output().unwrap();
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        if !said.status.success() || !text.contains("Verify return code: 0 (ok)") {
            return None;
        }
        assert!(text.contains("ALPN protocol: http/1.1"), "{text}");
        let from = text.find("-----BEGIN CERTIFICATE").unwrap();
        let until = text.find("-----END CERTIFICATE").unwrap();
        text.get(from..until).map(str::to_owned)
    }
}

/// What is had over TLS from this port, whoever vouches for it: the body.
fn get(port: u16, path: &str, headers: &str) -> String {
    let mut openssl = Command::new("openssl");
    openssl.args([
        "s_client",
        "-quiet",
        "-connect",
        &format!("127.0.0.1:{port}"),
    ]);
    openssl.args(["-servername", NAME]).stdin(Stdio::piped());
    let mut openssl = openssl
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let request = format!("GET {path} HTTP/1.0\r\nHost: {NAME}\r\n{headers}\r\n");
    let mut stdin = openssl.stdin.take().unwrap();
    stdin.write_all(request.as_bytes()).unwrap();
    let said = openssl.wait_with_output().unwrap();
    drop(stdin);
    let said = String::from_utf8(said.stdout).unwrap();
    let (_head, body) = said.split_once("\r\n\r\n").unwrap();
    body.to_owned()
}

/// A key that the authority gave to somebody.
const KEY: &str = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = now() + LONG;
    while !is_so() {
        assert!(now() < deadline, "not within a minute: {what}");
        pause(Duration::from_millis(100));
    }
}

fn kept(folder: &Path, name: &str) -> Option<String> {
    std::fs::read_to_string(folder.join("data/secrets").join(name)).ok()
}

#[test]
fn the_pages_get_a_certificate_that_a_client_believes_keep_it_and_renew_it() {
    let mut authority = Authority::new(false);
    let folder = tempfile::tempdir().unwrap();
    let config = authority.config(folder.path(), "");
    let mut server = Server::start(&config);
    assert!(
        server
            .printed
            .iter()
            .any(|line| line.contains(&format!("https://{NAME}"))),
        "{:?}",
        server.printed
    );
    let root = authority.root();
    let mut first = None;
    wait_until("a certificate that is believed", || {
        first = authority.shown(&root);
        first.is_some()
    });
    wait_until("another one, before the first ends", || {
        let shown = authority.shown(&root);
        assert!(shown.is_some(), "there is no moment without one");
        shown != first
    });
    // Key and account are for the owner alone.
    let secrets = folder.path().join("data/secrets");
    for name in ["pages-acme-account", "pages-acme-certificate"] {
        let listed = Command::new("stat")
            .args(["-c", "%a"])
            .arg(secrets.join(name))
            .output();
        assert_eq!(listed.unwrap().stdout, b"600\n");
    }
    let account = kept(folder.path(), "pages-acme-account").unwrap();
    assert!(server.terminate().success());

    // Without the authority it starts with what it has.
    authority.end();
    let mut server = Server::start(&config);
    wait_until("what is kept is shown", || {
        authority.shown(&root).is_some() || !still_good(&secrets)
    });
    assert!(server.terminate().success());

    // The authority forgot everybody, and signs with another root: a new account, without anybody's hand.
    authority.begin();
    let root = authority.root();
    let mut server = Server::start(&config);
    wait_until("a certificate of the new one", || {
        authority.shown(&root).is_some()
    });
    assert_ne!(kept(folder.path(), "pages-acme-account").unwrap(), account);
    assert!(server.terminate().success());
}

/// Whether the kept certificate has not ended yet: it lives for seconds, and a machine may be slow.
fn still_good(secrets: &Path) -> bool {
    let mut openssl = Command::new("openssl");
    openssl.args(["x509", "-checkend", "0", "-in"]);
    openssl.arg(secrets.join("pages-acme-certificate"));
    openssl.output().unwrap().status.success()
}

#[test]
fn an_authority_that_asks_for_a_key_gets_it_and_without_the_key_its_reason_is_an_alarm() {
    let authority = Authority::new(true);
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut server = Server::start_logged(&authority.config(folder.path(), ""), &log);
    let alarms = || -> Vec<Value> {
        let token = kept(folder.path(), "api-token").unwrap();
        let bearer = format!("Authorization: Bearer {}\r\n", token.trim());
        let said: Value =
            serde_json::from_str(&get(authority.pages, "/v1/health", &bearer)).unwrap();
        said["alarms"].as_array().unwrap().clone()
    };
    wait_until("an alarm", || {
        let alarms = alarms();
        alarms
            .iter()
            .any(|one| one["alarm"] == "certificate_not_renewed")
    });
    assert!(kept(folder.path(), "pages-acme-certificate").is_none());
    let said = std::fs::read_to_string(&log).unwrap();
    assert!(said.contains("externalAccountRequired"), "{said}");
    assert!(said.contains("key_id and key_file"), "{said}");
    assert!(!said.contains("beheer@"), "{said}");
    assert!(server.terminate().success());

    let key = folder.path().join("key");
    write_file(&key, KEY);
    let extra = format!("key_id = \"kid-1\"\nkey_file = \"{}\"\n", key.display());
    let mut server = Server::start(&authority.config(folder.path(), &extra));
    let root = authority.root();
    wait_until("a certificate", || authority.shown(&root).is_some());
    assert!(alarms().is_empty());
    assert!(server.terminate().success());
}

#[test]
fn a_name_that_leads_elsewhere_gets_none_and_the_log_says_which_and_what_to_look_at() {
    let authority = Authority::new(false);
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let config = authority.config_at(free_port(), folder.path(), "");
    let mut server = Server::start_logged(&config, &log);
    let said = || std::fs::read_to_string(&log).unwrap();
    wait_until("it says why", || said().contains("cannot be renewed"));
    let told = format!("cannot see that `{NAME}` is this server: unauthorized (Failed to connect");
    assert!(said().contains(&told), "{}", said());
    assert!(said().contains("whether the name leads to this server"));
    // Who is asked again at once counts failures.
    pause(Duration::from_secs(2));
    assert_eq!(said().matches("cannot be renewed").count(), 1);
    assert!(server.terminate().success());
}
