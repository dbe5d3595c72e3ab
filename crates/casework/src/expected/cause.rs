//! Why a call is missing or short, as far as it can be told.

use super::{Expected, Guess, Known};
use voicelog_archive::journal;
use voicelog_archive::{Archive, ArchiveError, DiaryEntry};
use voicelog_model::{Language, Timestamp};

const MINUTE: i64 = 60_000_000;
/// How long after a moment its minute is certainly in the diary.
const CLOSED_AFTER: i64 = 2 * MINUTE;
/// Most lines of the diary that are looked at for one call.
const DIARY_MAX: usize = 500;

/// The probable cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The recorder did not run in that minute.
    NotRunning,
    /// The recorder took no new calls in that minute; the diary's word for why.
    NoNewCalls(String),
    /// The recorder turned something away in that minute; the diary's words for what.
    TurnedAway(Vec<String>),
    /// Calls were offered and recorded in that minute, this one was not among them.
    NotOffered,
    /// Nothing at all was offered in that minute.
    NothingOffered,
    /// It began so recently that the diary of that minute is not closed yet.
    TooRecent,
    /// It is longer ago than the diary goes back.
    Unknown,
    /// The recording began later than the call.
    BeganLate,
    /// The recording ended before the call did.
    EndedEarly(Option<journal::Cause>),
    /// One stream never brought a packet.
    SideNeverSent,
    /// Several people took part, and there is a stream of one of them only.
    SideAbsent,
    /// Perhaps it is another call of that moment, of which nobody knows any more who took part.
    Perhaps(Guess),
}

impl Cause {
    /// The word in reports for programs.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NotRunning => "not_running",
            Self::NoNewCalls(_) => "no_new_calls",
            Self::TurnedAway(_) => "turned_away",
            Self::NotOffered => "not_offered",
            Self::NothingOffered => "nothing_offered",
            Self::TooRecent => "too_recent",
            Self::Unknown => "unknown",
            Self::BeganLate => "began_late",
            Self::EndedEarly(_) => "ended_early",
            Self::SideNeverSent => "side_never_sent",
            Self::SideAbsent => "side_absent",
            Self::Perhaps(guess) => guess.as_str(),
        }
    }

    /// What it is, and what to look at.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        let pick = |nl: &str, en: &str| language.pick(nl, en).to_owned();
        match self {
            Self::Perhaps(guess) => guess.text(language).to_owned(),
            Self::NotRunning => pick(
                "de opnameserver draaide toen niet",
                "the recorder did not run then",
            ),
            Self::NoNewCalls(word) => pick(
                &format!("de opnameserver nam toen geen nieuwe gesprekken aan ({word})"),
                &format!("the recorder took no new calls then ({word})"),
            ),
            Self::TurnedAway(words) => {
                let words = words.join(", ");
                pick(
                    &format!(
                        "in die minuut is iets afgewezen ({words}): kijk of het deze oproep was"
                    ),
                    &format!(
                        "something was turned away in that minute ({words}): see whether it was this call"
                    ),
                )
            }
            Self::NotOffered => pick(
                "andere gesprekken zijn toen wel aangeboden, dit niet: kijk in de centrale of deze lijn of medewerker voor opname is ingesteld",
                "other calls were offered then, this one was not: see in the telephone system whether this line or agent is set to record",
            ),
            Self::NothingOffered => pick(
                "er is toen niets aangeboden: kijk naar de verbinding tussen centrale en opnameserver",
                "nothing was offered then: look at the connection between telephone system and recorder",
            ),
            Self::TooRecent => pick(
                "het is net gebeurd: vraag het over een paar minuten nog eens",
                "it has only just happened: ask again in a few minutes",
            ),
            Self::Unknown => pick(
                "zo ver gaat het dagboek van de opnameserver niet terug",
                "the recorder's diary does not go back that far",
            ),
            Self::BeganLate => pick(
                "de opname begon later dan het gesprek",
                "the recording began later than the call",
            ),
            Self::EndedEarly(cause) => {
                let because = cause.map_or("", |cause| why_ended(cause, language));
                pick(
                    &format!("de opname hield eerder op dan het gesprek{because}"),
                    &format!("the recording ended before the call did{because}"),
                )
            }
            Self::SideAbsent => pick(
                "van één kant is er geen stroom: kijk of de centrale beide kanten aanbiedt, en in het verslag van de oproep of er een geweigerd is",
                "there is no stream of one side: see whether the telephone system offers both, and in the call's report whether one was refused",
            ),
            Self::SideNeverSent => pick(
                "van één kant kwam geen enkel pakket: kijk op de tijdlijn waarom, en of de centrale beide kanten stuurt",
                "not one packet came of one side: see on the timeline why, and whether the telephone system sends both",
            ),
        }
    }
}

const fn why_ended(cause: journal::Cause, language: Language) -> &'static str {
    use journal::Cause as Of;
    match cause {
        Of::RecordingClient => language.pick(
            ": de centrale beëindigde hem",
            ": the telephone system ended it",
        ),
        Of::Refusal => language.pick(": het mocht niet langer", ": it was no longer permitted"),
        Of::Operator => language.pick(": door een medewerker", ": by a person on our side"),
        Of::Overload => language.pick(": te druk", ": too much work"),
        Of::DiskFull => language.pick(": de schijf was vol", ": the disk was full"),
        Of::Shutdown => language.pick(": de server werd gestopt", ": the server was stopped"),
        Of::TimeOut | Of::NoMedia => {
            language.pick(": er kwam niets meer", ": nothing came any more")
        }
        Of::Restart => language.pick(": de server viel uit", ": the server failed"),
        // Of a stream, never of a call.
        Of::Protection
        | Of::Keys
        | Of::Form
        | Of::Device
        | Of::DeviceCall
        | Of::DeviceHidden
        | Of::DeviceMuted
        | Of::DeviceGone
        | Of::DeviceReloaded
        | Of::DeviceFull => "",
    }
}

/// The minute that a moment is in, as the diary has it.
pub(super) fn minute(moment: Timestamp) -> Timestamp {
    Timestamp::from_micros(moment.micros().div_euclid(MINUTE) * MINUTE)
}

/// Why there is nothing of a call, by the diary of the minutes around its beginning.
pub(super) fn of_missing(
    archive: &Archive,
    call: &Expected,
    slack: i64,
    now: Timestamp,
) -> Result<Cause, ArchiveError> {
    if now.micros_since(call.from.plus_micros(slack)) < CLOSED_AFTER {
        return Ok(Cause::TooRecent);
    }
    let begins = archive.diary_begins()?;
    if begins.is_none_or(|begins| minute(call.from) < begins) {
        return Ok(Cause::Unknown);
    }
    let from = minute(call.from.plus_micros(-slack));
    let to = minute(call.from.plus_micros(slack)).plus_micros(MINUTE);
    let diary = archive.diary(from, to, DIARY_MAX)?;
    Ok(by_diary(&diary, minute(call.from)))
}

/// The gravest thing that the diary has to say about a call that began in this minute.
fn by_diary(diary: &[DiaryEntry], minute: Timestamp) -> Cause {
    let ran = |entry: &DiaryEntry| entry.what == "ran" && entry.minute == minute;
    if !diary.iter().any(ran) {
        return Cause::NotRunning;
    }
    let starting = |start: &str| {
        let found = diary.iter().filter(|entry| entry.what.starts_with(start));
        let mut words: Vec<String> = found.map(|entry| entry.what.clone()).collect();
        words.sort();
        words.dedup();
        words
    };
    if let Some(word) = starting("no_new_calls_").into_iter().next() {
        let word = word.trim_start_matches("no_new_calls_").to_owned();
        return Cause::NoNewCalls(word);
    }
    let mut refused = starting("refused_");
    refused.extend(starting("closed_"));
    refused.extend(starting("tcp_"));
    refused.extend(starting("tls_"));
    refused.extend(starting("failed_inside"));
    if !refused.is_empty() {
        return Cause::TurnedAway(refused);
    }
    if starting("offered").is_empty() {
        Cause::NothingOffered
    } else {
        Cause::NotOffered
    }
}

/// Why less is there of a call than the list says.
pub(super) fn of_short(call: &Expected, fit: &[&Known], slack: i64) -> Cause {
    let began = fit.iter().map(|known| known.from).min();
    if began.is_some_and(|began| began.micros_since(call.from) > slack) {
        return Cause::BeganLate;
    }
    let last = fit.iter().max_by_key(|known| known.to);
    Cause::EndedEarly(last.and_then(|last| last.cut))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diary(entries: &[(i64, &str)]) -> Vec<DiaryEntry> {
        let entry = |(minute, what): &(i64, &str)| DiaryEntry {
            minute: Timestamp::from_micros(minute * MINUTE),
            what: (*what).to_owned(),
            count: 1,
        };
        entries.iter().map(entry).collect()
    }

    #[test]
    fn the_diary_tells_why_nothing_was_recorded() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect();
        for (entries, cause) in [
            (&[][..], Cause::NotRunning),
            (&[(4, "ran"), (6, "ran")], Cause::NotRunning),
            (
                &[
                    (5, "ran"),
                    (5, "no_new_calls_disk_full"),
                    (5, "refused_not_accepting"),
                ],
                Cause::NoNewCalls("disk_full".to_owned()),
            ),
            (
                &[
                    (5, "offered"),
                    (5, "ran"),
                    (6, "refused_unknown_extension"),
                    (5, "tcp_framing"),
                    (5, "tls_not_tls"),
                ],
                Cause::TurnedAway(words("refused_unknown_extension tcp_framing tls_not_tls")),
            ),
            (&[(5, "offered"), (5, "ran")], Cause::NotOffered),
            (&[(5, "ran"), (5, "requests")], Cause::NothingOffered),
        ] {
            let entries = diary(entries);
            let found = by_diary(&entries, Timestamp::from_micros(5 * MINUTE));
            assert_eq!(found, cause);
            for language in [Language::Nl, Language::En] {
                assert!(!found.text(language).is_empty());
            }
        }
    }
}
