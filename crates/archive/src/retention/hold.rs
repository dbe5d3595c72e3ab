//! Holds: a recording that may not be destroyed, whose hold it is, why, and when somebody looks again.
//!
//! A hold never ends by itself. Its ground, one word, and its moments stand in the open, so that a list
//! and an alarm need no key; whose it is, what was noted and who placed it are sealed with the
//! recording's data key, and go with it. Where this process cannot open that key, or where there is none, the
//! archive's own key seals it, and it is wiped with the row: what can be destroyed here can be held here.

use crate::error::Doing;
use crate::{Archive, ArchiveError, random};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use voicelog_evidence::Digest;
use voicelog_evidence::canonical::canonical_json;
use voicelog_evidence::digest::sha256;
use voicelog_evidence::journal::Ground;
use voicelog_evidence::key::{DataKey, open_bytes, seal_bytes};
use voicelog_evidence::tlog::{LeafKind, commitment};
use voicelog_model::{HoldId, Language, Pii, RecordingId, Timestamp};
use voicelog_store::index::{HoldCursor, HoldRow, NewHold, OverdueHolds, Release, State};

/// Longest name of an owner, and of who places or lifts a hold, in characters.
pub const HOLD_OWNER_CHARS_MAX: usize = 200;
/// Longest note, and longest reason to lift a hold, in characters.
pub const HOLD_NOTE_CHARS_MAX: usize = 1_000;
/// A hold is looked at within a year: 366 days, in microseconds.
const REVIEW_WITHIN_MICROS: i64 = 366 * 86_400 * 1_000_000;

/// Id of the reason that a refusal to destroy names, where the law alone would not forbid it.
pub const HOLD_RULE: &str = "archive.hold";

/// Why something is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HoldGround {
    /// A claim, a complaint or a court case (AVG art. 17 lid 3 e; Rv art. 205).
    Claim,
    /// A person asked for access or for a copy (AVG art. 15).
    Request,
    /// A request under the open government act (Woo art. 4.1).
    Woo,
    /// Seized, or seizure is announced.
    Seizure,
    /// A person asked to restrict the use of it (AVG art. 18).
    Restriction,
    /// A word that this program does not know: a newer one placed it. It holds all the same.
    Unknown,
}

impl HoldGround {
    /// Every ground that can be given.
    pub const ALL: [Self; 5] = [
        Self::Claim,
        Self::Request,
        Self::Woo,
        Self::Seizure,
        Self::Restriction,
    ];

    /// The word in the index, on the command line and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::Request => "request",
            Self::Woo => "woo",
            Self::Seizure => "seizure",
            Self::Restriction => "restriction",
            Self::Unknown => "unknown",
        }
    }

    /// The ground of a word in the index.
    pub(crate) fn of_word(word: &str) -> Self {
        word.parse().unwrap_or(Self::Unknown)
    }

    /// The member of the law's fact `legal_hold` that says the same.
    pub(crate) const fn fact(self) -> &'static str {
        match self {
            Self::Claim | Self::Unknown => "claim",
            Self::Request => "dsar",
            Self::Woo => "woo",
            Self::Seizure => "seizure",
            Self::Restriction => "art18",
        }
    }

    /// In words, as in a list.
    #[must_use]
    pub const fn text(self, lang: Language) -> &'static str {
        match self {
            Self::Claim => lang.pick(
                "claim, klacht of rechtszaak",
                "claim, complaint or court case",
            ),
            Self::Request => lang.pick(
                "verzoek van een betrokkene om inzage of een kopie",
                "request of a person for access or a copy",
            ),
            Self::Woo => lang.pick("Woo-verzoek", "request under the Woo"),
            Self::Seizure => lang.pick("beslag", "seizure"),
            Self::Restriction => lang.pick(
                "verzoek om het gebruik te beperken",
                "request to restrict the use",
            ),
            Self::Unknown => lang.pick(
                "een grond die dit programma niet kent",
                "a ground that this program does not know",
            ),
        }
    }
}

impl fmt::Display for HoldGround {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for HoldGround {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|ground| ground.as_str() == text);
        found.ok_or_else(|| {
            let words = Self::ALL.map(Self::as_str).join(", ");
            format!("a ground is one of {words}")
        })
    }
}

/// What somebody wants held.
#[derive(Debug, Clone)]
pub struct HoldAsked {
    /// Why.
    pub ground: HoldGround,
    /// Whose hold it is: who knows of the case and says when it is over.
    pub owner: Pii<String>,
    /// When the owner looks whether it is still needed.
    pub review_at: Timestamp,
    /// A file number, what it is about.
    pub note: Option<Pii<String>>,
    /// The account that asks.
    pub by: Pii<String>,
}

/// A hold, without what only the recording's key opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Its id.
    pub id: HoldId,
    /// What it holds.
    pub recording: RecordingId,
    /// Why.
    pub ground: HoldGround,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// When it is looked at again.
    pub review_at: Timestamp,
    /// When it was lifted; it stands until then, whatever the review.
    pub lifted_at: Option<Timestamp>,
}

impl Hold {
    /// Whether it stands although nobody looked in time.
    #[must_use]
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.lifted_at.is_none() && self.review_at <= now
    }
}

/// What is sealed of a hold. Names people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldDetails {
    /// Whose it is.
    pub owner: Pii<String>,
    /// What was noted.
    pub note: Option<Pii<String>>,
    /// Who placed it.
    pub placed_by: Pii<String>,
    /// Why it was lifted, and by whom.
    pub released: Option<(Pii<String>, Pii<String>)>,
}

/// A hold with what is sealed of it; without, once the recording is destroyed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenHold {
    /// What stands in the open.
    pub hold: Hold,
    /// What is sealed.
    pub details: Option<HoldDetails>,
    /// Why what is sealed of a recording that is kept cannot be opened: the key is lost or not here, or the row was
    /// changed.
    pub closed: Option<String>,
}

impl From<Hold> for OpenHold {
    /// Without what is sealed, for who may not see it.
    fn from(hold: Hold) -> Self {
        Self {
            hold,
            details: None,
            closed: None,
        }
    }
}

/// What the row holds sealed, and what the leaf commits to.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SealedHold {
    hold: HoldId,
    recording: RecordingId,
    ground: String,
    placed_at: Timestamp,
    review_at: Timestamp,
    owner: Pii<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<Pii<String>>,
    by: Pii<String>,
    salt: [u8; 32],
}

/// The same of the end of a hold.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SealedRelease {
    hold: HoldId,
    recording: RecordingId,
    at: Timestamp,
    reason: Pii<String>,
    by: Pii<String>,
    salt: [u8; 32],
}

fn hold_label(id: HoldId) -> String {
    format!("hold {id}")
}

fn release_label(id: HoldId) -> String {
    format!("hold release {id}")
}

/// A text that somebody fills in: without what surrounds it, not empty, not too long.
pub(super) fn text(value: &Pii<String>, chars_max: usize) -> Option<Pii<String>> {
    let trimmed = value.expose().trim();
    let fits = !trimmed.is_empty() && trimmed.chars().count() <= chars_max;
    fits.then(|| Pii::new(trimmed.to_owned()))
}

/// Whether something is kept, or known, that a hold can keep.
const fn can_be_held(state: State) -> bool {
    matches!(
        state,
        State::Recording
            | State::Finishing
            | State::Sealed
            | State::WithoutSound
            | State::NotRecorded
    )
}

impl Archive {
    /// Places a hold on a recording that is kept, also while it is being made: from when this returns
    /// nothing destroys it until [`Archive::release`].
    ///
    /// A call of which nothing was kept can be held too, once it is over: what is known of it stays then.
    ///
    /// Errors: a call that waits, a recording whose destruction has begun; a review that has passed or is
    /// more than a year away; no owner.
    pub fn place_hold(
        &self,
        recording: RecordingId,
        asked: &HoldAsked,
        now: Timestamp,
    ) -> Result<Hold, ArchiveError> {
        let row = self.row(recording)?;
        if !can_be_held(row.state) {
            return Err(self.wrong_state(recording, "held"));
        }
        let is_in_time =
            asked.review_at > now && asked.review_at <= now.plus_micros(REVIEW_WITHIN_MICROS);
        if !is_in_time {
            return Err(ArchiveError::BadHold(
                "the review lies in the future, and at most a year from now",
            ));
        }
        let owner = "a hold has an owner, in at most 200 characters";
        let note = "a note has at most 1,000 characters";
        let own = self.data_key(recording).ok();
        let id = HoldId::new(now, random::bytes()?);
        let content = SealedHold {
            hold: id,
            recording,
            ground: asked.ground.as_str().to_owned(),
            placed_at: now,
            review_at: asked.review_at,
            owner: text(&asked.owner, HOLD_OWNER_CHARS_MAX).ok_or(ArchiveError::BadHold(owner))?,
            note: asked
                .note
                .as_ref()
                .filter(|note| !note.expose().trim().is_empty())
                .map(|said| text(said, HOLD_NOTE_CHARS_MAX).ok_or(ArchiveError::BadHold(note)))
                .transpose()?,
            by: asked.by.clone(),
            salt: random::bytes()?,
        };
        let bytes = canonical_json(&content)?;
        let leaf = self.leaf(
            LeafKind::Held,
            &recording.to_string(),
            &content.salt,
            &sha256(&bytes),
            now,
        )?;
        let new = NewHold {
            id,
            recording,
            placed_at: now,
            decision: None,
            ground: content.ground,
            review_at: asked.review_at,
            sealed: seal_bytes(
                self.hold_key(own.as_ref()),
                &hold_label(id),
                recording,
                random::bytes()?,
                &bytes,
            ),
        };
        self.index.place_hold(&new, &leaf).doing("placing a hold")?;
        self.sequence()?;
        Ok(Hold {
            id,
            recording,
            ground: asked.ground,
            placed_at: now,
            review_at: asked.review_at,
            lifted_at: None,
        })
    }

    /// Lifts a hold; false if it was lifted before. Whether the recording may be destroyed then is a
    /// question of its own.
    pub fn release(
        &self,
        id: HoldId,
        reason: &Pii<String>,
        by: &Pii<String>,
        now: Timestamp,
    ) -> Result<bool, ArchiveError> {
        let reason = text(reason, HOLD_NOTE_CHARS_MAX).ok_or(ArchiveError::BadHold(
            "a hold is lifted for a reason, in at most 1,000 characters",
        ))?;
        let row = self.hold_row(id)?;
        if row.lifted_at.is_some() {
            return Ok(false);
        }
        let recording = row.hold.recording;
        let own = self.data_key(recording).ok();
        let content = SealedRelease {
            hold: id,
            recording,
            at: now,
            reason,
            by: by.clone(),
            salt: random::bytes()?,
        };
        let bytes = canonical_json(&content)?;
        let leaf = self.leaf(
            LeafKind::Released,
            &recording.to_string(),
            &content.salt,
            &sha256(&bytes),
            now,
        )?;
        let nonce = random::bytes()?;
        let release = Release {
            hold: id,
            at: now,
            sealed: seal_bytes(
                self.hold_key(own.as_ref()),
                &release_label(id),
                recording,
                nonce,
                &bytes,
            ),
        };
        let is_lifted = self
            .index
            .lift_hold(&release, &leaf)
            .doing("lifting a hold")?;
        self.sequence()?;
        Ok(is_lifted)
    }

    /// One hold, without what is sealed of it.
    pub fn hold(&self, id: HoldId) -> Result<Hold, ArchiveError> {
        Ok(hold_of(&self.hold_row(id)?))
    }

    /// Holds that stand, the one to be looked at first at the top. The next page goes on after the last.
    pub fn open_holds(
        &self,
        after: Option<HoldCursor>,
        limit: usize,
    ) -> Result<Vec<Hold>, ArchiveError> {
        let rows = self.index.open_holds(after, limit).doing("listing holds")?;
        Ok(rows.iter().map(hold_of).collect())
    }

    /// How many holds stand although nobody looked in time.
    pub fn overdue_holds(&self, now: Timestamp) -> Result<OverdueHolds, ArchiveError> {
        self.index.overdue_holds(now).doing("counting holds")
    }

    /// Every hold that a recording ever had, oldest first, without what is sealed.
    pub fn holds(&self, recording: RecordingId) -> Result<Vec<Hold>, ArchiveError> {
        let rows = self.index.holds_of(recording).doing("listing holds")?;
        Ok(rows.iter().map(hold_of).collect())
    }

    /// The same with what is sealed, as far as that opens here. Names people: show it only to those who may see who
    /// handles a case.
    pub fn holds_opened(&self, recording: RecordingId) -> Result<Vec<OpenHold>, ArchiveError> {
        let rows = self.index.holds_of(recording).doing("listing holds")?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let is_gone = rows.iter().all(|row| row.hold.sealed.is_empty());
        let state = self.row(recording)?.state;
        let is_gone = is_gone || matches!(state, State::Destroying | State::Destroyed);
        let own = self.data_key(recording);
        let open = |row: &HoldRow| {
            let mut open = OpenHold::from(hold_of(row));
            // A hold that a restore placed again can come without.
            if is_gone || row.hold.sealed.is_empty() {
                return open;
            }
            match (details(&self.hold_keys(&own), row), &own) {
                (Ok(details), _) => open.details = Some(details),
                (Err(error), Ok(_)) => open.closed = Some(error.to_string()),
                (Err(_closed), Err(error)) => open.closed = Some(error.to_string()),
            }
            open
        };
        Ok(rows.iter().map(open).collect())
    }

    /// What the leaves of every hold on a recording must commit to; the id of one that does not open, or says
    /// something else than its row. Nothing once the recording is destroyed; and where its key does not open, nothing of
    /// those that only that key would open.
    pub(crate) fn hold_leaves(
        &self,
        recording: RecordingId,
        state: State,
    ) -> Result<Vec<Result<Vec<Digest>, HoldId>>, ArchiveError> {
        let mut rows = self.index.holds_of(recording).doing("listing holds")?;
        // A hold that a restore placed again can come without what was sealed; its end is sealed all the same.
        rows.retain(|row| !row.hold.sealed.is_empty() || !row.release.is_empty());
        if rows.is_empty() || matches!(state, State::Destroying | State::Destroyed) {
            return Ok(Vec::new());
        }
        let own = self.data_key(recording);
        // A call of which nothing was kept has no data key.
        let is_key_lost = own.is_err() && state != State::NotRecorded;
        let keys = self.hold_keys(&own);
        let leaves = |row: &HoldRow| leaves_of(&keys, row).map_err(|_damaged| row.hold.id);
        let all = rows.iter().map(leaves);
        Ok(all.filter(|found| found.is_ok() || !is_key_lost).collect())
    }

    /// Holds on a recording that were lifted, and of whose end nothing is sealed: a restore leaves them, which lifts what
    /// the archive of before had lifted. None once the recording is destroyed.
    pub(crate) fn holds_lifted_without_words(
        &self,
        recording: RecordingId,
        state: State,
    ) -> Result<Vec<HoldId>, ArchiveError> {
        if matches!(state, State::Destroying | State::Destroyed) {
            return Ok(Vec::new());
        }
        let mut rows = self.index.holds_of(recording).doing("listing holds")?;
        rows.retain(|row| row.lifted_at.is_some() && row.release.is_empty());
        Ok(rows.into_iter().map(|row| row.hold.id).collect())
    }

    /// What a hold is sealed with. Where there is no data key, or none that opens here, it is the archive's own, and the
    /// ciphertext is wiped with the row.
    pub(super) fn hold_key<'a>(&'a self, own: Option<&'a DataKey>) -> &'a DataKey {
        own.unwrap_or(&self.secrets.decision_key)
    }

    /// The keys that a hold may be sealed with.
    pub(super) fn hold_keys<'a>(
        &'a self,
        own: &'a Result<DataKey, ArchiveError>,
    ) -> Vec<&'a DataKey> {
        own.iter().chain([&self.secrets.decision_key]).collect()
    }

    /// Whether a key sealed it that outlives the recording: then no copy of it may leave the index.
    pub(crate) fn outlives(&self, hold: &NewHold) -> bool {
        let own = &self.secrets.decision_key;
        open_bytes(own, &hold_label(hold.id), hold.recording, &hold.sealed).is_ok()
    }

    fn hold_row(&self, id: HoldId) -> Result<HoldRow, ArchiveError> {
        self.index
            .hold(id)
            .doing("reading a hold")?
            .ok_or(ArchiveError::NoHold(id))
    }
}

fn hold_of(row: &HoldRow) -> Hold {
    Hold {
        id: row.hold.id,
        recording: row.hold.recording,
        ground: HoldGround::of_word(&row.hold.ground),
        placed_at: row.hold.placed_at,
        review_at: row.hold.review_at,
        lifted_at: row.lifted_at,
    }
}

/// What the leaves of a hold commit to: of its beginning, but where that came back with a restore without what was
/// sealed; and of its end if it was lifted.
fn leaves_of(keys: &[&DataKey], row: &HoldRow) -> Result<Vec<Digest>, ArchiveError> {
    let held = match row.hold.sealed.is_empty() {
        true => None,
        false => Some(begun(keys, row)?.1),
    };
    let released = ended(keys, row)?.map(|(_end, committed)| committed);
    Ok([held, released].into_iter().flatten().collect())
}

/// What one of the keys opens.
pub(super) fn opened(
    keys: &[&DataKey],
    label: &str,
    recording: RecordingId,
    sealed: &[u8],
) -> Option<Vec<u8>> {
    let mut opened = keys
        .iter()
        .filter_map(|key| open_bytes(key, label, recording, sealed).ok());
    opened.next()
}

/// Opens what is sealed, and holds it against what stands in the open: a hold cannot be made another's,
/// nor its review be put off, by changing the row.
fn details(keys: &[&DataKey], row: &HoldRow) -> Result<HoldDetails, ArchiveError> {
    let (begun, _committed) = begun(keys, row)?;
    let ended = ended(keys, row)?;
    Ok(HoldDetails {
        owner: begun.owner,
        note: begun.note,
        placed_by: begun.by,
        released: ended.map(|(end, _committed)| (end.reason, end.by)),
    })
}

/// What is sealed of its beginning, and what the leaf of that commits to.
fn begun(keys: &[&DataKey], row: &HoldRow) -> Result<(SealedHold, Digest), ArchiveError> {
    let NewHold { id, recording, .. } = row.hold;
    let bytes = opened(keys, &hold_label(id), recording, &row.hold.sealed);
    let bytes = bytes.ok_or_else(|| damaged(id))?;
    let content: SealedHold = serde_json::from_slice(&bytes).map_err(|_text| damaged(id))?;
    let is_the_row = content.hold == id
        && content.recording == recording
        && content.ground == row.hold.ground
        && content.placed_at == row.hold.placed_at
        && content.review_at == row.hold.review_at;
    if !is_the_row {
        return Err(damaged(id));
    }
    let committed = commitment(&content.salt, &sha256(&bytes));
    Ok((content, committed))
}

/// The same of its end, if it was lifted and anything is sealed of that: a restore lifts without words.
fn ended(
    keys: &[&DataKey],
    row: &HoldRow,
) -> Result<Option<(SealedRelease, Digest)>, ArchiveError> {
    let NewHold { id, recording, .. } = row.hold;
    let at = match row.lifted_at {
        Some(at) if !row.release.is_empty() => at,
        _ => return Ok(None),
    };
    let bytes = opened(keys, &release_label(id), recording, &row.release);
    let bytes = bytes.ok_or_else(|| damaged(id))?;
    let end: SealedRelease = serde_json::from_slice(&bytes).map_err(|_text| damaged(id))?;
    if end.hold != id || end.at != at {
        return Err(damaged(id));
    }
    let committed = commitment(&end.salt, &sha256(&bytes));
    Ok(Some((end, committed)))
}

fn damaged(id: HoldId) -> ArchiveError {
    ArchiveError::Corrupt {
        what: format!("hold {id}"),
    }
}

/// Why a recording that is held is not destroyed, where the law alone would not forbid it.
pub(crate) fn held() -> Ground {
    Ground {
        rule: HOLD_RULE.to_owned(),
        articles: Vec::new(),
        text_nl: "er rust een vernietigingsstop op".to_owned(),
        text_en: "a hold rests on it".to_owned(),
    }
}
