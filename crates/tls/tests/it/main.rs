//! Certificates of our own authority, held against a TLS client and against `openssl`.
#![cfg(test)]

use rcgen::{CertificateParams, DistinguishedName, DnType, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use voicelog_model::Timestamp;
use voicelog_tls::{Authority, AuthorityError, handshake};

const YEAR: i64 = 365 * 86_400 * 1_000_000;

/// The machine's own moment: clients hold certificates against it.
fn now() -> Timestamp {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap())
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Connects to a server of this authority as `name`; the certificates that it showed, or why it is not believed.
fn connect(authority: &Authority, name: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = authority.acceptor(now()).unwrap();
    let server = std::thread::spawn(move || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().unwrap();
        let (stream, _peer) = listener.accept().unwrap();
        stream.set_nonblocking(true).unwrap();
        runtime.block_on(async move {
            let stream = tokio::net::TcpStream::from_std(stream).unwrap();
            handshake(&acceptor, stream).await.map(|_stream| ())
        })
    });
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from(authority.certificate().to_vec());
    roots.add(root).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(connection, TcpStream::connect(address).unwrap());
    let read = stream.read(&mut [0]);
    let is_served = server.join().unwrap().is_ok();
    let shown = stream.conn.peer_certificates();
    match (is_served, shown) {
        (true, Some(shown)) => Ok(shown.iter().map(|one| one.clone().into_owned()).collect()),
        _refused => Err(read.unwrap_err().to_string()),
    }
}

#[test]
fn a_client_that_installed_the_authority_believes_the_server_under_its_names_and_no_other() {
    let wanted = names(&["192.168.1.20", "voicelog.local", "2001:db8::1"]);
    let authority = Authority::new(&wanted, now()).unwrap();
    for name in &wanted {
        let shown = connect(&authority, name).unwrap();
        assert_eq!(shown.len(), 2, "its own, then the authority's");
        assert_eq!(shown[1].as_ref(), authority.certificate());
    }
    for other in ["192.168.1.21", "example.com", "other.local"] {
        let error = connect(&authority, other).unwrap_err();
        assert!(error.contains("not valid for name"), "{other}: {error}");
    }
}

#[test]
fn what_is_kept_of_an_authority_signs_on_and_who_installed_it_believes_what_it_signs() {
    let wanted = names(&["10.0.0.5", "opnamen.voorbeeld.nl"]);
    let first = Authority::new(&wanted, now()).unwrap();
    let text = first.to_text();
    let again = Authority::of_text(&text, &wanted, now()).unwrap().unwrap();
    assert_eq!(again.certificate(), first.certificate());
    assert_eq!(again.fingerprint(), first.fingerprint());
    assert_eq!(again.to_text(), text);
    assert!(connect(&again, "opnamen.voorbeeld.nl").is_ok());
    let fewer = Authority::of_text(&text, &wanted[1..], now()).unwrap();
    assert_eq!(fewer.unwrap().certificate(), first.certificate());
}

#[test]
fn an_authority_for_other_names_or_that_ends_soon_makes_way_for_a_new_one() {
    let wanted = names(&["10.0.0.5"]);
    let text = Authority::new(&wanted, now()).unwrap().to_text();
    let of = |names: &[String], years: i64| {
        let later = now().plus_micros(years * YEAR);
        Authority::of_text(&text, names, later).unwrap()
    };
    assert!(of(&wanted, 9).is_some());
    assert!(of(&wanted, 10).is_none());
    assert!(of(&names(&["10.0.0.5", "10.0.0.6"]), 0).is_none());
}

#[test]
fn a_kept_text_that_is_not_ours_is_refused_and_so_is_a_name_that_is_none() {
    let wanted = names(&["10.0.0.5"]);
    let text = Authority::new(&wanted, now()).unwrap().to_text();
    let start = text.split("-----BEGIN PRIVATE").next().unwrap();
    let without_moment = text.replace("made: ", "made: x");
    for wrong in ["", "names: 10.0.0.5\n", start, &without_moment] {
        let refused = Authority::of_text(wrong, &wanted, now());
        assert!(matches!(refused, Err(AuthorityError::NotOurs)), "{wrong}");
    }
    for wrong in [
        "", "-a.nl", "a..nl", "a_b.nl", "*.nl", "a.nl/", "1.2.3", "é.nl",
    ] {
        let refused = Authority::new(&names(&[wrong]), now());
        assert!(matches!(refused, Err(AuthorityError::Name(_))), "{wrong}");
    }
    assert!(matches!(
        Authority::new(&[], now()),
        Err(AuthorityError::Names)
    ));
}

/// What `openssl verify` says of a certificate that this authority's key signed for `name`.
fn openssl(folder: &Path, authority: &Authority, first: &str, name: &str) -> String {
    let text = authority.to_text();
    let begin = text.find("-----BEGIN PRIVATE").unwrap();
    let key = KeyPair::from_pem(text.split_at(begin).1).unwrap();
    let mut issuer = CertificateParams::default();
    issuer.distinguished_name = DistinguishedName::new();
    let common = format!("voicelog {first}");
    issuer.distinguished_name.push(DnType::CommonName, common);
    let params = CertificateParams::new([name.to_owned()]).unwrap();
    let forged = params.signed_by(&KeyPair::generate().unwrap(), &Issuer::new(issuer, key));
    let (root, leaf) = (folder.join("root.pem"), folder.join("leaf.pem"));
    write(&root, &text);
    write(&leaf, &forged.unwrap().pem());
    let mut verify = Command::new("openssl");
    verify.arg("verify").arg("-CAfile").args([&root, &leaf]);
    let output = verify.output().unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

fn write(path: &Path, text: &str) {
    use std::io::Write as _;
    let mut file = std::fs::File::create(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn with_the_key_of_the_authority_nobody_imitates_another_site() {
    let folder = tempfile::tempdir().unwrap();
    for (of, own) in [
        ("10.0.0.5", "10.0.0.5"),
        ("a.nl", "a.nl"),
        ("2001:db8::1", "2001:db8::1"),
    ] {
        let authority = Authority::new(&names(&[of]), now()).unwrap();
        let said = openssl(folder.path(), &authority, of, own);
        assert!(said.trim_end().ends_with("leaf.pem: OK"), "{of}: {said}");
        for other in ["10.0.0.6", "bank.nl", "2001:db8::2"] {
            let said = openssl(folder.path(), &authority, of, other);
            assert!(
                said.contains("subtree violation"),
                "{of} for {other}: {said}"
            );
        }
    }
}
