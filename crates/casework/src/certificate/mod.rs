//! The declaration of destruction: what was destroyed, why, when, how, and what that does not prove, of one
//! recording or of all that were destroyed in a time (Archiefbesluit 1995 art. 8 asks it of a government body).
//!
//! It says nothing that is not in the signed certificates of these recordings, and carries them along, so
//! that a stranger can check it.

mod html;
mod several;
mod sheet;
#[cfg(test)]
mod tests;

pub use html::html;

use voicelog_archive::{Archive, ArchiveError, RecordingFilter, State};
use voicelog_evidence::certificate::{Certificate, CertificateError, DestructionStatement};
use voicelog_evidence::checkpoint::Checkpoint;
use voicelog_evidence::note::VerifierKey;
use voicelog_evidence::sheet::{Printer, Sheet};
use voicelog_model::{Language, RecordingId, Timestamp};

use crate::print::PdfPrinter;

/// Recordings in one declaration at most: some hundreds of pages.
pub const RECORDINGS_MAX: usize = 10_000;
/// Recordings read from the index at a time.
const PAGE_ROWS: usize = 500;
/// With what each certificate begins, on a line of its own.
const FIRST_LINE: &str = "voicelog-destruction/v1\n";
/// What may stand around certificates.
const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// A certificate that was checked, and its text as it was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// What it says.
    pub certificate: Certificate,
    /// The log that it shows its entry in.
    pub checkpoint: Checkpoint,
    /// The signed text.
    pub signed: String,
}

impl Checked {
    fn statement(&self) -> &DestructionStatement {
        &self.certificate.statement
    }
}

/// What was destroyed, with its proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// The certificates, the first destruction first.
    pub checked: Vec<Checked>,
    /// From when to when it was destroyed; none where one recording was asked for.
    pub period: Option<(Timestamp, Timestamp)>,
    /// Recordings of which only the log says that they are destroyed: their certificates are still to be made
    /// after a crash, or were lost when an older copy of the archive was restored.
    pub uncertified: Vec<RecordingId>,
    /// The archive's key, in text, that all of it is checked with.
    pub key: String,
    /// When this was put together.
    pub made_at: Timestamp,
}

/// Why there is no declaration.
#[derive(Debug, thiserror::Error)]
pub enum DeclarationError {
    /// The archive.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// It is not destroyed.
    #[error("recording {0} is not destroyed")]
    NotDestroyed(RecordingId),
    /// There is no certificate of it.
    #[error(
        "of recording {0} only the log says that it is destroyed: its certificate is still to be made (at the next start), or was lost when an older copy of the archive was restored"
    )]
    NoCertificate(RecordingId),
    /// A time in which nothing can have been destroyed.
    #[error(
        "a declaration is about a time that has begun: its start lies before its end, and not in the future"
    )]
    Period,
    /// Too much for one document.
    #[error(
        "more than {RECORDINGS_MAX} recordings were destroyed in that time; choose a shorter one"
    )]
    TooMany,
    /// A certificate does not hold.
    #[error("the certificate of recording {id} does not hold")]
    Certificate {
        /// Of which recording.
        id: RecordingId,
        /// Why.
        #[source]
        source: CertificateError,
    },
    /// It could not be put on paper.
    #[error("the declaration cannot be printed: {0}")]
    Print(String),
}

/// The declaration about one destroyed recording, or about one whose sound was destroyed. Where the sound went before
/// the rest, both destructions are in it.
pub fn of_recording(
    archive: &Archive,
    id: RecordingId,
    now: Timestamp,
) -> Result<Declaration, DeclarationError> {
    let summary = archive.summary(id)?;
    let sound = archive.sound_certificate(id)?;
    let whole = match (summary.state, summary.sound_destroyed_at) {
        (State::Destroyed, _) => archive.certificate(id)?,
        (_, Some(_of_the_sound)) => None,
        (_, None) => return Err(DeclarationError::NotDestroyed(id)),
    };
    let key = archive.verifier_key();
    let verifier = verifier(&key)?;
    let signed = sound.into_iter().chain(whole);
    let found: Result<Vec<_>, _> = signed.map(|one| checked(id, one, &verifier)).collect();
    let found = found?;
    if found.is_empty() {
        return Err(DeclarationError::NoCertificate(id));
    }
    let is_whole = |one: &Checked| one.statement().scope.is_whole();
    let is_uncertified = summary.state == State::Destroyed && !found.iter().any(is_whole);
    Ok(Declaration {
        checked: found,
        period: None,
        uncertified: is_uncertified.then_some(id).into_iter().collect(),
        key,
        made_at: now,
    })
}

/// The declaration about everything that was destroyed from one moment on and before another, or up to now.
/// What a sweep of this moment still destroys can be missing: ask about a day that is over.
pub fn of_period(
    archive: &Archive,
    from: Timestamp,
    to: Timestamp,
    now: Timestamp,
) -> Result<Declaration, DeclarationError> {
    let to = to.min(now);
    if from >= to {
        return Err(DeclarationError::Period);
    }
    let key = archive.verifier_key();
    let verifier = verifier(&key)?;
    let filter = RecordingFilter {
        state: Some(State::Destroyed),
        ..RecordingFilter::default()
    };
    let (mut found, mut uncertified, mut after) = (Vec::new(), Vec::new(), None);
    loop {
        let (page, next) = archive.list(&filter, after, PAGE_ROWS)?;
        let is_in = |at: Option<Timestamp>| at.is_some_and(|at| from <= at && at < to);
        for one in page.iter().filter(|one| is_in(one.destroyed_at)) {
            if found.len() + uncertified.len() == RECORDINGS_MAX {
                return Err(DeclarationError::TooMany);
            }
            match archive.certificate(one.id)? {
                Some(signed) => found.push(checked(one.id, signed, &verifier)?),
                None => uncertified.push(one.id),
            }
        }
        after = next;
        if after.is_none() {
            break;
        }
    }
    add_sound(archive, (from, to), &verifier, &mut found, &mut uncertified)?;
    found.sort_by_key(|one| (one.statement().completed_at, one.statement().recording));
    Ok(Declaration {
        checked: found,
        period: Some((from, to)),
        uncertified,
        key,
        made_at: now,
    })
}

/// The same of those whose sound alone was destroyed in that time.
fn add_sound(
    archive: &Archive,
    within: (Timestamp, Timestamp),
    verifier: &VerifierKey,
    found: &mut Vec<Checked>,
    uncertified: &mut Vec<RecordingId>,
) -> Result<(), DeclarationError> {
    let mut after = None;
    loop {
        let page = archive.sound_destroyed(within, after, PAGE_ROWS)?;
        for id in &page {
            if found.len() + uncertified.len() == RECORDINGS_MAX {
                return Err(DeclarationError::TooMany);
            }
            match archive.sound_certificate(*id)? {
                Some(signed) => found.push(checked(*id, signed, verifier)?),
                None => uncertified.push(*id),
            }
        }
        after = page.last().copied();
        if after.is_none() {
            return Ok(());
        }
    }
}

fn verifier(key: &str) -> Result<VerifierKey, DeclarationError> {
    key.parse().map_err(|_key| {
        DeclarationError::Archive(ArchiveError::Corrupt {
            what: "the archive's key".to_owned(),
        })
    })
}

fn checked(
    id: RecordingId,
    signed: String,
    key: &VerifierKey,
) -> Result<Checked, DeclarationError> {
    let (certificate, checkpoint) = Certificate::verify(signed.as_bytes(), key)
        .map_err(|source| DeclarationError::Certificate { id, source })?;
    Ok(Checked {
        certificate,
        checkpoint,
        signed,
    })
}

impl Declaration {
    /// The signed certificates, one after the other: what [`check`] reads.
    #[must_use]
    pub fn text(&self) -> String {
        let all = self.checked.iter().map(|one| one.signed.as_str());
        all.collect()
    }

    /// What it says, for people.
    #[must_use]
    pub fn sheet(&self, archive: &Archive, lang: Language) -> Sheet {
        let rulebook = archive.rulebook();
        sheet::sheet(self, &rulebook, lang)
    }

    /// The same on paper (PDF/A-2a, PDF/UA-1).
    pub fn pdf(&self, archive: &Archive, lang: Language) -> Result<Vec<u8>, DeclarationError> {
        let sheets = [self.sheet(archive, lang)];
        PdfPrinter
            .print(sheet::title(lang), self.made_at, &sheets)
            .map_err(DeclarationError::Print)
    }

    /// The same as a page that needs nothing else, with the certificates in it.
    #[must_use]
    pub fn page(&self, archive: &Archive, lang: Language) -> String {
        html::page(&self.sheet(archive, lang), &self.text())
    }
}

/// Checks every certificate in a file: the text, or the page that a declaration is. Each with its own answer;
/// empty where there is none in it.
#[must_use]
pub fn check(file: &str, key: &VerifierKey) -> Vec<Result<Checked, CertificateError>> {
    let file = file.strip_prefix('\u{feff}').unwrap_or(file);
    let text = html::certificates_in(file).unwrap_or_else(|| file.replace("\r\n", "\n"));
    let text = text.trim_start_matches(SPACE);
    let mut starts: Vec<usize> = text.match_indices(FIRST_LINE).map(|(at, _)| at).collect();
    starts.retain(|at| *at == 0 || text.as_bytes().get(at.wrapping_sub(1)) == Some(&b'\n'));
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    // A certificate whose first line was damaged must not be passed over.
    let before = starts
        .first()
        .is_some_and(|first| *first > 0)
        .then_some(Err(CertificateError::Malformed(
            "there is something else before the first certificate",
        )));
    let certificates = starts.iter().zip(ends).map(|(start, end)| {
        // Editors and mail add lines, and take the last one away.
        let signed = text.get(*start..end).unwrap_or_default();
        let signed = format!("{}\n", signed.trim_end_matches(SPACE));
        let (certificate, checkpoint) = Certificate::verify(signed.as_bytes(), key)?;
        Ok(Checked {
            certificate,
            checkpoint,
            signed,
        })
    });
    before.into_iter().chain(certificates).collect()
}
