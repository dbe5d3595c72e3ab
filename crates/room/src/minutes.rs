//! Minutes: somebody writes them, the others read them on their own device, remark on them, and each signs; then they are
//! kept as a record of their own (`design/room.md`, "Minutes"). Until then they live in memory only.

use crate::error::RoomError;
use crate::rooms::{Rooms, Shared};
use crate::state::{Fingerprint, MinutesState, Reason};
use crate::talk::{Inner, Seat, Talk, pseudonym, title};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use voicelog_archive::{SignedMinutes, Verdict};
use voicelog_model::{Language, RecordingId, Timestamp, error::chain};

/// Bytes of the text at most.
pub const TEXT_BYTES_MAX: usize = 65_536;
/// Remarks on one version at most.
const REMARKS_MAX: usize = 50;
/// Bytes of a remark.
const REMARK_BYTES_MAX: usize = 2_000;
/// Versions of the minutes of one talk.
const VERSIONS_MAX: u32 = 500;

/// What somebody says of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Pseudonym.
    pub party: String,
    /// When.
    pub at: Timestamp,
    /// What.
    pub text: String,
}

/// The minutes of a talk, as everybody in it sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Minutes {
    /// Goes up with each text; signatures and remarks are of this one.
    pub version: u32,
    /// The text.
    pub text: String,
    /// In which language what stands around it is.
    pub lang: Language,
    /// Who wrote this version, and when.
    pub written: (String, Timestamp),
    /// Who signed it, and when.
    pub signed: BTreeMap<String, Timestamp>,
    /// What was said of it.
    pub remarks: Vec<Remark>,
    /// Why the law did not let them be kept, when that was tried last.
    pub refused: Vec<Reason>,
    /// The record that they became; they change no more then.
    pub kept: Option<KeptMinutes>,
    /// What the law knows of the talk.
    pub(crate) facts: Map<String, Value>,
}

/// Minutes that are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptMinutes {
    /// Their record.
    pub id: RecordingId,
    /// What it is known by.
    pub fingerprint: Option<Fingerprint>,
    /// The text as it is kept, with who signed and who did not.
    pub text: String,
}

impl Minutes {
    pub(crate) fn state(&self) -> MinutesState {
        MinutesState {
            version: self.version,
            written_by: self.written.0.clone(),
            signed: self.signed.keys().cloned().collect(),
            remarks: self.remarks.len(),
            is_kept: self.kept.is_some(),
        }
    }
}

/// A text as it is kept: lines that end in a line feed, and nothing that controls a terminal.
fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let kept = text
        .chars()
        .filter(|c| *c == '\n' || *c == '\t' || !c.is_control());
    kept.collect::<String>().trim().to_owned()
}

fn changeable(inner: &mut Inner) -> Result<&mut Minutes, RoomError> {
    let minutes = inner.minutes.as_mut();
    let minutes = minutes.ok_or(RoomError::NotNow("there are no minutes yet"))?;
    match minutes.kept {
        None => Ok(minutes),
        Some(_) => Err(RoomError::NotNow("the minutes are kept already")),
    }
}

/// Whoever left takes no more part; the end of a talk does not end its minutes.
fn check_takes_part(inner: &Inner, seat: &Seat) -> Result<(), RoomError> {
    match inner
        .people
        .get(seat.place)
        .is_some_and(|one| one.is_there())
    {
        true => Ok(()),
        false => Err(RoomError::NotNow("you have left the talk")),
    }
}

const OTHER_VERSION: RoomError = RoomError::NotNow("somebody wrote another version meanwhile");

impl Rooms {
    /// The minutes of a talk, if anybody wrote some.
    ///
    /// # Errors
    ///
    /// The talk is forgotten.
    pub fn minutes(&self, seat: &Seat) -> Result<Option<Minutes>, RoomError> {
        let talk = self.shared.find(seat.talk)?;
        let minutes = talk.lock().minutes.clone();
        Ok(minutes)
    }

    /// Writes a version after version `base` (0 for the first). It clears all signatures and remarks.
    ///
    /// # Errors
    ///
    /// Somebody wrote another version meanwhile, they are kept, it is too long, or whoever writes has left. The first
    /// version is written while the talk is open.
    pub fn write_minutes(
        &self,
        seat: &Seat,
        base: u32,
        text: &str,
        lang: Language,
    ) -> Result<(), RoomError> {
        let talk = self.shared.find(seat.talk)?;
        let _acting = talk.act();
        let now = self.shared.clock.now();
        let text = clean(text);
        let mut inner = talk.lock();
        check_takes_part(&inner, seat)?;
        if text.is_empty() || text.len() > TEXT_BYTES_MAX {
            return Err(RoomError::NotNow("minutes have some text, 64 kB at most"));
        }
        let written = (seat.party.clone(), now);
        if inner.minutes.is_none() {
            let call = self.shared.archive.call(talk.id);
            let call = call.ok_or(RoomError::NotNow("the talk is over"))?;
            let facts = call.candidates().into_iter().next();
            inner.minutes = Some(Minutes {
                version: 0,
                text: String::new(),
                lang,
                written: written.clone(),
                signed: BTreeMap::new(),
                remarks: Vec::new(),
                refused: Vec::new(),
                kept: None,
                facts: facts.map(|one| one.facts).unwrap_or_default(),
            });
        }
        let minutes = changeable(&mut inner)?;
        if minutes.version != base {
            return Err(OTHER_VERSION);
        }
        if minutes.version >= VERSIONS_MAX {
            return Err(RoomError::Full("versions"));
        }
        minutes.version += 1;
        (minutes.text, minutes.lang, minutes.written) = (text, lang, written);
        minutes.signed.clear();
        minutes.remarks.clear();
        minutes.refused.clear();
        drop(inner);
        talk.changed();
        Ok(())
    }

    /// Says something of a version: a change, or an objection. It is kept with the minutes.
    ///
    /// # Errors
    ///
    /// It is another version now, they are kept, or there are too many remarks.
    pub fn remark_on_minutes(
        &self,
        seat: &Seat,
        version: u32,
        text: &str,
    ) -> Result<(), RoomError> {
        let talk = self.shared.find(seat.talk)?;
        let _acting = talk.act();
        let (now, text) = (self.shared.clock.now(), clean(text));
        let mut inner = talk.lock();
        check_takes_part(&inner, seat)?;
        let minutes = changeable(&mut inner)?;
        if minutes.version != version {
            return Err(OTHER_VERSION);
        }
        if minutes.remarks.len() >= REMARKS_MAX {
            return Err(RoomError::Full("remarks"));
        }
        if text.is_empty() || text.len() > REMARK_BYTES_MAX {
            return Err(RoomError::NotNow(
                "a remark has some text, 2,000 bytes at most",
            ));
        }
        minutes.remarks.push(Remark {
            party: seat.party.clone(),
            at: now,
            text,
        });
        // Whoever signed did so without it.
        minutes.signed.clear();
        drop(inner);
        talk.changed();
        Ok(())
    }

    /// Signs a version. With the signature of the last who is there they are kept.
    ///
    /// # Errors
    ///
    /// It is another version now, or they are kept; or keeping them failed: then the signatures count, and nothing is kept.
    pub fn sign_minutes(&self, seat: &Seat, version: u32) -> Result<(), RoomError> {
        let talk = self.shared.find(seat.talk)?;
        let _acting = talk.act();
        let now = self.shared.clock.now();
        let is_complete = {
            let mut inner = talk.lock();
            check_takes_part(&inner, seat)?;
            let there = inner.people.iter().enumerate();
            let there = there.filter(|(_, one)| one.is_there());
            let there: Vec<String> = there.map(|(place, _)| pseudonym(place)).collect();
            let minutes = changeable(&mut inner)?;
            if minutes.version != version {
                return Err(OTHER_VERSION);
            }
            minutes.signed.entry(seat.party.clone()).or_insert(now);
            there.len() >= 2 && there.iter().all(|one| minutes.signed.contains_key(one))
        };
        talk.changed();
        match is_complete {
            true => self.shared.keep(&talk, now),
            false => Ok(()),
        }
    }

    /// The host closes them with whoever signed; who did not is said in them.
    ///
    /// # Errors
    ///
    /// Not the host, nobody signed, it is another version now, they are kept, or keeping them failed.
    pub fn close_minutes(&self, seat: &Seat, version: u32) -> Result<(), RoomError> {
        if !seat.is_host {
            return Err(RoomError::HostOnly);
        }
        let talk = self.shared.find(seat.talk)?;
        let _acting = talk.act();
        {
            let mut inner = talk.lock();
            let minutes = changeable(&mut inner)?;
            if minutes.version != version {
                return Err(OTHER_VERSION);
            }
            if minutes.signed.is_empty() {
                return Err(RoomError::NotNow("nobody has signed the minutes"));
            }
        }
        self.shared.keep(&talk, self.shared.clock.now())
    }
}

impl Shared {
    /// The server stops: minutes that the host signed are kept with whoever signed, as the host could have closed them. What
    /// the law or their basis does not permit is gone, and so is what the host did not sign.
    pub(crate) fn keep_at_stop(&self, talk: &Talk) {
        let _acting = talk.act();
        let is_due = {
            let inner = talk.lock();
            let minutes = inner.minutes.as_ref();
            minutes.is_some_and(|one| one.kept.is_none() && one.signed.contains_key(&pseudonym(0)))
        };
        if is_due && let Err(error) = self.keep(talk, self.clock.now()) {
            let error = chain(&error);
            tracing::warn!(recording = %talk.id, %error, "minutes that the host signed are not kept");
        }
    }

    /// Asks the law and keeps them. The caller holds `acting`, so that nobody writes meanwhile.
    fn keep(&self, talk: &Talk, now: Timestamp) -> Result<(), RoomError> {
        let (text, facts, consents, host) = {
            let inner = talk.lock();
            let Some(minutes) = &inner.minutes else {
                return Ok(());
            };
            let people = 0..inner.people.len();
            let consents = people.map(|place| {
                let id = pseudonym(place);
                let word = match minutes.signed.contains_key(&id) {
                    true => "given",
                    false => "none",
                };
                (id, json!(word))
            });
            let consents: Map<String, Value> = consents.collect();
            let text = document(talk, &inner, minutes);
            (text, minutes.facts.clone(), consents, inner.host.clone())
        };
        // The rules on consent are about making a recording (AVG 6, 7); what rests on consent is kept of nobody without it.
        let rests_on_consent = facts.get("legal_basis").is_some_and(|basis| basis == "a");
        if rests_on_consent && consents.values().any(|word| word != "given") {
            return Err(RoomError::NotNow("on consent everybody has to sign"));
        }
        let signed = SignedMinutes::new(&talk.line.name, text.clone(), &facts, consents, now)?;
        let answer = self.archive.ask_to_keep_minutes(&signed, &host, now)?;
        let outcome = match answer.verdict {
            Verdict::Permit(permit) => {
                self.archive.keep_minutes(permit, &signed, now)?;
                if let Err(error) = self.archive.sequence() {
                    // The next one that sequences takes it along.
                    tracing::warn!(error = %chain(&error), "the log could not be continued");
                }
                self.link_minutes(talk, signed.id);
                Ok(KeptMinutes {
                    id: signed.id,
                    fingerprint: self.fingerprint(signed.id),
                    text,
                })
            }
            Verdict::Refusal(refusal) => Err(refusal.grounds),
        };
        if let Some(minutes) = &mut talk.lock().minutes {
            match outcome {
                Ok(kept) => minutes.kept = Some(kept),
                Err(grounds) => minutes.refused = grounds.iter().map(crate::law::reason).collect(),
            }
        }
        talk.changed();
        Ok(())
    }
}

/// Everything that is kept, as one text: who was there and who signed first, and the minutes themselves last, so that nothing
/// in them can look like what stands above.
fn document(talk: &Talk, inner: &Inner, minutes: &Minutes) -> String {
    let t = |nl, en| minutes.lang.pick(nl, en);
    let (writer, at) = &minutes.written;
    let (opened, version, writer) = (inner.opened_at, minutes.version, inner.called(writer));
    let mut lines = vec![
        t("Verslag van een gesprek", "Minutes of a talk").to_owned(),
        format!(
            "{}: {}",
            t("Soort gesprek", "Kind of talk"),
            title(&talk.line)
        ),
        format!("{}: {}", t("Gesprek", "Talk"), talk.id),
        format!("{}: {opened}", t("Geopend", "Opened")),
        format!(
            "{} {version}, {} {writer}: {at}",
            t("Versie", "Version"),
            t("door", "by")
        ),
    ];
    lines.extend(who_was_there(inner, minutes));
    lines.extend(who_signed(inner, minutes));
    if !minutes.remarks.is_empty() {
        lines.push(t("Opmerkingen bij deze versie:", "Remarks on this version:").to_owned());
    }
    for remark in &minutes.remarks {
        let text = remark.text.replace('\n', "\n  ");
        lines.push(format!(
            "- {}, {}: {text}",
            inner.called(&remark.party),
            remark.at
        ));
    }
    lines.extend([String::new(), "----".to_owned(), String::new()]);
    lines.extend([minutes.text.clone(), String::new()]);
    lines.join("\n")
}

fn who_was_there(inner: &Inner, minutes: &Minutes) -> Vec<String> {
    let t = |nl, en| minutes.lang.pick(nl, en);
    let heading = t(
        "Erbij (namen zoals zij die zelf noemden):",
        "Who was there (names as they gave them):",
    );
    let mut lines = vec![heading.to_owned()];
    for (place, one) in inner.people.iter().enumerate() {
        let name = inner.called(&pseudonym(place));
        let left = one
            .left_at
            .map(|at| format!(", {} {at}", t("weg om", "left at")));
        let (since, left) = (t("sinds", "since"), left.unwrap_or_default());
        lines.push(format!("- {name}, {since} {}{left}", one.joined_at));
    }
    lines
}

fn who_signed(inner: &Inner, minutes: &Minutes) -> Vec<String> {
    let t = |nl, en| minutes.lang.pick(nl, en);
    let heading = t(
        "Ondertekend op het eigen apparaat:",
        "Signed on their own device:",
    );
    let mut lines = vec![heading.to_owned()];
    let signed = minutes.signed.iter();
    lines.extend(signed.map(|(party, at)| format!("- {}: {at}", inner.called(party))));
    let people = (0..inner.people.len()).map(pseudonym);
    let unsigned = people.filter(|one| !minutes.signed.contains_key(one));
    let unsigned: Vec<String> = unsigned
        .map(|one| format!("- {}", inner.called(&one)))
        .collect();
    if !unsigned.is_empty() {
        lines.push(t("Niet ondertekend:", "Not signed:").to_owned());
    }
    lines.extend(unsigned);
    lines
}

impl Inner {
    /// A pseudonym, with the name that was said.
    fn called(&self, id: &str) -> String {
        let mut people = self.people.iter().enumerate();
        let found = people.find(|(place, _)| pseudonym(*place) == id);
        let name = found.and_then(|(_, one)| one.name.as_ref());
        name.map_or_else(|| id.to_owned(), |name| format!("{id} ({})", name.expose()))
    }
}
