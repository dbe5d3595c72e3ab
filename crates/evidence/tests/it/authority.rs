//! A timestamping authority: `openssl ts`, with keys and certificates made for the test.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// What an authority's certificate says of its purpose.
pub(crate) const FOR_TIMESTAMPS: &str = "extendedKeyUsage = critical,timeStamping";
/// The policy that it stamps under.
pub(crate) const POLICY: &str = "1.2.3.4.1";

/// The kinds of keys that authorities have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Rsa,
    P256,
    P384,
}

impl Key {
    pub(crate) const ALL: [Self; 3] = [Self::Rsa, Self::P256, Self::P384];
}

/// An authority in a folder: `anchor.pem` is whom one believes, `signer.pem` who signs.
pub(crate) struct Authority {
    pub(crate) folder: TempDir,
}

fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "openssl {arguments}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn new_key(key: Key) -> &'static str {
    match key {
        Key::Rsa => "-newkey rsa:2048",
        Key::P256 => "-newkey ec -pkeyopt ec_paramgen_curve:P-256",
        Key::P384 => "-newkey ec -pkeyopt ec_paramgen_curve:P-384",
    }
}

impl Authority {
    /// One whose certificate is by its anchor, valid for some days, and for this purpose.
    pub(crate) fn new(key: Key) -> Self {
        Self::with(key, FOR_TIMESTAMPS, 10)
    }

    pub(crate) fn with(key: Key, purpose: &str, days: i32) -> Self {
        let authority = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let folder = authority.folder.path();
        let new = new_key(key);
        openssl(
            folder,
            &format!(
                "req -x509 {new} -nodes -keyout anchor.key -out anchor.pem -days 20 -subj /CN=anchor"
            ),
        );
        openssl(
            folder,
            &format!("req {new} -nodes -keyout signer.key -out signer.csr -subj /CN=authority"),
        );
        authority.write("purpose.cnf", format!("{purpose}\n"));
        openssl(
            folder,
            &format!(
                "x509 -req -in signer.csr -CA anchor.pem -CAkey anchor.key -CAcreateserial \
                 -days {days} -extfile purpose.cnf -out signer.pem"
            ),
        );
        authority.write("serial", "01\n");
        authority.write("ts.cnf", config());
        authority
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a test's own file need not survive a power cut"
    )]
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn anchor(&self) -> String {
        String::from_utf8(self.read("anchor.pem")).unwrap()
    }

    pub(crate) fn openssl(&self, arguments: &str) {
        openssl(self.folder.path(), arguments);
    }

    /// Answers a request.
    pub(crate) fn answer(&self, request: &[u8]) -> Vec<u8> {
        self.write("request.tsq", request);
        self.openssl(
            "ts -reply -config ts.cnf -section tsa -queryfile request.tsq -out answer.tsr",
        );
        self.read("answer.tsr")
    }
}

fn config() -> String {
    format!(
        "[tsa]\nserial = serial\nsigner_cert = signer.pem\ncerts = signer.pem\n\
         signer_key = signer.key\nsigner_digest = sha256\ndefault_policy = {POLICY}\n\
         digests = sha256, sha384, sha512\naccuracy = secs:1, millisecs:500, microsecs:7\n\
         ordering = yes\ntsa_name = yes\ness_cert_id_chain = no\ness_cert_id_alg = sha256\n"
    )
}
