//! Timestamps of a real authority, and what is no timestamp.

use crate::authority::{Authority, FOR_TIMESTAMPS, Key, POLICY};
use voicelog_evidence::digest::sha256;
use voicelog_evidence::timestamp::{Anchors, Question, Stamp, TimestampError};

const TEXT: &[u8] = b"voicelog/test\n7\nroot\n";

fn question() -> Question {
    Question {
        imprint: sha256(TEXT),
        nonce: Some([0x80, 2, 3, 4, 5, 6, 7, 8]),
        policy: None,
    }
}

fn anchors(authority: &Authority) -> Anchors {
    Anchors::from_pem(&authority.anchor()).unwrap()
}

fn verify(authority: &Authority, answer: &[u8]) -> Result<Stamp, TimestampError> {
    question().verify(answer, &anchors(authority))
}

/// The answer with another signed message in it: the stamp of this answer, signed with `openssl cms`,
/// which asks nobody what a certificate is for.
fn signed_anew(authority: &Authority, answer: &[u8], signer: &str) -> Vec<u8> {
    authority.write("answer.tsr", answer);
    authority.openssl("ts -reply -in answer.tsr -token_out -out token.der");
    authority.openssl("cms -verify -noverify -inform DER -in token.der -out stamp.der");
    authority.openssl(&format!(
        "cms -sign -cades -binary -nodetach -nosmimecap -outform DER -md sha256 \
         -econtent_type 1.2.840.113549.1.9.16.1.4 -in stamp.der {signer} -out anew.der"
    ));
    let token = authority.read("anew.der");
    let status = [0x30, 3, 2, 1, 0];
    sequence(&[&status[..], &token].concat())
}

fn sequence(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[0x30, 0x82], &length[..], content].concat()
}

const BY_SIGNER: &str = "-signer signer.pem -inkey signer.key";

#[test]
fn a_stamp_by_rsa_and_by_either_curve_is_believed_and_openssl_agrees() {
    for key in Key::ALL {
        let authority = Authority::new(key);
        for policy in [None, Some(POLICY.to_owned())] {
            let asked = Question {
                policy,
                ..question()
            };
            let answer = authority.answer(&asked.to_der().unwrap());
            let stamp = asked.verify(&answer, &anchors(&authority)).unwrap();
            assert_eq!(stamp.policy, POLICY);
            assert_eq!(stamp.accuracy_micros, Some(1_500_007));
            // What was signed lies in the answer too: openssl reads question and answer.
            authority
                .openssl("ts -verify -queryfile request.tsq -in answer.tsr -CAfile anchor.pem");
            authority.write("text", TEXT);
            authority.openssl("ts -verify -data text -in answer.tsr -CAfile anchor.pem");
        }
    }
}

#[test]
fn an_answer_to_another_question_is_named() {
    let authority = Authority::new(Key::P256);
    let answer = authority.answer(&question().to_der().unwrap());
    let anchors = anchors(&authority);
    let other = |change: fn(&mut Question)| {
        let mut asked = question();
        change(&mut asked);
        asked.verify(&answer, &anchors).unwrap_err()
    };
    assert_eq!(
        other(|asked| asked.imprint[0] ^= 1),
        TimestampError::Imprint
    );
    assert_eq!(
        other(|asked| asked.nonce = Some([1; 8])),
        TimestampError::Nonce
    );
    assert_eq!(
        other(|asked| asked.policy = Some("1.2.3.4.2".into())),
        TimestampError::Policy
    );
    let kept = Question {
        nonce: None,
        ..question()
    };
    assert!(
        kept.verify(&answer, &anchors).is_ok(),
        "of a kept answer no nonce is known"
    );
}

#[test]
fn an_authority_that_nobody_here_trusts_is_named() {
    let authority = Authority::new(Key::P256);
    let answer = authority.answer(&question().to_der().unwrap());
    // Another anchor with the same name.
    let other = Authority::new(Key::P256);
    assert_eq!(verify(&other, &answer), Err(TimestampError::Untrusted));
}

#[test]
fn a_refusal_is_an_answer_and_no_stamp() {
    let authority = Authority::new(Key::P256);
    let asked = Question {
        policy: Some("1.2.3.99".into()),
        ..question()
    };
    let answer = authority.answer(&asked.to_der().unwrap());
    assert_eq!(verify(&authority, &answer), Err(TimestampError::Refused(2)));
}

#[test]
fn a_certificate_for_other_purposes_is_named() {
    for (purpose, expected) in [
        (FOR_TIMESTAMPS, Ok(())),
        (
            "extendedKeyUsage = timeStamping",
            Err(TimestampError::Purpose),
        ),
        (
            "extendedKeyUsage = critical,timeStamping,emailProtection",
            Err(TimestampError::Purpose),
        ),
        (
            "extendedKeyUsage = critical,emailProtection",
            Err(TimestampError::Purpose),
        ),
        ("keyUsage = digitalSignature", Err(TimestampError::Purpose)),
        (
            "extendedKeyUsage = critical,timeStamping\n1.2.3.4.5 = critical,ASN1:NULL",
            Err(TimestampError::Certificate),
        ),
    ] {
        // This certificate first: it must hold already when the stamp is made.
        let authority = Authority::with(Key::P256, purpose, 10);
        let good = Authority::new(Key::P256);
        let answer = good.answer(&question().to_der().unwrap());
        let answer = signed_anew(&authority, &answer, BY_SIGNER);
        assert_eq!(verify(&authority, &answer).map(drop), expected, "{purpose}");
    }
}

#[test]
fn a_certificate_that_was_not_valid_at_that_moment_is_named() {
    let good = Authority::new(Key::P256);
    let answer = good.answer(&question().to_der().unwrap());
    let authority = Authority::with(Key::P256, FOR_TIMESTAMPS, -1);
    let answer = signed_anew(&authority, &answer, BY_SIGNER);
    assert_eq!(verify(&authority, &answer), Err(TimestampError::Expired));
}

#[test]
fn two_signers_and_one_that_is_not_named_are_refused() {
    let authority = Authority::new(Key::P256);
    let answer = authority.answer(&question().to_der().unwrap());
    let two = format!("{BY_SIGNER} -signer anchor.pem -inkey anchor.key");
    let answer_by_two = signed_anew(&authority, &answer, &two);
    assert_eq!(
        verify(&authority, &answer_by_two),
        Err(TimestampError::Signers)
    );
    let without = format!("{BY_SIGNER} -nocerts");
    let without = signed_anew(&authority, &answer, &without);
    assert_eq!(
        verify(&authority, &without),
        Err(TimestampError::SignerIdentity)
    );
}

#[test]
fn another_certificate_of_the_same_key_is_not_the_one_that_was_signed_for() {
    // With RSA both certificates are equally long, so that one fits in the place of the other.
    let authority = Authority::new(Key::Rsa);
    let certify = |days: u8, name: &str| {
        authority.openssl(&format!(
            "x509 -req -in signer.csr -CA anchor.pem -CAkey anchor.key -set_serial 7 -days {days} \
             -extfile purpose.cnf -out {name}.pem"
        ));
        authority.openssl(&format!("x509 -in {name}.pem -outform DER -out {name}.der"));
        authority.read(&format!("{name}.der"))
    };
    // Same name, same number, same key, another last day.
    let (second, first) = (certify(9, "second"), certify(10, "signer"));
    assert_eq!(first.len(), second.len());
    let answer = authority.answer(&question().to_der().unwrap());
    assert!(verify(&authority, &answer).is_ok());
    let at = answer.windows(first.len()).position(|part| part == first);
    let at = at.unwrap();
    let swapped = [&answer[..at], &second, &answer[at + first.len()..]].concat();
    assert_eq!(
        verify(&authority, &swapped),
        Err(TimestampError::SignerIdentity)
    );
}

#[test]
fn a_way_over_others_is_believed_where_each_may_certify() {
    for (constraints, expected) in [
        ("basicConstraints = critical,CA:TRUE", Ok(())),
        ("basicConstraints = critical,CA:TRUE,pathlen:0", Ok(())),
        (
            "basicConstraints = CA:FALSE",
            Err(TimestampError::Untrusted),
        ),
        (
            "subjectKeyIdentifier = hash",
            Err(TimestampError::Untrusted),
        ),
        (
            "basicConstraints = critical,CA:TRUE\nkeyUsage = critical,digitalSignature",
            Err(TimestampError::Untrusted),
        ),
    ] {
        let authority = Authority::new(Key::P256);
        authority.write("between.cnf", format!("{constraints}\n"));
        authority.openssl(
            "req -newkey rsa:2048 -nodes -keyout between.key -out between.csr -subj /CN=between",
        );
        authority.openssl(
            "x509 -req -in between.csr -CA anchor.pem -CAkey anchor.key -set_serial 8 -days 10 \
             -extfile between.cnf -out between.pem",
        );
        authority.openssl(
            "x509 -req -in signer.csr -CA between.pem -CAkey between.key -set_serial 9 -days 10 \
             -extfile purpose.cnf -out signer.pem",
        );
        let answer = Authority::new(Key::P256).answer(&question().to_der().unwrap());
        let answer = signed_anew(
            &authority,
            &answer,
            &format!("{BY_SIGNER} -certfile between.pem"),
        );
        assert_eq!(
            verify(&authority, &answer).map(drop),
            expected,
            "{constraints}"
        );
    }
}

#[test]
fn no_changed_or_missing_byte_makes_another_stamp() {
    let authority = Authority::new(Key::P256);
    let answer = authority.answer(&question().to_der().unwrap());
    let stamp = verify(&authority, &answer).unwrap();
    for at in 0..answer.len() {
        assert!(verify(&authority, &answer[..at]).is_err(), "cut at {at}");
        for bit in [0, 3, 7] {
            let mut changed = answer.clone();
            changed[at] ^= 1 << bit;
            // What nobody signed (the status text, the certificate's own place) may differ; the stamp not.
            if let Ok(other) = verify(&authority, &changed) {
                assert_eq!(other, stamp, "byte {at} bit {bit}");
            }
        }
    }
    let longer = [&answer[..], &[0]].concat();
    assert_eq!(verify(&authority, &longer), Err(TimestampError::Malformed));
}

#[test]
fn hostile_lengths_and_depths_end_at_once() {
    let authority = Authority::new(Key::P256);
    let mut nested = vec![0x05, 0x00];
    for _level in 0..5_000 {
        nested = sequence(&nested[..nested.len().min(60_000)]);
    }
    for hostile in [
        vec![],
        vec![0x30; 70_000],
        vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
        vec![0x30, 0x80, 0, 0],
        vec![0x3f; 1_000],
        nested,
    ] {
        assert_eq!(verify(&authority, &hostile), Err(TimestampError::Malformed));
    }
}

#[test]
fn what_is_no_anchor_is_refused() {
    for text in [
        "",
        "-----BEGIN CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
    ] {
        assert_eq!(
            Anchors::from_pem(text).map(drop),
            Err(TimestampError::Certificate)
        );
    }
}
