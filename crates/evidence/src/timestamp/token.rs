//! The answer of an authority: a status, and in it a signed message (RFC 5652) with the stamp.

use super::chain::{self, Cert};
use super::keys::{self, Hash};
use super::tlv::{self, Element, GENERALIZED_TIME, INTEGER, OCTETS, OID, Reader, SEQUENCE, SET};
use super::{ANSWER_BYTES_MAX, Question, Stamp, TimestampError, oid_bytes, positive};
use voicelog_model::Timestamp;
use x509_cert::der::asn1::ObjectIdentifier;

type Read<T> = Result<T, TimestampError>;

const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
const TST_INFO: &str = "1.2.840.113549.1.9.16.1.4";
const CONTENT_TYPE: &str = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";
const SIGNING_CERTIFICATE_V2: &str = "1.2.840.113549.1.9.16.2.47";
/// `[0]` and `[1]`, constructed.
const FIRST: u8 = 0xa0;
const SECOND: u8 = 0xa1;
/// Most attributes that are read.
const ATTRIBUTES_MAX: usize = 32;

fn is(oid: &Element<'_>, name: &str) -> Read<bool> {
    Ok(oid.content == oid_bytes(name)?)
}

/// The parts of the signed message.
struct Signed<'a> {
    info: &'a [u8],
    certificates: Vec<Cert>,
    signer: Reader<'a>,
}

pub(super) fn verify(question: &Question, answer: &[u8], anchors: &[Cert]) -> Read<Stamp> {
    if answer.len() > ANSWER_BYTES_MAX {
        return Err(TimestampError::Malformed);
    }
    let signed = open(answer)?;
    let signer = Signer::read(signed.signer)?;
    let info = Info::read(signed.info)?;
    info.check(question)?;
    signer.check_attributes(signed.info)?;
    let mut named = Vec::new();
    for cert in &signed.certificates {
        if signer.is(cert)? {
            named.push(cert);
        }
    }
    let cert = *named.first().ok_or(TimestampError::SignerIdentity)?;
    signer.check_identity(cert)?;
    keys::verify(
        &cert.read,
        signer.algorithm,
        Some(signer.hash),
        &signer.signed_bytes(),
        signer.signature,
    )?;
    chain::check(cert, &signed.certificates, anchors, info.at)?;
    Ok(Stamp {
        at: info.at,
        accuracy_micros: info.accuracy,
        policy: ObjectIdentifier::from_bytes(info.policy)
            .map_err(|_oid| TimestampError::Malformed)?
            .to_string(),
    })
}

/// Through the status to the signed message. Exactly one signs.
fn open(answer: &[u8]) -> Read<Signed<'_>> {
    let mut response = tlv::only(answer, SEQUENCE)?.inside();
    let status = response.need(SEQUENCE)?.inside().need(INTEGER)?.small()?;
    // Granted, or granted with changes (RFC 3161 §2.4.2).
    if status > 1 {
        return Err(TimestampError::Refused(status));
    }
    let mut content = response.need(SEQUENCE)?.inside();
    response.end()?;
    if !is(&content.need(OID)?, SIGNED_DATA)? {
        return Err(TimestampError::Malformed);
    }
    let data = content.need(FIRST)?;
    content.end()?;
    let mut data = tlv::only(data.content, SEQUENCE)?.inside();
    if data.need(INTEGER)?.small()? != 3 {
        return Err(TimestampError::Malformed);
    }
    data.need(SET)?;
    let mut encapsulated = data.need(SEQUENCE)?.inside();
    if !is(&encapsulated.need(OID)?, TST_INFO)? {
        return Err(TimestampError::Malformed);
    }
    let info = tlv::only(encapsulated.need(FIRST)?.content, OCTETS)?;
    encapsulated.end()?;
    let certificates = match data.maybe(FIRST)? {
        Some(set) => chain::read_all(set.content)?,
        None => Vec::new(),
    };
    data.maybe(SECOND)?;
    let mut signers = data.need(SET)?.inside();
    data.end()?;
    let signer = signers
        .need(SEQUENCE)
        .map_err(|_none| TimestampError::Signers)?;
    if !signers.is_empty() {
        return Err(TimestampError::Signers);
    }
    Ok(Signed {
        info: info.content,
        certificates,
        signer: signer.inside(),
    })
}

/// Who signed, what, and how.
struct Signer<'a> {
    issuer: &'a [u8],
    serial: &'a [u8],
    hash: Hash,
    attributes: Element<'a>,
    algorithm: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Signer<'a> {
    fn read(mut fields: Reader<'a>) -> Read<Self> {
        // Version 1: named by issuer and number, which every authority in use does.
        if fields.need(INTEGER)?.small()? != 1 {
            return Err(TimestampError::SignerIdentity);
        }
        let mut name = fields.need(SEQUENCE)?.inside();
        let issuer = name.need(SEQUENCE)?.whole;
        let serial = name.need(INTEGER)?.content;
        name.end()?;
        let hash = Hash::of(keys::algorithm(&mut fields)?)?;
        let attributes = fields
            .maybe(FIRST)?
            .ok_or(TimestampError::SignedAttributes)?;
        let algorithm = keys::algorithm(&mut fields)?;
        let signature = fields.need(OCTETS)?.content;
        fields.maybe(SECOND)?;
        fields.end()?;
        Ok(Self {
            issuer,
            serial,
            hash,
            attributes,
            algorithm,
            signature,
        })
    }

    fn is(&self, cert: &Cert) -> Read<bool> {
        cert.is_named(self.issuer, self.serial)
    }

    /// The signed attributes as they were signed: a set, not an implicit tag (RFC 5652 §5.4).
    fn signed_bytes(&self) -> Vec<u8> {
        tlv::write(SET, self.attributes.content)
    }

    /// The one value of an attribute that must be there once.
    fn attribute(&self, name: &str) -> Read<Option<Element<'a>>> {
        let mut found = None;
        let mut reader = self.attributes.inside();
        let mut count = 0;
        while !reader.is_empty() {
            count += 1;
            let mut fields = reader.need(SEQUENCE)?.inside();
            let oid = fields.need(OID)?;
            let mut values = fields.need(SET)?.inside();
            fields.end()?;
            let value = values.any()?;
            if !is(&oid, name)? {
                continue;
            }
            values.end()?;
            if found.replace(value).is_some() || count > ATTRIBUTES_MAX {
                return Err(TimestampError::SignedAttributes);
            }
        }
        Ok(found)
    }

    /// The attributes say what the token holds.
    fn check_attributes(&self, info: &[u8]) -> Read<()> {
        let wrong = TimestampError::SignedAttributes;
        let kind = self.attribute(CONTENT_TYPE)?.ok_or(wrong)?;
        let digest = self.attribute(MESSAGE_DIGEST)?.ok_or(wrong)?;
        let is_kind = kind.tag == OID && is(&kind, TST_INFO)?;
        if is_kind && digest.tag == OCTETS && digest.content == self.hash.digest(info) {
            Ok(())
        } else {
            Err(wrong)
        }
    }

    /// The signed attributes name this certificate (RFC 5816 §2.2.1): another one with the same key would
    /// not do.
    fn check_identity(&self, cert: &Cert) -> Read<()> {
        let wrong = TimestampError::SignerIdentity;
        let value = self.attribute(SIGNING_CERTIFICATE_V2)?.ok_or(wrong)?;
        if value.tag != SEQUENCE {
            return Err(wrong);
        }
        let mut list = value.inside().need(SEQUENCE)?.inside();
        let mut first = list.need(SEQUENCE)?.inside();
        let hash = match first.maybe(SEQUENCE)? {
            Some(algorithm) => Hash::of(algorithm.inside().need(OID)?.content)?,
            None => Hash::Sha256,
        };
        if first.need(OCTETS)?.content == hash.digest(&cert.der) {
            Ok(())
        } else {
            Err(wrong)
        }
    }
}

/// The stamp proper (RFC 3161 §2.4.2, TSTInfo).
struct Info<'a> {
    policy: &'a [u8],
    hash: &'a [u8],
    imprint: &'a [u8],
    at: Timestamp,
    accuracy: Option<u64>,
    nonce: Option<&'a [u8]>,
}

impl<'a> Info<'a> {
    fn read(bytes: &'a [u8]) -> Read<Self> {
        let mut fields = tlv::only(bytes, SEQUENCE)?.inside();
        if fields.need(INTEGER)?.small()? != 1 {
            return Err(TimestampError::Malformed);
        }
        let policy = fields.need(OID)?.content;
        let mut imprint = fields.need(SEQUENCE)?.inside();
        let hash = keys::algorithm(&mut imprint)?;
        let hashed = imprint.need(OCTETS)?.content;
        imprint.end()?;
        fields.need(INTEGER)?;
        let at = moment(fields.need(GENERALIZED_TIME)?.content)?;
        let accuracy = fields.maybe(SEQUENCE)?.map(accuracy).transpose()?;
        fields.maybe(0x01)?;
        let nonce = fields.maybe(INTEGER)?.map(|nonce| nonce.content);
        fields.maybe(FIRST)?;
        fields.maybe(SECOND)?;
        fields.end()?;
        Ok(Self {
            policy,
            hash,
            imprint: hashed,
            at,
            accuracy,
            nonce,
        })
    }

    fn check(&self, question: &Question) -> Read<()> {
        if self.hash != keys::SHA256 || self.imprint != question.imprint {
            return Err(TimestampError::Imprint);
        }
        if let Some(nonce) = question.nonce
            && self.nonce != Some(&positive(&nonce))
        {
            return Err(TimestampError::Nonce);
        }
        if let Some(policy) = &question.policy
            && self.policy != oid_bytes(policy)?
        {
            return Err(TimestampError::Policy);
        }
        Ok(())
    }
}

/// `YYYYMMDDhhmmss[.f…]Z`, the only form that RFC 3161 allows.
fn moment(bytes: &[u8]) -> Read<Timestamp> {
    let malformed = TimestampError::Malformed;
    let text = std::str::from_utf8(bytes).map_err(|_text| malformed)?;
    let body = text.strip_suffix('Z').ok_or(malformed)?;
    let (whole, fraction) = match body.split_once('.') {
        Some((whole, digits)) if !digits.is_empty() && !digits.ends_with('0') => (whole, digits),
        Some(_) => return Err(malformed),
        None => (body, "0"),
    };
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() != 14 || !is_number(whole) || !is_number(fraction) || fraction.len() > 9 {
        return Err(malformed);
    }
    let part = |from: usize, to: usize| whole.get(from..to).ok_or(malformed);
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    format!("{year}-{month}-{day}T{hour}:{minute}:{second}.{fraction}Z")
        .parse()
        .map_err(|_moment| malformed)
}

/// Seconds, milliseconds `[0]` and microseconds `[1]`, together in microseconds.
fn accuracy(element: Element<'_>) -> Read<u64> {
    let mut fields = element.inside();
    let mut sum = 0_u64;
    for (tag, micros) in [(INTEGER, 1_000_000), (0x80, 1_000), (0x81, 1)] {
        if let Some(part) = fields.maybe(tag)? {
            let part = part.small()?.saturating_mul(micros);
            sum = sum.saturating_add(part);
        }
    }
    fields.end()?;
    Ok(sum)
}
