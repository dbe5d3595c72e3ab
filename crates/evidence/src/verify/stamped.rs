//! What another clock says: a timestamp of the log in which the recording is.

use super::Trust;
use super::claims::Claims;
use super::facts::fact;
use super::files::Files;
use super::report::{Check, Fact, Findings, Text};
use crate::bundle::file;
use crate::checkpoint::TlogProof;
use crate::digest::sha256;
use crate::note::VerifierKey;
use crate::timestamp::{Anchors, Question};
use voicelog_model::Timestamp;

/// Checks the timestamp, if there is one: the recording is in the log that was stamped, and the stamp
/// holds under the certificates that are believed; without any, under those of the bundle.
/// It was given under the policy that is asked for, if one is.
pub(super) fn check(
    files: &Files<'_>,
    claims: &Claims,
    key: Option<&VerifierKey>,
    trust: &Trust<'_>,
    findings: &mut Findings,
) -> Option<Fact> {
    let believed = trust.anchors;
    if files.get(file::STAMPED).is_none() && files.get(file::STAMP).is_none() {
        return None;
    }
    let proof = files.need(file::STAMPED, Check::Timestamp, findings);
    let token = files.need(file::STAMP, Check::Timestamp, findings);
    let text = shown_in_log(proof?, claims, key, findings)?;
    let of_bundle = files.get(file::STAMP_ANCHORS).map(|pem| {
        let pem = std::str::from_utf8(pem).unwrap_or_default();
        Anchors::from_pem(pem)
    });
    let of_bundle = match of_bundle {
        Some(Err(error)) => {
            findings.broken(
                Check::Timestamp,
                file::STAMP_ANCHORS,
                NO_CERTIFICATES,
                Some(&error),
            );
            None
        }
        Some(Ok(anchors)) => Some(anchors),
        None => None,
    };
    let Some(anchors) = believed.or(of_bundle.as_ref()) else {
        findings.warn(Check::Timestamp, file::STAMP, NOBODY_TO_BELIEVE);
        return None;
    };
    let question = Question {
        imprint: sha256(text.as_bytes()),
        policy: trust.stamp_policy.map(str::to_owned),
        ..Question::default()
    };
    match question.verify(token?, anchors) {
        Ok(stamp) => {
            if believed.is_some() {
                findings.ok(Check::Timestamp, file::STAMP, STAMPED);
            } else {
                findings.warn(Check::Timestamp, file::STAMP, STAMPED_BY_OWN_WORD);
            }
            warn_of_clocks(stamp.at, stamp.accuracy_micros, claims, findings);
            let at = stamp.at.to_string();
            Some(fact(
                (
                    "in het logboek op, zegt een tijdstempel",
                    "in the log at, says a timestamp",
                ),
                at.clone(),
                at,
            ))
        }
        Err(error) => {
            findings.broken(Check::Timestamp, file::STAMP, NOT_STAMPED, Some(&error));
            None
        }
    }
}

/// An authority cannot have seen in the log what, by the archive's clock, was not there yet.
fn warn_of_clocks(
    stamped: Timestamp,
    accuracy_micros: Option<u64>,
    claims: &Claims,
    findings: &mut Findings,
) {
    let accuracy = i64::try_from(accuracy_micros.unwrap_or(0)).unwrap_or(i64::MAX);
    let latest = stamped.plus_micros(accuracy);
    let logged = claims.opening.as_ref().map(|opening| opening.leaf.at);
    let ended = claims.manifest.as_ref().map(|manifest| manifest.call_ended);
    for (said, text) in [(ended, BEFORE_END), (logged, BEFORE_LOGGED)] {
        if said.is_some_and(|said| latest < said) {
            findings.warn(Check::Timestamp, file::STAMP, text);
            return;
        }
    }
}

/// The text of the checkpoint that was stamped, if it is of the archive's log and has the recording.
fn shown_in_log(
    proof: &[u8],
    claims: &Claims,
    key: Option<&VerifierKey>,
    findings: &mut Findings,
) -> Option<String> {
    let proof = TlogProof::parse(proof)
        .map_err(|error| {
            findings.broken(Check::Timestamp, file::STAMPED, NOT_IN_LOG, Some(&error));
        })
        .ok()?;
    let leaf = claims.opening.as_ref()?.leaf.hash().ok()?;
    match proof.verify(&leaf, key?) {
        Ok(checkpoint) => Some(checkpoint.to_string()),
        Err(error) => {
            findings.broken(Check::Timestamp, file::STAMPED, NOT_IN_LOG, Some(&error));
            None
        }
    }
}

const NOT_IN_LOG: Text = (
    "dat de opname in het gestempelde logboek staat, is niet bewezen",
    "it is not proven that the recording is in the log that was stamped",
);
const NO_CERTIFICATES: Text = ("dit zijn geen certificaten", "these are no certificates");
const NOBODY_TO_BELIEVE: Text = (
    "er is een tijdstempel, en geen certificaat om het mee na te gaan (geef een --tsa-anchor)",
    "there is a timestamp, and no certificate to check it with (give a --tsa-anchor)",
);
const STAMPED: Text = (
    "een tijdstempel van buiten zegt wanneer het logboek deze opname al had",
    "a timestamp from outside says when the log already had this recording",
);
const STAMPED_BY_OWN_WORD: Text = (
    "een tijdstempel zegt wanneer het logboek deze opname al had; wie het gaf, zegt alleen de bundel zelf",
    "a timestamp says when the log already had this recording; who gave it, only the bundle itself says",
);
const BEFORE_END: Text = (
    "het tijdstempel is van voor het einde van het gesprek, zoals het archief dat noemt: de klok van het archief liep voor, of die van het stempel achter",
    "the timestamp is from before the end of the call, as the archive says it: the archive's clock was ahead, or the authority's behind",
);
const BEFORE_LOGGED: Text = (
    "het tijdstempel is van voor het moment waarop de opname volgens het archief in het logboek kwam: een van beide klokken loopt verkeerd",
    "the timestamp is from before the moment at which, the archive says, the recording came into the log: one of both clocks is wrong",
);
const NOT_STAMPED: Text = ("het tijdstempel klopt niet", "the timestamp does not hold");
