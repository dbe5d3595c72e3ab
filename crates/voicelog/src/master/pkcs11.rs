//! A master key that stays in its token (PKCS #11): an AES key that wraps the keys of epochs with AES-GCM.
//!
//! A session is opened for each act and closed again: acts are rare, and a token that was taken out and put back needs
//! nothing more. A PIN that was refused is not tried again by the same process: tokens lock themselves after a few.

use super::uri::{PinSource, TokenUri};
use super::{Others, credential, secret_in};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use voicelog_archive::keys::{Master, MasterError};
use voicelog_archive::random;
use voicelog_evidence::Digest;
use zeroize::Zeroizing;

const NONCE_BYTES: usize = 12;
const TAG_BITS: u64 = 128;
const KEY_BYTES: usize = 32;

/// The libraries of tokens that were loaded: each is made ready once in a process.
static MODULES: Mutex<BTreeMap<PathBuf, Pkcs11>> = Mutex::new(BTreeMap::new());

/// A key in a token.
#[derive(Debug)]
pub(super) struct Token {
    uri: TokenUri,
    pin_was_refused: AtomicBool,
    /// Its name, once the token told it.
    name: OnceLock<String>,
}

fn module(path: &Path) -> Result<Pkcs11, MasterError> {
    let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(module) = modules.get(path) {
        return Ok(module.clone());
    }
    let module = Pkcs11::new(path).map_err(|error| {
        let path = path.display();
        MasterError::Unavailable(format!(
            "cannot load the library of the token, `{path}`: {error}"
        ))
    })?;
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(error) => return Err(trouble("make the library of the token ready", &error)),
    }
    modules.insert(path.to_owned(), module.clone());
    Ok(module)
}

/// What a person can do with what a token answers.
fn trouble(doing: &str, error: &Error) -> MasterError {
    let what = match error {
        Error::Pkcs11(RvError::PinLocked, _) => {
            "its PIN is locked after too many wrong ones; its security officer can unlock it".to_owned()
        }
        Error::Pkcs11(RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange, _) => {
            "it refuses the PIN; put the right one in the file that `pin-source` names, then start again".to_owned()
        }
        Error::Pkcs11(RvError::TokenNotPresent | RvError::DeviceRemoved, _) => {
            "it is not there; put it back".to_owned()
        }
        other => other.to_string(),
    };
    MasterError::Unavailable(format!("the token could not {doing}: {what}"))
}

impl Token {
    pub(super) const fn new(uri: TokenUri) -> Self {
        Self {
            uri,
            pin_was_refused: AtomicBool::new(false),
            name: OnceLock::new(),
        }
    }

    fn slot(&self, module: &Pkcs11) -> Result<Slot, MasterError> {
        let slots = module.get_slots_with_token();
        let slots = slots.map_err(|error| trouble("be looked for", &error))?;
        let is_it = |slot: &Slot| {
            let Ok(info) = module.get_token_info(*slot) else {
                return false;
            };
            let fits = |wanted: &Option<String>, found: &str| {
                wanted
                    .as_ref()
                    .is_none_or(|wanted| wanted == found.trim_end())
            };
            fits(&self.uri.token, info.label()) && fits(&self.uri.serial, info.serial_number())
        };
        let found = slots.into_iter().find(is_it);
        found.ok_or_else(|| {
            MasterError::Unavailable(format!(
                "the token of `{}` is not there; put it back, and nothing was lost",
                self.uri
            ))
        })
    }

    fn pin(&self) -> Result<AuthPin, MasterError> {
        let read = match &self.uri.pin {
            PinSource::File(path) => secret_in(path, Others::MayNotAtAll),
            PinSource::Credential(name) => {
                credential(name).and_then(|path| secret_in(&path, Others::ByTheirGroup))
            }
        };
        let bytes = read.map_err(|error| MasterError::Unavailable(format!("{error:#}")))?;
        let text = std::str::from_utf8(&bytes);
        let text =
            text.map_err(|_error| MasterError::unavailable("the PIN of the token is no UTF-8"))?;
        Ok(AuthPin::new(text.trim_end_matches(['\r', '\n']).into()))
    }

    /// A session in which the key may be used.
    fn session(&self) -> Result<(Session, ObjectHandle), MasterError> {
        if self.pin_was_refused.load(Ordering::Relaxed) {
            return Err(MasterError::unavailable(
                "the token refused the PIN before, and it is not tried again: put the right one in the file that \
                 `pin-source` names, then start again",
            ));
        }
        let module = module(&self.uri.module)?;
        let slot = self.slot(&module)?;
        let session = module.open_ro_session(slot);
        let session = session.map_err(|error| trouble("be used", &error))?;
        match session.login(UserType::User, Some(&self.pin()?)) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
            Err(error) => {
                let is_refused = matches!(
                    error,
                    Error::Pkcs11(
                        RvError::PinIncorrect | RvError::PinLocked | RvError::PinInvalid,
                        _
                    )
                );
                self.pin_was_refused.store(is_refused, Ordering::Relaxed);
                return Err(trouble("be opened", &error));
            }
        }
        let key = self.key(&session)?;
        Ok((session, key))
    }

    /// The one key that the address names, which must not be able to leave the token.
    fn key(&self, session: &Session) -> Result<ObjectHandle, MasterError> {
        let mut template = vec![
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
        ];
        template.extend(
            self.uri
                .object
                .iter()
                .map(|label| Attribute::Label(label.clone().into_bytes())),
        );
        template.extend(self.uri.id.iter().map(|id| Attribute::Id(id.clone())));
        let found = session.find_objects(&template);
        let found = found.map_err(|error| trouble("look for the key", &error))?;
        let [key] = found[..] else {
            let (uri, count) = (&self.uri, found.len());
            return Err(MasterError::Unavailable(format!(
                "the token has {count} AES keys that `{uri}` names; it must be one"
            )));
        };
        let kinds = [AttributeType::Extractable, AttributeType::ValueLen];
        // A token that does not tell is not believed.
        let told = session
            .get_attributes(key, &kinds)
            .map_err(|error| trouble("tell of the key", &error))?;
        let length = cryptoki::types::Ulong::from(KEY_BYTES as u64);
        if !told.contains(&Attribute::ValueLen(length)) {
            return Err(MasterError::Unavailable(format!(
                "the key of `{}` is no AES key of {KEY_BYTES} bytes; make one that is (AES:{KEY_BYTES})",
                self.uri
            )));
        }
        if !told.contains(&Attribute::Extractable(false)) {
            return Err(MasterError::Unavailable(format!(
                "the key of `{}` can be taken out of the token; make one that cannot (CKA_EXTRACTABLE false)",
                self.uri
            )));
        }
        Ok(key)
    }
}

/// The serial number of the token and the id of the key; where it has none, its label.
fn name_of(serial: &str, session: &Session, key: ObjectHandle) -> Result<String, MasterError> {
    let mut told = Vec::new();
    for kind in [AttributeType::Id, AttributeType::Label] {
        let found = session.get_attributes(key, &[kind]);
        for attribute in found.map_err(|error| trouble("tell of the key", &error))? {
            if let Attribute::Id(bytes) | Attribute::Label(bytes) = attribute
                && !bytes.is_empty()
            {
                told.push(bytes);
            }
        }
    }
    let key = told.first().map(Vec::as_slice).unwrap_or_default();
    let named = [serial.trim_end().as_bytes(), &[0], key].concat();
    let hex = Digest::of(&named).to_hex();
    Ok(format!(
        "token-{}",
        hex.chars().take(16).collect::<String>()
    ))
}

/// Runs something with the parameters of AES-GCM.
fn with_gcm<T>(
    nonce: [u8; NONCE_BYTES],
    context: &str,
    act: impl FnOnce(&Mechanism<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut nonce = nonce;
    let tag_bits = cryptoki::types::Ulong::from(TAG_BITS);
    let params = GcmParams::new(&mut nonce, context.as_bytes(), tag_bits)?;
    act(&Mechanism::AesGcm(params))
}

impl Master for Token {
    /// Drawn from what the token says of itself and of the key, so that an address written in another way names the same.
    fn name(&self) -> Result<String, MasterError> {
        if let Some(name) = self.name.get() {
            return Ok(name.clone());
        }
        let (session, key) = self.session()?;
        let module = module(&self.uri.module)?;
        let info = module.get_token_info(self.slot(&module)?);
        let info = info.map_err(|error| trouble("tell of itself", &error))?;
        let name = name_of(info.serial_number(), &session, key)?;
        Ok(self.name.get_or_init(|| name).clone())
    }

    /// Nonce (12) ‖ ciphertext ‖ tag (16).
    fn wrap(&self, context: &str, key: &[u8; KEY_BYTES]) -> Result<Vec<u8>, MasterError> {
        let nonce: [u8; NONCE_BYTES] = random::bytes().map_err(MasterError::unavailable)?;
        let (session, handle) = self.session()?;
        let sealed = with_gcm(nonce, context, |gcm| session.encrypt(gcm, handle, key));
        let sealed = sealed.map_err(|error| trouble("wrap a key", &error))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    fn unwrap(
        &self,
        context: &str,
        wrapped: &[u8],
    ) -> Result<Zeroizing<[u8; KEY_BYTES]>, MasterError> {
        let (nonce, sealed) = wrapped
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(MasterError::NotAuthentic)?;
        let (session, handle) = self.session()?;
        let opened = with_gcm(*nonce, context, |gcm| session.decrypt(gcm, handle, sealed));
        let opened = opened.map(Zeroizing::new).map_err(|error| match error {
            // Some say this of what was changed, and of themselves being in trouble.
            Error::Pkcs11(RvError::GeneralError | RvError::FunctionFailed, _) => {
                MasterError::Unclear(
                    "the token failed to open a key and does not say why: it is in trouble itself, or another key wrapped this, \
                     or it was changed; nothing was lost"
                        .to_owned(),
                )
            }
            Error::Pkcs11(RvError::EncryptedDataInvalid | RvError::EncryptedDataLenRange, _) => {
                MasterError::NotAuthentic
            }
            error => trouble("open a key", &error),
        })?;
        let key: Result<[u8; KEY_BYTES], _> = opened.as_slice().try_into();
        key.map(Zeroizing::new)
            .map_err(|_length| MasterError::NotAuthentic)
    }
}
