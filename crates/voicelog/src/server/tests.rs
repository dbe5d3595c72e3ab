//! The server as a whole, on free ports of this machine.

use super::*;
use nix::sys::signal::Signal;
use std::path::Path;
use voicelog_room::{Act, Choice};

/// Free ports of this machine, and a data folder below that one.
fn config_below(folder: &Path) -> Config {
    let text = "[sip]\nudp = \"127.0.0.1:0\"\ntcp = \"127.0.0.1:0\"\nmedia_port_first = 0\n\
                media_port_last = 0\n[http]\naddress = \"127.0.0.1:0\"\n";
    let mut config = Config::parse(text, SystemClock::default().now()).unwrap();
    config.storage.data = folder.join("data");
    config.storage.keep_free_mib = 1;
    config
}

/// A server on free ports of this machine, with a data folder of its own.
fn started(change: impl FnOnce(&mut Config)) -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config_below(folder.path());
    change(&mut config);
    let server = Server::start(&config, &Arc::new(SystemClock::default())).unwrap();
    (folder, server)
}

#[test]
fn the_documented_way_to_the_api_works() {
    let (folder, server) = started(|_config| {});
    // curl -H "Authorization: Bearer $(cat voicelog-data/secrets/api-token)" URL
    let file = folder.path().join("data/secrets/api-token");
    let token = std::fs::read_to_string(file).unwrap();
    let url = format!("http://{}/v1/recordings", server.http);
    let bearer = format!("Bearer {}", token.trim_end());
    let answer = ureq::get(&url).header("Authorization", &bearer).call();
    assert_eq!(answer.unwrap().status(), 200);
    assert!(ureq::get(&url).call().is_err(), "not without it");
    server.stop(Duration::ZERO);
}

#[test]
fn a_backup_that_was_expected_and_not_made_is_an_alarm_until_one_is_made() {
    let (folder, server) = started(|_config| {});
    let now = SystemClock::default().now();
    let stands = |hours, now| {
        look_at_backups(&server.archive, &server.recorder, hours, now);
        let alarms = server.recorder.status().alarms;
        alarms.iter().any(|one| one.key.alarm == "backup_old")
    };
    assert!(!stands(0, now), "none is expected");
    assert!(stands(24, now));
    let key = voicelog_archive::backup::BackupKey {
        epoch: 1,
        key: voicelog_evidence::key::DataKey::from_random([1; 32]),
    };
    let to = folder.path().join("backup");
    server.archive.create_backup(&to, &key, now).unwrap();
    let hours = |hours: i64| now.plus_micros(hours * 3_600 * 1_000_000);
    assert!(!stands(24, hours(23)));
    assert!(stands(24, hours(25)));
    server.stop(Duration::ZERO);
}

#[test]
fn one_far_answer_of_a_time_server_is_forgotten_and_two_in_a_row_are_a_jump() {
    let (_folder, server) = started(|_config| {});
    let clock = Arc::new(SystemClock::default());
    let guard = ClockGuard::new(&server.archive, &server.recorder, &clock);
    guard.weigh(true);
    assert!(!guard.look() && server.archive.must_believe_clock(clock.now()).is_ok());
    guard.weigh(false);
    assert!(guard.look());
    for is_far in [true, true, false] {
        guard.weigh(is_far);
    }
    assert!(!guard.look(), "it does not end by itself");
    server.archive.confirm_clock(clock.now()).unwrap();
    assert!(guard.look());
    server.stop(Duration::ZERO);
}

#[test]
fn behind_a_tls_proxy_cookies_and_links_are_those_of_the_proxy() {
    let public = "https://opnamen.voorbeeld.nl";
    let (_folder, server) = started(|config| config.http.public_url = Some(public.to_owned()));
    assert_eq!(server.public_url, public);
    let answer = ureq::get(format!("http://{}/login", server.http)).call();
    let answer = answer.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(
        cookie.starts_with("__Host-") && cookie.contains("; Secure"),
        "{cookie}"
    );
    server.stop(Duration::ZERO);
}

/// Asks over TLS, believing what is in that file and nobody else.
fn believing(pem: &Path) -> ureq::Agent {
    use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};
    let root = Certificate::from_pem(&std::fs::read(pem).unwrap()).unwrap();
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(RootCerts::Specific(Arc::new(vec![root])))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    let config = ureq::Agent::config_builder().tls_config(tls);
    config.max_redirects(0).build().new_agent()
}

#[test]
fn the_pages_are_there_over_tls_by_our_own_authority_which_is_the_same_after_a_restart() {
    let own = |config: &mut Config| config.http.tls_names = vec!["127.0.0.1".to_owned()];
    let (folder, server) = started(own);
    let data = folder.path().join("data");
    let authority = data.join("secrets/pages-authority");
    let page = format!("https://{}/authority", server.http);
    assert_eq!(server.public_url, page.trim_end_matches("/authority"));
    let mut answer = believing(&authority).get(&page).call().unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.starts_with("__Host-"), "{cookie}");
    let text = answer.body_mut().read_to_string().unwrap();
    let fingerprint = server.authority.clone().unwrap();
    assert!(
        !text.contains(&fingerprint),
        "it could have been changed on the way"
    );
    // Whoever types the address comes without TLS, and is sent to the same page with it.
    let plain = format!("http://{}/login?lang=en", server.http);
    let sent_on = believing(&authority).get(&plain).call().unwrap();
    assert_eq!(sent_on.status(), 308);
    let wanted = format!("{}/login?lang=en", server.public_url);
    assert_eq!(sent_on.headers()["location"].to_str().unwrap(), wanted);
    // Its port is held by somebody who says nothing; that is nobody else's matter.
    let silent = std::net::TcpStream::connect(server.http).unwrap();
    assert!(believing(&authority).get(&page).call().is_ok());
    drop(silent);
    server.stop(Duration::ZERO);
    let clock = Arc::new(SystemClock::default());
    let text =
        "[sip]\nudp = \"127.0.0.1:0\"\ntcp = \"127.0.0.1:0\"\n[http]\naddress = \"127.0.0.1:0\"\n";
    let mut config = Config::parse(text, clock.now()).unwrap();
    config.storage.data = data;
    own(&mut config);
    let again = Server::start(&config, &clock).unwrap();
    assert_eq!(again.authority.as_ref(), Some(&fingerprint));
    again.stop(Duration::ZERO);
}

#[test]
fn a_port_that_is_taken_is_named_with_the_key_that_sets_it() {
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.storage.data = folder.path().join("data");
    config.sip.udp = taken.local_addr().unwrap();
    let error = Server::start(&config, &Arc::new(SystemClock::default()));
    let error = format!("{:#}", error.err().unwrap());
    assert!(
        error.contains("set sip.udp") && error.contains(&config.sip.udp.to_string()),
        "{error}"
    );
}

#[test]
fn a_file_for_tls_that_does_not_do_is_named_with_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.storage.data = folder.path().join("data");
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    (config.sip.udp, config.sip.tcp) = (any, any);
    config.sip.tls = Some(any);
    config.sip.tls_certificate = Some(folder.path().join("gone.pem"));
    config.sip.tls_key = Some(folder.path().join("key.pem"));
    let error = Server::start(&config, &Arc::new(SystemClock::default()));
    let error = error.err().unwrap();
    let is_bad_input = error.chain().any(|cause| cause.is::<BadInput>());
    let error = format!("{error:#}");
    assert!(
        error.contains("gone.pem") && error.contains("see sip.tls_certificate"),
        "{error}"
    );
    assert!(is_bad_input, "as a wrong file of a notice is");
}

#[test]
fn either_signal_asks_to_stop_and_each_counts() {
    let (_folder, mut server) = started(|_config| {});
    for asked in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGTERM] {
        nix::sys::signal::raise(asked).unwrap();
        server.wait_for_signal().unwrap();
    }
    server.stop(Duration::ZERO);
}

#[test]
fn a_talk_that_could_not_be_closed_is_an_alarm_and_counted_until_the_next_start_closes_it() {
    let (folder, server) = started(|config| {
        let clock = SystemClock::default();
        let kind = include_str!("../../../../examples/room/voicelog.toml");
        config.rooms = Config::parse(kind, clock.now()).unwrap().rooms;
    });
    let told = |server: &Server, path: &str| {
        let url = format!("http://{}{path}", server.http);
        let bearer = format!("Bearer {}", *server.api_token);
        let mut answer = ureq::get(&url)
            .header("Authorization", &bearer)
            .call()
            .unwrap();
        answer.body_mut().read_to_string().unwrap()
    };
    let count = "voicelog_events_total{event=\"talk_failed\"}";
    assert!(told(&server, "/v1/metrics").contains(&format!("{count} 0")));
    let rooms = &server.rooms;
    let kind = rooms.kinds().into_iter().find_map(|kind| {
        let id = rooms.open(&kind.name, "anna", None).ok()?;
        let host = rooms.host_seat(id, "anna")?;
        let code = rooms.state(&host).ok()?.code?;
        let guest = rooms.join(&code, None, [9; 32]).ok()?;
        rooms.choose(&guest, Choice::Agreed).ok()?;
        rooms.act(&host, Act::Start).ok()?;
        Some((id, host))
    });
    let (id, host) = kind.unwrap();
    // Somebody else closes it first, so that it cannot be closed.
    let now = SystemClock::default().now();
    server.archive.finish_from_disk(id, now).unwrap();
    let mut changes = rooms.changes(&host).unwrap();
    rooms.act(&host, Act::End).unwrap();
    server.runtime.block_on(async {
        while rooms.failures().is_empty() {
            changes.changed().await.unwrap();
        }
    });
    let health: serde_json::Value = serde_json::from_str(&told(&server, "/v1/health")).unwrap();
    let alarms = health["alarms"].as_array().unwrap();
    let is_it = |one: &&serde_json::Value| one["alarm"] == "talk_failed";
    let alarm = alarms.iter().find(is_it);
    let alarm = alarm.unwrap_or_else(|| panic!("{health}"));
    assert_eq!(alarm["recording"], id.to_string());
    assert!(told(&server, "/v1/metrics").contains(&format!("{count} 1")));
    server.stop(Duration::ZERO);

    let clock = Arc::new(SystemClock::default());
    let config = config_below(folder.path());
    let again = Server::start(&config, &clock).unwrap();
    assert!(told(&again, "/v1/metrics").contains(&format!("{count} 0")));
    again.stop(Duration::ZERO);
}
