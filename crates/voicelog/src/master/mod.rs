//! Where the master key is: in a file, with systemd, in a token.

mod pkcs11;
mod uri;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use std::fmt;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use uri::{PinSource, TokenUri};
use voicelog_archive::keys::{Master, MasterKey};
use voicelog_archive::random;
use voicelog_store::durable;
use zeroize::Zeroizing;

const KEY_BYTES: usize = 32;
/// A file of a key or a PIN is small.
const FILE_BYTES_MAX: u64 = 1_024;

/// Where the master key is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum Source {
    /// `file:PATH`: 32 bytes, or 64 hexadecimal digits.
    File(PathBuf),
    /// `credential:NAME`: the same, as systemd hands it to a service.
    Credential(String),
    /// `pkcs11:…` (RFC 7512): a key that stays in its token.
    Token(TokenUri),
}

impl TryFrom<String> for Source {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for Source {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("file:").filter(|path| !path.is_empty()) {
            return Ok(Self::File(PathBuf::from(path)));
        }
        if let Some(name) = text.strip_prefix("credential:") {
            return credential_name(name).map(|name| Self::Credential(name.to_owned()));
        }
        if text.starts_with("pkcs11:") {
            return text.parse().map(Self::Token);
        }
        Err(
            "a master key is written as \"file:PATH\", \"credential:NAME\" or \"pkcs11:token=…\""
                .to_owned(),
        )
    }
}

/// A name that cannot lead out of systemd's folder.
fn credential_name(name: &str) -> Result<&str, String> {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    if name.is_empty() || name.starts_with('.') || !name.chars().all(is_name) {
        return Err(format!(
            "`{name}` is no name of a credential: letters, digits, `.`, `_` and `-`"
        ));
    }
    Ok(name)
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Credential(name) => write!(f, "credential:{name}"),
            Self::Token(uri) => write!(f, "{uri}"),
        }
    }
}

impl Source {
    /// The master key. Errors: it is not there, not a key, or others may read it. A token is not asked before
    /// something is to be wrapped or opened.
    pub(crate) fn open(&self) -> Result<Box<dyn Master>> {
        Ok(match self {
            Self::File(path) => Box::new(key_in(path, Others::MayNotAtAll)?),
            Self::Credential(name) => Box::new(key_in(&credential(name)?, Others::ByTheirGroup)?),
            Self::Token(uri) => Box::new(pkcs11::Token::new(uri.clone())),
        })
    }

    /// Whether there is no such file or credential. A token is asked first when something is wrapped or opened.
    pub(crate) fn is_absent(&self) -> bool {
        let is_there = |path: &Path| !matches!(path.try_exists(), Ok(false));
        match self {
            Self::File(path) => !is_there(path),
            Self::Credential(name) => !credential(name).is_ok_and(|path| is_there(&path)),
            Self::Token(_) => false,
        }
    }

    /// Whether this process gets at it: whoever takes over the process, or the machine, does too. Of a token, at its PIN.
    pub(crate) fn is_here(&self) -> bool {
        let is_read = |path: &Path| std::fs::File::open(path).is_ok();
        match self {
            Self::File(path) => is_read(path),
            Self::Credential(name) => credential(name).is_ok_and(|path| is_read(&path)),
            Self::Token(uri) => match &uri.pin {
                PinSource::File(path) => is_read(path),
                PinSource::Credential(name) => credential(name).is_ok_and(|path| is_read(&path)),
            },
        }
    }

    /// The same; a file that is not there is made.
    pub(crate) fn open_or_make(&self) -> Result<Box<dyn Master>> {
        if let Self::File(path) = self
            && !path.exists()
        {
            let fresh = Zeroizing::new(random::bytes::<KEY_BYTES>()?);
            durable::create(path, fresh.as_slice())
                .with_context(|| format!("cannot write the master key `{}`", path.display()))?;
        }
        self.open()
    }
}

/// What systemd put ready for this service under that name; it tells a service by its environment where (systemd.exec(5)).
fn credential(name: &str) -> Result<PathBuf> {
    match std::env::var_os("CREDENTIALS_DIRECTORY") {
        Some(folder) => Ok(Path::new(&folder).join(name)),
        None => bail!(
            "there is no credential `{name}`: $CREDENTIALS_DIRECTORY is not set, which systemd does for a service with \
             `LoadCredentialEncrypted={name}:FILE`"
        ),
    }
}

/// Who else may be able to read a file with a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Others {
    MayNotAtAll,
    /// systemd gives a service its credentials by an access list, which shows as the rights of the group.
    ByTheirGroup,
}

/// A small file with a secret.
fn secret_in(path: &Path, others: Others) -> Result<Zeroizing<Vec<u8>>> {
    let place = path.display();
    let facts = std::fs::metadata(path)
        .with_context(|| format!("cannot read the master key or PIN in `{place}`"))?;
    if !facts.is_file() {
        bail!("`{place}` is no file");
    }
    let mode = facts.permissions().mode() & 0o777;
    let forbidden = match others {
        Others::MayNotAtAll => 0o077,
        Others::ByTheirGroup => 0o007,
    };
    if mode & forbidden != 0 {
        bail!(
            "others than its owner may read `{place}` (mode {mode:03o}): `chmod 600 {place}`; if anybody did read it, \
             `voicelog keys rotate --master NEW` gives the archive another"
        );
    }
    if facts.len() > FILE_BYTES_MAX {
        bail!("`{place}` is too long for a key or a PIN");
    }
    std::fs::read(path)
        .map(Zeroizing::new)
        .with_context(|| format!("cannot read `{place}`"))
}

/// 32 bytes, or 64 hexadecimal digits on one line.
fn key_in(path: &Path, others: Others) -> Result<MasterKey> {
    let bytes = secret_in(path, others)?;
    let whole: Option<[u8; KEY_BYTES]> = bytes.as_slice().try_into().ok();
    let key = whole.or_else(|| from_hex(&bytes)).map(Zeroizing::new);
    let key = key.with_context(|| {
        format!(
            "`{}` should hold 32 random bytes, or 64 hexadecimal digits (`openssl rand -out FILE 32`)",
            path.display()
        )
    })?;
    Ok(MasterKey::from_random(*key))
}

fn from_hex(bytes: &[u8]) -> Option<[u8; KEY_BYTES]> {
    let text = std::str::from_utf8(bytes).ok()?.trim_end();
    if text.len() != 2 * KEY_BYTES || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut key = [0; KEY_BYTES];
    for (byte, at) in key.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(path: &Path, bytes: &[u8], mode: u32) {
        durable::replace(path, bytes).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_master_key_is_32_bytes_or_64_digits_and_is_the_same_key_either_way() {
        let folder = tempfile::tempdir().unwrap();
        let (raw, hex) = (folder.path().join("raw"), folder.path().join("hex"));
        written(&raw, &[0xab; 32], 0o600);
        written(&hex, format!("{}\n", "aB".repeat(32)).as_bytes(), 0o400);
        let name = |path: &Path| {
            Source::File(path.to_owned())
                .open()
                .unwrap()
                .name()
                .unwrap()
        };
        assert_eq!(name(&raw), name(&hex));
        for wrong in [&[7; 31][..], &[7; 33], b"", "zz".repeat(32).as_bytes()] {
            written(&raw, wrong, 0o600);
            let error = Source::File(raw.clone()).open().unwrap_err().to_string();
            assert!(error.contains("32 random bytes"), "{error}");
        }
    }

    #[test]
    fn a_file_that_others_may_read_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        for mode in [0o640, 0o604, 0o660, 0o644] {
            written(&path, &[1; 32], mode);
            let error = Source::File(path.clone()).open().unwrap_err().to_string();
            assert!(error.contains("chmod 600"), "{mode:o}: {error}");
            assert_eq!(key_in(&path, Others::ByTheirGroup).is_ok(), mode & 7 == 0);
        }
    }

    #[test]
    fn a_master_key_that_is_absent_is_told_apart_from_one_that_cannot_be_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let source = Source::File(path.clone());
        assert!(source.is_absent() && !source.is_here());
        written(&path, &[1; 31], 0o644);
        assert!(!source.is_absent() && source.is_here());
        let credential: Source = "credential:absent".parse().unwrap();
        assert!(credential.is_absent() && !credential.is_here());
        let pin = folder.path().join("pin");
        let place = format!(
            "pkcs11:token=a;object=b?module-path=m&pin-source=file:{}",
            pin.display()
        );
        let token: Source = place.parse().unwrap();
        assert!(!token.is_absent() && !token.is_here());
        written(&pin, b"1234", 0o600);
        assert!(token.is_here());
    }

    #[test]
    fn what_is_no_place_of_a_master_key_is_refused() {
        for wrong in [
            "",
            "file:",
            "/etc/key",
            "credential:../x",
            "credential:",
            "credential:.x",
        ] {
            assert!(wrong.parse::<Source>().is_err(), "{wrong}");
        }
        let source: Source = "credential:voicelog-master".parse().unwrap();
        assert_eq!(source.to_string(), "credential:voicelog-master");
    }
}
