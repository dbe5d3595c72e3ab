//! What the archive holds of the test calls: read here, or over the API.

use super::Args;
use crate::clock::SystemClock;
use crate::{BadInput, Context, wiring};
use anyhow::{Context as _, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use voicelog_archive::{Archive, RecordingFilter, State};
use voicelog_evidence::timeline::{Timeline, Verdict};
use voicelog_model::{Clock as _, Timestamp};
use voicelog_src_sim::{Kept, KeptStream, LoadReport};

/// How long closing the recordings may take after the last call.
const CLOSE_TRIES: u32 = 60;
const CLOSE_PAUSE: Duration = Duration::from_millis(500);
/// How much the server's clock may be behind ours, in microseconds.
const CLOCK_SLACK: i64 = 60_000_000;
/// Recordings in one answer of the API.
const PAGE: usize = 200;

/// A way to look into the archive.
pub(super) enum Books {
    Here(Arc<Archive>),
    There { url: String, token: String },
}

/// One line of the API's list.
#[derive(Deserialize)]
struct Listed {
    id: String,
    state: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    items: Vec<Listed>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Shown {
    timeline: Option<Timeline>,
}

impl Books {
    /// The way that the command line names, if it names one.
    pub(super) fn open(args: &Args, context: &Context) -> Result<Option<Self>> {
        if let (Some(url), Some(file)) = (&args.api, &args.token_file) {
            return Ok(Some(Self::There {
                url: url.trim_end_matches('/').to_owned(),
                token: token(file)?,
            }));
        }
        if context.config.is_none() && context.data.is_none() {
            return Ok(None);
        }
        let archive = wiring::visit(context, SystemClock::default().now())?;
        Ok(Some(Self::Here(archive)))
    }

    /// The recordings that were closed since the test began: as many as there were calls with
    /// media, or what there is when that takes too long.
    pub(super) fn wait_for(&self, report: &LoadReport, began: Timestamp) -> Result<Vec<Kept>> {
        let sent = |call: &&voicelog_src_sim::CallReport| {
            call.streams.iter().any(|stream| stream.sent.packets > 0)
        };
        let expected = report.calls.iter().filter(sent).count();
        let since = began.plus_micros(-CLOCK_SLACK);
        let (_keep, never) = mpsc::channel::<()>();
        let mut known = BTreeMap::new();
        for _try in 0..CLOSE_TRIES {
            self.look(since, &mut known)?;
            let found = known.values().filter(|kept| is_of(kept, report)).count();
            if found >= expected {
                break;
            }
            let _timed_out = never.recv_timeout(CLOSE_PAUSE);
        }
        Ok(known.into_values().collect())
    }

    /// Adds what was closed since the last look.
    fn look(&self, since: Timestamp, known: &mut BTreeMap<String, Kept>) -> Result<()> {
        match self {
            Self::Here(archive) => look_here(archive, since, known),
            Self::There { url, token } => look_there(url, token, since, known),
        }
    }
}

/// Whether a recording is of a call of ours, as far as its first number tells.
fn is_of(kept: &Kept, report: &LoadReport) -> bool {
    let first = kept
        .streams
        .first()
        .and_then(|stream| stream.first_sequence);
    let calls = report.calls.iter();
    first.is_some()
        && calls
            .filter_map(|call| call.streams.first())
            .any(|stream| stream.sent.first_sequence == first)
}

fn look_here(
    archive: &Archive,
    since: Timestamp,
    known: &mut BTreeMap<String, Kept>,
) -> Result<()> {
    let filter = RecordingFilter {
        state: Some(State::Sealed),
        from: Some(since),
        ..RecordingFilter::default()
    };
    let mut cursor = None;
    loop {
        let (page, next) = archive.list(&filter, cursor, PAGE)?;
        for summary in page {
            let id = summary.id.to_string();
            if known.contains_key(&id) {
                continue;
            }
            if let Some(timeline) = archive.detail(summary.id)?.timeline {
                known.insert(id.clone(), kept(id, &timeline));
            }
        }
        if next.is_none() {
            return Ok(());
        }
        cursor = next;
    }
}

fn look_there(
    url: &str,
    token: &str,
    since: Timestamp,
    known: &mut BTreeMap<String, Kept>,
) -> Result<()> {
    let get = |path: &str| {
        ureq::get(format!("{url}{path}"))
            .header("Authorization", &format!("Bearer {token}"))
            .call()
            .map_err(|error| anyhow::Error::new(BadInput(format!("`{url}`: {error}"))))
    };
    let mut cursor = String::new();
    loop {
        let path = format!("/v1/recordings?state=sealed&from={since}&limit={PAGE}{cursor}");
        let page: Page = get(&path)?
            .body_mut()
            .read_json()
            .context("the API's list")?;
        for Listed { id, state } in page.items {
            if state != State::Sealed.as_str() || known.contains_key(&id) {
                continue;
            }
            let mut shown = get(&format!("/v1/recordings/{id}"))?;
            let shown: Shown = shown
                .body_mut()
                .read_json()
                .context("a recording of the API")?;
            if let Some(timeline) = shown.timeline {
                known.insert(id.clone(), kept(id, &timeline));
            }
        }
        let Some(next) = page.next_cursor else {
            return Ok(());
        };
        cursor = format!("&cursor={next}");
    }
}

fn kept(id: String, timeline: &Timeline) -> Kept {
    let streams = timeline.streams.iter().map(|stream| KeptStream {
        first_sequence: stream.first_sequence,
        packets: stream.packets,
        lost: stream.lost,
        duplicates: stream.duplicates,
        unused: stream.late + stream.outside + stream.malformed,
    });
    Kept {
        id,
        undeclared_gap: timeline.verdict == Verdict::UndeclaredGap,
        streams: streams.collect(),
    }
}

fn token(file: &Path) -> Result<String> {
    let name = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|error| anyhow::Error::new(BadInput(format!("`{name}`: {error}"))))?;
    Ok(text.trim().to_owned())
}
