//! Files for TLS that do not do: the recorder says which and why, and does not start.

use crate::pki::{Authority, NOW, file};
use crate::support::{MachineClock, config, open_archive};
use std::path::Path;
use std::sync::Arc;
use voicelog_recorder::{Recorder, RecorderConfig, SipTls, StartError};
use voicelog_tls::{TlsError, TlsFile, TlsFiles};

/// Starts a recorder with these files; which does not do, and why.
fn refused(certificate: &Path, key: &Path, client_ca: Option<&Path>) -> (TlsFile, String) {
    let files = TlsFiles {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
        client_ca: client_ca.map(Path::to_owned),
    };
    let config = RecorderConfig {
        sip_tls: Some(SipTls {
            address: "127.0.0.1:0".parse().unwrap(),
            files,
        }),
        ..config()
    };
    let folder = tempfile::tempdir().unwrap();
    let archive = open_archive(folder.path());
    let started = Recorder::start(&config, archive, Arc::new(MachineClock));
    let Err(StartError::Tls(error)) = started else {
        panic!("{:?}", started.map(|_recorder| ()))
    };
    let TlsError { file, path, .. } = &error;
    let text = error.to_string();
    assert!(text.contains(&path.display().to_string()), "{text}");
    (*file, text)
}

#[test]
fn every_file_that_does_not_do_is_told_apart_before_the_recorder_listens() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, name) = (Authority::new("servers"), |name, text: &str| {
        file(folder.path(), name, text)
    });
    let (own, other) = (authority.issue(NOW), authority.issue(NOW));
    let right = name("right.pem", &own.certificate);
    let key = name("key.pem", &own.key);
    let ended = authority.issue((2020, 2021));
    let later = authority.issue((4080, 4090));
    let old = (
        name("old.pem", &ended.certificate),
        name("old.key", &ended.key),
    );
    let new = (
        name("new.pem", &later.certificate),
        name("new.key", &later.key),
    );
    let chain = name(
        "chain.pem",
        &[own.certificate.clone(), ended.certificate].concat(),
    );
    let other_key = name("other.key", &other.key);
    let cut = name("cut.pem", own.certificate.get(..200).unwrap());
    let no_der = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let (no_der, empty) = (name("noder.pem", no_der), name("empty.pem", ""));
    let gone = folder.path().join("gone.pem");
    let (certificate, of_key, ca) = (TlsFile::Certificate, TlsFile::Key, TlsFile::ClientCa);
    for (files, expected, why) in [
        ((&gone, &key, None), certificate, "cannot be read"),
        ((&empty, &key, None), certificate, "no certificate in it"),
        ((&key, &key, None), certificate, "no certificate in it"),
        ((&cut, &key, None), certificate, "no whole PEM"),
        ((&no_der, &key, None), certificate, "cannot be used"),
        ((&old.0, &old.1, None), certificate, "has expired"),
        ((&chain, &key, None), certificate, "has expired"),
        ((&new.0, &new.1, None), certificate, "not valid yet"),
        ((&right, &gone, None), of_key, "cannot be read"),
        ((&right, &right, None), of_key, "no private key in it"),
        ((&right, &other_key, None), of_key, "does not fit"),
        ((&right, &key, Some(&gone)), ca, "cannot be read"),
        ((&right, &key, Some(&empty)), ca, "no certificate in it"),
        ((&right, &key, Some(&no_der)), ca, "cannot be used"),
    ] {
        let (file, text) = refused(files.0, files.1, files.2.map(|path| path.as_path()));
        assert_eq!(file, expected, "{text}");
        assert!(text.contains(why), "{why}: {text}");
    }
}
