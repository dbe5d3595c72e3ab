//! The sums of the files of a bundle: most of what verifying one takes, and none of them needs another.

use super::files::Files;
use crate::digest::{Digest, sha512};
use std::collections::BTreeMap;

/// Something that needs nothing of what is done beside it.
pub type Job<'j> = Box<dyn FnOnce() + Send + 'j>;

/// Does all of the jobs and comes back when they are done. Whoever has several processors gives some to each.
pub type Hands<'h> = &'h dyn for<'j> Fn(Vec<Job<'j>>);

/// Of one file.
pub(super) struct Sum<'a> {
    name: &'a str,
    content: &'a [u8],
    sha256: Option<Digest>,
    /// Of the sound of a stream, which the vCon names.
    sha512: Option<[u8; 64]>,
}

/// Of all files, as soon as their jobs are done.
pub(super) struct Sums<'a>(Vec<Sum<'a>>);

impl<'a> Sums<'a> {
    pub(super) fn of(files: &Files<'a>) -> Self {
        let names = files.names().iter();
        let sum = |name: &&'a str| Sum {
            name,
            content: files.get(name).unwrap_or_default(),
            sha256: None,
            sha512: None,
        };
        Self(names.map(sum).collect())
    }

    /// What is to be done for them, the longest first.
    pub(super) fn jobs(&mut self) -> Vec<Job<'_>> {
        let mut jobs: Vec<(usize, Job<'_>)> = Vec::new();
        for Sum {
            name,
            content,
            sha256,
            sha512: long,
        } in &mut self.0
        {
            let content = *content;
            jobs.push((
                content.len(),
                Box::new(move || *sha256 = Some(Digest::of(content))),
            ));
            if is_of_stream(name) {
                // For this one there is no instruction anywhere.
                let weight = content.len().saturating_mul(3);
                jobs.push((weight, Box::new(move || *long = Some(sha512(content)))));
            }
        }
        jobs.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
        jobs.into_iter().map(|(_, job)| job).collect()
    }

    /// SHA-256 by name.
    pub(super) fn sha256(&self) -> BTreeMap<&'a str, Digest> {
        let sums = self.0.iter();
        sums.filter_map(|sum| Some((sum.name, sum.sha256?)))
            .collect()
    }

    /// SHA-512 of the sound of streams, by name.
    pub(super) fn sha512(&self) -> BTreeMap<&'a str, [u8; 64]> {
        let sums = self.0.iter();
        sums.filter_map(|sum| Some((sum.name, sum.sha512?)))
            .collect()
    }
}

/// Whether it is the sound of one stream: `audio/` and its number.
fn is_of_stream(name: &str) -> bool {
    let number = name.strip_prefix("audio/");
    let number = number.and_then(|name| name.split('.').next());
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}
