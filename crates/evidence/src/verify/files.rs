//! Container, list of files, signature and key.

use super::report::{Check, Findings};
use crate::bundle::{BundleNote, file};
use crate::digest::Digest;
use crate::note::{Note, VerifierKey};
use crate::zip::{Scanned, ZipError};
use std::collections::BTreeMap;

/// The files of a bundle by name.
pub(super) struct Files<'a> {
    order: Vec<&'a str>,
    contents: BTreeMap<&'a str, &'a [u8]>,
}

impl<'a> Files<'a> {
    pub(super) fn new(scanned: &[Scanned<'a>], findings: &mut Findings) -> Self {
        for entry in scanned.iter().filter(|entry| !entry.intact) {
            let error = ZipError::Content {
                entry: entry.name.to_owned(),
                at: entry.at,
            };
            let text = ("de inhoud is veranderd", "the content was changed");
            findings.broken(Check::Container, entry.name, text, Some(&error));
        }
        if findings.holds(Check::Container) {
            findings.ok(
                Check::Container,
                "ZIP",
                (
                    "het ZIP-bestand is byte voor byte zoals het geschreven is",
                    "the ZIP file is as it was written, byte for byte",
                ),
            );
        }
        Self {
            order: scanned.iter().map(|entry| entry.name).collect(),
            contents: scanned
                .iter()
                .map(|entry| (entry.name, entry.content))
                .collect(),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.contents.get(name).copied()
    }

    /// The names in the order of the container.
    pub(super) fn names(&self) -> &[&'a str] {
        &self.order
    }

    /// The content of a file, or a finding that it is not there.
    pub(super) fn need(
        &self,
        name: &str,
        check: Check,
        findings: &mut Findings,
    ) -> Option<&'a [u8]> {
        let content = self.get(name);
        if content.is_none() {
            let text = ("dit bestand ontbreekt", "this file is missing");
            findings.broken(check, name, text, None);
        }
        content
    }

    /// The key to check with: the trusted one, or else the one that the bundle states.
    pub(super) fn key(
        &self,
        trusted: Option<&VerifierKey>,
        findings: &mut Findings,
    ) -> Option<VerifierKey> {
        let stated = self.stated_key(findings);
        let Some(trusted) = trusted else {
            if stated.is_some() {
                findings.warn(
                    Check::Key,
                    file::KEY,
                    (
                        "deze sleutel staat in de bundel zelf; vraag het archief langs een andere \
                         weg of dit zijn sleutel is",
                        "the bundle itself states the key; ask the archive by another way whether \
                         this is its key",
                    ),
                );
            }
            return stated;
        };
        if let Some(stated) = stated {
            findings.expect(
                stated == *trusted,
                Check::Key,
                file::KEY,
                (
                    "het is de sleutel die u opgaf",
                    "it is the key that you gave",
                ),
                (
                    "het is niet de sleutel die u opgaf",
                    "it is not the key that you gave",
                ),
            );
        }
        Some(trusted.clone())
    }

    /// The key that the bundle states, where it can be read.
    pub(super) fn named_key(&self) -> Option<VerifierKey> {
        let text = std::str::from_utf8(self.get(file::KEY)?).ok()?;
        text.strip_suffix('\n')?.parse().ok()
    }

    fn stated_key(&self, findings: &mut Findings) -> Option<VerifierKey> {
        let bytes = self.need(file::KEY, Check::Key, findings)?;
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        let parsed = text.strip_suffix('\n').unwrap_or_default().parse();
        match parsed {
            Ok(key) => Some(key),
            Err(error) => {
                let text = ("dit is geen sleutel", "this is no key");
                findings.broken(Check::Key, file::KEY, text, Some(&error));
                None
            }
        }
    }

    /// Checks the signed list of files and every file against it.
    pub(super) fn signed_list(
        &self,
        key: Option<&VerifierKey>,
        sums: &BTreeMap<&str, Digest>,
        findings: &mut Findings,
    ) -> Option<BundleNote> {
        let bytes = self.need(file::NOTE, Check::Signature, findings)?;
        let note = match Note::parse(bytes) {
            Ok(note) => note,
            Err(error) => {
                let text = ("dit is geen ondertekende lijst", "this is no signed list");
                findings.broken(Check::Signature, file::NOTE, text, Some(&error));
                return None;
            }
        };
        match key.map(|key| key.verify_alone(&note)) {
            Some(Ok(_)) => findings.ok(
                Check::Signature,
                file::NOTE,
                (
                    "de handtekening van het archief klopt",
                    "the archive's signature is right",
                ),
            ),
            Some(Err(error)) => {
                let text = ("de handtekening klopt niet", "the signature is not right");
                findings.broken(Check::Signature, file::NOTE, text, Some(&error));
            }
            None => {
                let text = (
                    "er is geen sleutel om mee te controleren",
                    "there is no key to check with",
                );
                findings.broken(Check::Signature, file::NOTE, text, None);
            }
        }
        // The files are compared also where the signature is broken, so that more can be named.
        let Some(list) = BundleNote::parse(note.unverified_text()) else {
            let text = (
                "de lijst van bestanden is niet in een bekende versie",
                "the list of files is not in a version that is known here",
            );
            findings.broken(Check::Files, file::NOTE, text, None);
            return None;
        };
        self.compare(&list, sums, findings);
        Some(list)
    }

    fn compare(&self, list: &BundleNote, sums: &BTreeMap<&str, Digest>, findings: &mut Findings) {
        for (name, digest) in &list.files {
            if self.need(name, Check::Files, findings).is_some()
                && sums.get(name.as_str()) != Some(digest)
            {
                let text = (
                    "de inhoud is niet die van de ondertekende lijst",
                    "the content is not that of the signed list",
                );
                findings.broken(Check::Files, name, text, None);
            }
        }
        let listed = || list.files.iter().map(|(name, _)| name.as_str());
        for name in self.names() {
            if *name != file::NOTE && !listed().any(|listed| listed == *name) {
                let text = (
                    "dit bestand staat niet in de lijst",
                    "this file is not in the list",
                );
                findings.broken(Check::Files, name, text, None);
            }
        }
        let in_order = [file::NOTE]
            .into_iter()
            .chain(listed())
            .eq(self.names().iter().copied());
        if !findings.holds(Check::Files) {
            return;
        }
        findings.expect(
            in_order,
            Check::Files,
            file::NOTE,
            (
                "alle bestanden zijn die van de lijst",
                "all files are those of the list",
            ),
            (
                "de bestanden staan niet in de volgorde van de lijst",
                "the files are out of order",
            ),
        );
    }
}
