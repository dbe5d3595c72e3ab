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
use voicelog_archive::{Archive, LINE_NOT_SET_UP, RecordingFilter, State};
use voicelog_evidence::timeline::{Timeline, Verdict};
use voicelog_model::{Clock as _, Timestamp};
use voicelog_src_sim::{Advice, Because, Kept, KeptStream, LoadReport, Unrecorded};

/// How long closing the recordings may take after the last call.
const CLOSE_TRIES: u32 = 60;
const CLOSE_PAUSE: Duration = Duration::from_millis(500);
/// Tries without another recording after which what was not recorded counts as ours.
const QUIET_TRIES: u32 = 6;
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
    line: String,
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

    /// What was closed since the test began: as many recordings as there were calls, or what there is
    /// when that takes too long. Of the line's calls that were not recorded, why.
    pub(super) fn wait_for(
        &self,
        report: &LoadReport,
        line: &str,
        began: Timestamp,
    ) -> Result<Found> {
        // One that was to send and could not leaves nothing that can be known again.
        let leaves_something = |call: &&voicelog_src_sim::CallReport| {
            let has_media = call.streams.iter().any(|stream| stream.sent.packets > 0);
            let answer = call.answer.as_ref();
            has_media || answer.is_some_and(|answer| !answer.receives())
        };
        let expected = report.calls.iter().filter(leaves_something).count();
        let since = began.plus_micros(-CLOCK_SLACK);
        let (_keep, never) = mpsc::channel::<()>();
        let mut known = Known::default();
        let (mut before, mut quiet) = (0, 0);
        for _try in 0..CLOSE_TRIES {
            self.look(since, State::Sealed, &mut known)?;
            self.look(began, State::NotRecorded, &mut known)?;
            let ours = known.kept.values().filter(|kept| is_of(kept, report));
            let ours = ours.count();
            // A call of which nothing is kept can be anybody's on this line: those stand in for ours only
            // when no more of ours come.
            let could_be_all = ours + known.of_line(line).count() >= expected;
            quiet = if could_be_all && ours == before {
                quiet + 1
            } else {
                0
            };
            if ours >= expected || quiet >= QUIET_TRIES {
                break;
            }
            before = ours;
            let _timed_out = never.recv_timeout(CLOSE_PAUSE);
        }
        let unrecorded = known.of_line(line).cloned().collect();
        let kept = known.kept.into_values().collect();
        Ok(Found { kept, unrecorded })
    }

    /// Adds what was closed since the last look.
    fn look(&self, since: Timestamp, state: State, known: &mut Known) -> Result<()> {
        match self {
            Self::Here(archive) => look_here(archive, since, state, known),
            Self::There { url, token } => look_there(url, token, (since, state), known),
        }
    }
}

/// What the archive holds of the test.
pub(super) struct Found {
    pub(super) kept: Vec<Kept>,
    pub(super) unrecorded: Vec<Unrecorded>,
}

/// What was seen so far, by id.
#[derive(Default)]
struct Known {
    kept: BTreeMap<String, Kept>,
    /// With the line of each.
    unrecorded: BTreeMap<String, (String, Unrecorded)>,
}

impl Known {
    fn has(&self, id: &str) -> bool {
        self.kept.contains_key(id) || self.unrecorded.contains_key(id)
    }

    /// Calls of that line, or of one that is not set up, since the name of such a one is not kept.
    fn of_line(&self, line: &str) -> impl Iterator<Item = &Unrecorded> {
        let is_it = move |name: &str| name.eq_ignore_ascii_case(line) || name == LINE_NOT_SET_UP;
        let all = self.unrecorded.values();
        all.filter(move |(name, _)| is_it(name))
            .map(|(_, call)| call)
    }

    fn add(&mut self, id: String, line: String, timeline: &Timeline) {
        match timeline.verdict {
            Verdict::NotRecorded | Verdict::NotDrawn | Verdict::NotRequested => {
                let mut call = unrecorded(id.clone(), timeline);
                if line == LINE_NOT_SET_UP {
                    // What the law says then is about no purpose at all.
                    call.reasons = vec![Advice {
                        nl: "de lijn is niet ingericht: geen [[line]] heeft de naam die bij --line staat".to_owned(),
                        en: "the line is not set up: no [[line]] has the name that --line gives".to_owned(),
                    }];
                }
                self.unrecorded.insert(id, (line, call));
            }
            _ => {
                let one = kept(id.clone(), timeline);
                self.kept.insert(id, one);
            }
        }
    }
}

/// Why nothing was recorded of a call, out of its timeline.
fn unrecorded(id: String, timeline: &Timeline) -> Unrecorded {
    let intervals = timeline.streams.iter().flat_map(|stream| &stream.intervals);
    let mut reasons: Vec<Advice> = Vec::new();
    for ground in intervals.flat_map(|interval| &interval.grounds) {
        let articles = match ground.articles.as_slice() {
            [] => String::new(),
            some => format!(" ({})", some.join(", ")),
        };
        let reason = Advice {
            nl: format!("{}{articles}", ground.text_nl),
            en: format!("{}{articles}", ground.text_en),
        };
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    Unrecorded {
        id,
        because: match timeline.verdict {
            Verdict::NotDrawn => Because::NotDrawn,
            Verdict::NotRequested => Because::NotRequested,
            _ => Because::NotPermitted,
        },
        notice_missed: timeline.notices.iter().any(|mark| mark.heard.is_none()),
        reasons,
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

fn look_here(archive: &Archive, since: Timestamp, state: State, known: &mut Known) -> Result<()> {
    let filter = RecordingFilter {
        state: Some(state),
        from: Some(since),
        ..RecordingFilter::default()
    };
    let mut cursor = None;
    loop {
        let (page, next) = archive.list(&filter, cursor, PAGE)?;
        for summary in page {
            let id = summary.id.to_string();
            if known.has(&id) {
                continue;
            }
            if let Some(timeline) = archive.detail(summary.id)?.timeline {
                known.add(id, summary.line, &timeline);
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
    (since, state): (Timestamp, State),
    known: &mut Known,
) -> Result<()> {
    let wanted = state.as_str();
    let get = |path: &str| {
        ureq::get(format!("{url}{path}"))
            .header("Authorization", &format!("Bearer {token}"))
            .call()
            .map_err(|error| anyhow::Error::new(BadInput(format!("`{url}`: {error}"))))
    };
    let mut cursor = String::new();
    loop {
        let path = format!("/v1/recordings?state={wanted}&from={since}&limit={PAGE}{cursor}");
        let page: Page = get(&path)?
            .body_mut()
            .read_json()
            .context("the API's list")?;
        for Listed { id, state, line } in page.items {
            if state != wanted || known.has(&id) {
                continue;
            }
            let mut shown = get(&format!("/v1/recordings/{id}"))?;
            let shown: Shown = shown
                .body_mut()
                .read_json()
                .context("a recording of the API")?;
            if let Some(timeline) = shown.timeline {
                known.add(id, line, &timeline);
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
