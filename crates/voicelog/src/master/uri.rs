//! The address of a key in a token (RFC 7512), as far as a master key needs it.

use super::credential_name;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Which key in which token, by which library, and where its PIN is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenUri {
    /// The library of the token's maker.
    pub(super) module: PathBuf,
    /// The label of the token.
    pub(super) token: Option<String>,
    /// Its serial number.
    pub(super) serial: Option<String>,
    /// The label of the key.
    pub(super) object: Option<String>,
    /// The id of the key.
    pub(super) id: Option<Vec<u8>>,
    /// Where the PIN is.
    pub(super) pin: PinSource,
}

/// Where a PIN is. It is never in the address itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PinSource {
    File(PathBuf),
    Credential(String),
}

/// Bytes of text in which `%41` is `A`.
fn unescaped(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = after.split_at_checked(2);
        let (digits, after) = digits.ok_or_else(|| format!("`{text}` ends in half a `%`"))?;
        let digits = std::str::from_utf8(digits).unwrap_or_default();
        let byte = u8::from_str_radix(digits, 16);
        bytes.push(byte.map_err(|_error| format!("`%{digits}` is no byte"))?);
        rest = after;
    }
    Ok(bytes)
}

fn text(value: &str) -> Result<String, String> {
    String::from_utf8(unescaped(value)?).map_err(|_error| format!("`{value}` is no UTF-8"))
}

impl FromStr for TokenUri {
    type Err = String;
    fn from_str(uri: &str) -> Result<Self, String> {
        let rest = uri
            .strip_prefix("pkcs11:")
            .ok_or("a key in a token begins with `pkcs11:`")?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (mut token, mut serial, mut object, mut id) = (None, None, None, None);
        for part in path.split(';').filter(|part| !part.is_empty()) {
            let (name, value) = part
                .split_once('=')
                .ok_or_else(|| format!("`{part}` has no `=`"))?;
            match name {
                "token" => token = Some(text(value)?),
                "serial" => serial = Some(text(value)?),
                "object" => object = Some(text(value)?),
                "id" => id = Some(unescaped(value)?),
                "type" if value == "secret-key" => {}
                "type" => return Err("a master key is of `type=secret-key`".to_owned()),
                _ => {
                    return Err(format!(
                        "`{name}` is not known here: token, serial, object, id, type"
                    ));
                }
            }
        }
        let (mut module, mut pin) = (None, None);
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part
                .split_once('=')
                .ok_or_else(|| format!("`{part}` has no `=`"))?;
            match name {
                "module-path" => module = Some(PathBuf::from(text(value)?)),
                "pin-source" => pin = Some(pin_source(&text(value)?)?),
                "pin-value" => {
                    return Err(
                        "a PIN does not belong here: put it in a file, `pin-source=file:PATH`"
                            .to_owned(),
                    );
                }
                _ => {
                    return Err(format!(
                        "`{name}` is not known here: module-path, pin-source"
                    ));
                }
            }
        }
        if token.is_none() && serial.is_none() {
            return Err("`token=` or `serial=` says which token".to_owned());
        }
        if object.is_none() && id.is_none() {
            return Err("`object=` or `id=` says which key in the token".to_owned());
        }
        Ok(Self {
            module: module.ok_or("`?module-path=` names the library of the token")?,
            token,
            serial,
            object,
            id,
            pin: pin
                .ok_or("`&pin-source=file:PATH`, or `credential:NAME`, says where the PIN is")?,
        })
    }
}

fn pin_source(value: &str) -> Result<PinSource, String> {
    if let Some(name) = value.strip_prefix("credential:") {
        return credential_name(name).map(|name| PinSource::Credential(name.to_owned()));
    }
    let path = value.strip_prefix("file:").unwrap_or(value);
    if path.is_empty() || path.starts_with('|') {
        return Err("`pin-source` is `file:PATH` or `credential:NAME`".to_owned());
    }
    Ok(PinSource::File(PathBuf::from(path)))
}

impl fmt::Display for TokenUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("pkcs11:")?;
        let named = [
            ("token", &self.token),
            ("serial", &self.serial),
            ("object", &self.object),
        ];
        for (name, value) in named {
            if let Some(value) = value {
                write!(f, "{name}={value};")?;
            }
        }
        write!(f, "type=secret-key")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_token_key_library_and_where_the_pin_is() {
        let uri = "pkcs11:token=het%20archief;object=master;id=%01%ff;type=secret-key\
                   ?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/voicelog/pin";
        let uri: TokenUri = uri.parse().unwrap();
        assert_eq!(uri.token.as_deref(), Some("het archief"));
        assert_eq!(uri.id, Some(vec![1, 0xff]));
        assert_eq!(uri.pin, PinSource::File(PathBuf::from("/etc/voicelog/pin")));
        assert_eq!(
            uri.to_string(),
            "pkcs11:token=het archief;object=master;type=secret-key"
        );
    }

    #[test]
    fn what_is_missing_wrong_or_secret_is_named() {
        let of = |uri: &str| uri.parse::<TokenUri>().unwrap_err();
        for (uri, told) in [
            ("pkcs11:object=a?module-path=m&pin-source=p", "`token=`"),
            ("pkcs11:token=a?module-path=m&pin-source=p", "`object=`"),
            ("pkcs11:token=a;object=b?pin-source=p", "`?module-path=`"),
            ("pkcs11:token=a;object=b?module-path=m", "where the PIN is"),
            (
                "pkcs11:token=a;object=b?module-path=m&pin-value=1234",
                "does not belong here",
            ),
            ("pkcs11:token=a;object=b;slot=1?module-path=m", "`slot`"),
            ("pkcs11:token=%4;object=b", "half a `%`"),
            (
                "pkcs11:token=a;object=b?module-path=m&pin-source=|cat",
                "`file:PATH`",
            ),
        ] {
            assert!(of(uri).contains(told), "{uri}: {}", of(uri));
        }
        assert!(!of("pkcs11:token=a;object=b?module-path=m&pin-value=1234").contains("1234"));
    }
}
