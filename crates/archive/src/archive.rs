//! The archive itself: what it is opened with, and the calls in progress.

use crate::call::Calls;
use crate::error::Doing;
use crate::line::Vain;
use crate::log::BundlePapers;
use crate::news::Subscription;
use crate::rules::Rules;
use crate::{
    About, ArchiveError, Call, CalledInVain, Line, Lines, OfferedCall, OfferedParty, SAYABLE_FACTS,
    Secrets, UptimeClock, random,
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use voicelog_evidence::journal::Cause;
use voicelog_evidence::vcon::Sign;
use voicelog_law::Rulebook;
use voicelog_model::{RecordingId, Timestamp};
use voicelog_store::index::Accounts;
use voicelog_store::{BlobId, Blobs, Index, Keys};

/// What an archive is opened with.
pub struct Parts {
    /// Rows: states, decisions, the log.
    pub index: Box<dyn Index>,
    /// Sealed media.
    pub blobs: Box<dyn Blobs>,
    /// Wrapped data keys.
    pub keys: Box<dyn Keys>,
    /// The archive's own keys.
    pub secrets: Secrets,
    /// The rules in force at the opening. When others come into force, the archive loads them.
    pub rulebook: Rulebook,
    /// The lines of this installation.
    pub lines: Lines,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Parts({:?})", self.secrets)
    }
}

/// The archive. Shared between threads behind an `Arc`; every call may block on the disk.
pub struct Archive {
    pub(crate) index: Box<dyn Index>,
    pub(crate) blobs: Box<dyn Blobs>,
    pub(crate) keys: Box<dyn Keys>,
    pub(crate) secrets: Secrets,
    pub(crate) rules: Rules,
    pub(crate) lines: Lines,
    pub(crate) calls: Calls,
    pub(crate) vain: Vain,
    pub(crate) origin: String,
    /// What is given along with each bundle.
    pub(crate) papers: BundlePapers,
    /// Who is told what.
    pub(crate) subscriptions: Mutex<Vec<Subscription>>,
    /// The rules that the log was told of last, where this process tells it.
    pub(crate) rules_told: Mutex<Option<String>>,
    /// Who signs vCons with the organisation's own key, if it has one.
    pub(crate) vcon_signer: Option<Box<dyn Sign>>,
    /// Held while a recording is linked to others.
    pub(crate) linking: Mutex<()>,
    /// Held while a recording is destroyed.
    pub(crate) destroying: Mutex<()>,
    /// Segments that could not be closed when their writing failed.
    pub(crate) left_open: Mutex<BTreeMap<RecordingId, BlobId>>,
    /// Imports that failed and are not undone yet.
    pub(crate) half_imports: Mutex<BTreeMap<RecordingId, Cause>>,
    /// What the clock is held against.
    pub(crate) uptime_clock: Option<UptimeClock>,
}

impl fmt::Debug for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Archive({})", self.origin)
    }
}

impl Archive {
    /// Opens an archive. Several processes may have it open at once; one of them, the server,
    /// also calls [`Archive::recover`].
    #[must_use]
    pub fn open(parts: Parts) -> Self {
        let origin = parts.secrets.signing_key.name().to_owned();
        Self {
            index: parts.index,
            blobs: parts.blobs,
            keys: parts.keys,
            secrets: parts.secrets,
            rules: Rules::new(parts.rulebook),
            lines: parts.lines,
            calls: Calls::default(),
            vain: Vain::default(),
            origin,
            papers: BundlePapers::default(),
            subscriptions: Mutex::default(),
            rules_told: Mutex::default(),
            vcon_signer: None,
            linking: Mutex::default(),
            destroying: Mutex::default(),
            left_open: Mutex::default(),
            half_imports: Mutex::default(),
            uptime_clock: None,
        }
    }

    /// Signs vCons with the organisation's own key. Without one the archive's own signer does.
    #[must_use]
    pub fn with_vcon_signer(self, signer: Box<dyn Sign>) -> Self {
        Self {
            vcon_signer: Some(signer),
            ..self
        }
    }

    /// The archive as its storage is marked: 32 hexadecimal digits.
    #[must_use]
    pub fn store_name(&self) -> String {
        self.index.archive().to_string()
    }

    /// Accounts and logins, which are nobody's but storage's own.
    #[must_use]
    pub fn accounts(&self) -> &dyn Accounts {
        &*self.index
    }

    /// The lines of this installation.
    #[must_use]
    pub const fn lines(&self) -> &Lines {
        &self.lines
    }

    /// Free bytes where media is written.
    pub fn free_bytes(&self) -> Result<u64, ArchiveError> {
        self.blobs.free_bytes().doing("asking how full the disk is")
    }

    /// What went wrong in the background of the store, if anything did. Media is still safe then,
    /// but the disk needs a person.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.blobs.trouble()
    }

    /// The line that a recording client called ([`Lines::find`](crate::Lines::find)).
    #[must_use]
    pub fn line(&self, called: &str) -> Arc<Line> {
        self.lines.find(called)
    }

    /// Takes up a call that a recording client offers. Nothing of it reaches the disk until the
    /// law was asked ([`Archive::ask_to_record`]), and no sample until [`Archive::begin`].
    pub fn open_call(&self, offered: OfferedCall, now: Timestamp) -> Result<Call, ArchiveError> {
        let id = RecordingId::new(now, random::bytes()?);
        let line = self.lines.find(&offered.line);
        if !line.is_set_up() {
            self.vain.add(CalledInVain {
                recording: id,
                at: now,
                called: self.lines.not_a_line(&offered.line),
            });
        }
        Ok(self.take_up(id, offered, line))
    }

    /// Takes up a talk in a room: `kind` is the name of a kind of talk, and nobody in it has an address. For the rest it
    /// is a call like any other.
    ///
    /// # Errors
    ///
    /// [`ArchiveError::NoSuchRoom`] where the configuration has no such kind.
    pub fn open_room(
        &self,
        kind: &str,
        parties: Vec<OfferedParty>,
        now: Timestamp,
    ) -> Result<Call, ArchiveError> {
        let line = self.lines.room(kind).ok_or(ArchiveError::NoSuchRoom)?;
        let id = RecordingId::new(now, random::bytes()?);
        let offered = OfferedCall {
            line: line.name.clone(),
            parties,
            streams: Vec::new(),
            offered_at: now,
            about: About::default(),
        };
        Ok(self.take_up(id, offered, line))
    }

    /// Takes back a talk that was opened a moment ago: it did not come about, and nobody was asked anything about it.
    pub fn withdraw_room(&self, id: RecordingId) {
        let _call = self.calls.remove(id);
    }

    fn take_up(&self, id: RecordingId, offered: OfferedCall, line: Arc<Line>) -> Call {
        let mut call = Call::new(id, offered, line);
        let replaced = call.about.replaces.and_then(|id| self.calls.get(id));
        if let Some(before) = replaced {
            call.take_over(&before);
        }
        self.calls.insert(call.clone());
        call
    }

    /// The conversation to be recorded begins now, and not when the call was taken up: people came together first. Only
    /// before anything was written of it.
    pub fn set_offered_at(&self, id: RecordingId, at: Timestamp) {
        // One that is over has no beginning to set.
        let _is_over = self.calls.change_untold(id, |call| {
            call.offered_at = at;
            Ok(())
        });
    }

    /// Calls in progress.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.calls
            .ids()
            .into_iter()
            .filter_map(|id| self.calls.get(id))
            .collect()
    }

    /// One call in progress.
    #[must_use]
    pub fn call(&self, id: RecordingId) -> Option<Call> {
        self.calls.get(id)
    }

    /// The metadata named other participants. False if the call is over.
    pub fn update_parties(&self, id: RecordingId, parties: Vec<OfferedParty>) -> bool {
        let changed = self.calls.change(id, |call| {
            call.set_parties(parties);
            Ok(())
        });
        changed.is_ok()
    }

    /// The client told more of a call than who takes part. False if the call is over.
    pub fn update_about(&self, id: RecordingId, about: About) -> bool {
        self.calls.set_about(id, about)
    }

    /// Facts said during the call: consent given, the notice played, a private matter.
    ///
    /// Only [`SAYABLE_FACTS`] can be said. Consent is merged per participant, so that the one who
    /// agrees does not speak for the other: whoever was not named counts as not having agreed
    /// (see [`Call::candidates`]). The facts are checked as a whole before they count, and none of
    /// what is said at the same time elsewhere is lost.
    pub fn say(
        &self,
        id: RecordingId,
        said: Map<String, Value>,
        now: Timestamp,
    ) -> Result<(), ArchiveError> {
        self.calls.change(id, |call| {
            call.take_in(said)?;
            call.check(now)
        })
    }

    /// What whoever starts a talk in a room says of the weighing of interests: why, and what else was considered. It goes
    /// beside what the configuration says of it, to the law and into the decision.
    ///
    /// # Errors
    ///
    /// It is over or no talk in a room, or the law cannot read it.
    pub fn weigh_room(
        &self,
        id: RecordingId,
        weighing: Map<String, Value>,
        now: Timestamp,
    ) -> Result<(), ArchiveError> {
        self.calls.change(id, |call| {
            if !call.line.is_of_a_room() {
                return Err(ArchiveError::NoSuchRoom);
            }
            call.weigh(weighing);
            call.check(now)
        })
    }

    /// Whether the law has answered about a call with its facts as they are. Then there is nothing
    /// to ask: whatever was told since is no news to it.
    #[must_use]
    pub fn is_decided(&self, id: RecordingId) -> bool {
        self.calls.is_decided(id)
    }

    /// How often what the law is asked about a call in progress became another; zero if it is over.
    #[must_use]
    pub fn versions(&self, id: RecordingId) -> u64 {
        self.calls.versions(id).unwrap_or(0)
    }

    /// The exchange says whether the conversation is on hold. Whoever tells this asks the law again
    /// by itself: nobody else is told. False if the call is over.
    pub fn set_on_hold(&self, id: RecordingId, is_on_hold: bool) -> bool {
        let changed = self.calls.change_untold(id, |call| {
            call.is_on_hold = is_on_hold;
            Ok(())
        });
        changed.is_ok()
    }

    /// Registers who wants to know when a call's facts or participants change. The listener must
    /// not block.
    pub fn on_call_changed(&self, listener: Arc<dyn Fn(RecordingId) + Send + Sync>) {
        self.calls.listen(listener);
    }
}

pub(crate) fn not_sayable(name: String) -> ArchiveError {
    let likeness = |known: &&str| strsim::jaro_winkler(&name, known);
    let nearest = SAYABLE_FACTS
        .iter()
        .copied()
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    ArchiveError::NotSayable {
        name,
        nearest: nearest.unwrap_or_default(),
    }
}
