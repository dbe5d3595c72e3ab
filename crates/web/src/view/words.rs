//! The words of the house in both languages, in one place (see `glossary.md`).

use crate::view::badge::{Badge, Shape};
use voicelog_archive::timeline::Verdict;
use voicelog_archive::{LINE_NOT_SET_UP, RecordingSummary, State};
use voicelog_model::{Action, Language};

/// What the arithmetic of completeness says, or why it does not speak yet.
pub(crate) const fn completeness(verdict: Option<Verdict>, state: State, lang: Language) -> Badge {
    match (state, verdict) {
        (State::Destroyed | State::Destroying, _) => {
            Badge::new(Shape::Cross, "none", lang.pick("Vernietigd", "Destroyed"))
        }
        (State::WithoutSound | State::SoundDestroying, _) => Badge::new(
            Shape::Cross,
            "none",
            lang.pick("Geluid vernietigd", "Sound destroyed"),
        ),
        (_, Some(Verdict::Whole)) => Badge::new(Shape::Check, "ok", lang.pick("Volledig", "Whole")),
        (_, Some(Verdict::WholeWithDeclaredGaps)) => Badge::new(
            Shape::Dashes,
            "part",
            lang.pick(
                "Volledig, met verklaarde onderbrekingen",
                "Whole, with declared gaps",
            ),
        ),
        (_, Some(Verdict::CutShort)) => Badge::new(
            Shape::Triangle,
            "alarm",
            lang.pick(
                "Afgebroken door de opnameserver",
                "Cut short by the recorder",
            ),
        ),
        (_, Some(Verdict::NotDrawn)) => Badge::new(
            Shape::Barred,
            "none",
            lang.pick("Niet geloot, niet opgenomen", "Not drawn, not recorded"),
        ),
        (_, Some(Verdict::NotRequested)) => Badge::new(
            Shape::Barred,
            "none",
            lang.pick(
                "Niet gevraagd, niet opgenomen",
                "Not asked for, not recorded",
            ),
        ),
        (_, Some(Verdict::UndeclaredGap)) => Badge::new(
            Shape::Triangle,
            "alarm",
            lang.pick(
                "Let op: onverklaarde onderbreking",
                "Beware: undeclared gap",
            ),
        ),
        (_, Some(Verdict::NotRecorded)) | (State::NotRecorded, None) => Badge::new(
            Shape::Barred,
            "none",
            lang.pick("Niet opgenomen", "Not recorded"),
        ),
        (State::Waiting | State::Recording | State::Finishing | State::Sealed, None) => Badge::new(
            Shape::Clock,
            "wait",
            lang.pick("Nog niet bekend", "Not known yet"),
        ),
    }
}

/// Whether nothing was recorded since the line that was called is not set up: a mistake in somebody's
/// settings, and no question of what is permitted.
pub(crate) fn is_not_set_up(summary: &RecordingSummary) -> bool {
    summary.line == LINE_NOT_SET_UP && matches!(summary.state, State::Waiting | State::NotRecorded)
}

/// What is said of a recording first.
pub(crate) fn badge(summary: &RecordingSummary, lang: Language) -> Badge {
    if is_not_set_up(summary) && summary.state == State::NotRecorded {
        return Badge::new(
            Shape::Triangle,
            "alarm",
            lang.pick("Lijn niet ingericht", "Line not set up"),
        );
    }
    completeness(summary.verdict, summary.state, lang)
}

/// The same in a sentence, for the top of a recording's page.
pub(crate) const fn completeness_meaning(
    verdict: Option<Verdict>,
    state: State,
    lang: Language,
) -> &'static str {
    let (nl, en) = match (state, verdict) {
        (State::Destroyed, _) => (
            "Van dit gesprek is niets meer te horen of te lezen. Alleen deze vermelding en het bewijs van vernietiging zijn er nog.",
            "Nothing of this conversation can be heard or read any more. Only this entry and the certificate of destruction remain.",
        ),
        (State::Destroying, _) => (
            "De vernietiging is begonnen. Deze opname kan niet meer worden beluisterd.",
            "The destruction has begun. This recording can no longer be listened to.",
        ),
        (State::SoundDestroying, _) => (
            "De vernietiging van het geluid is begonnen, omdat de termijn ervan voorbij is. Deze opname kan niet meer worden beluisterd. Wat van het gesprek bekend is, blijft.",
            "The destruction of the sound has begun, because its term is over. This recording can no longer be listened to. What is known of the call stays.",
        ),
        (State::WithoutSound, _) => (
            "Het geluid is vernietigd, omdat de termijn ervan voorbij is. Beluisteren en een kopie geven kan niet meer. De tijdlijn en de besluiten hieronder zijn er nog, en nog te bewijzen.",
            "The sound was destroyed, because its term is over. It can no longer be listened to, and no copy can be given. The timeline and the decisions below are still there, and can still be proven.",
        ),
        (_, Some(Verdict::Whole)) => (
            "Van begin tot eind is alles opgenomen wat binnenkwam. Er ontbreekt niets.",
            "Everything that came in was recorded from start to end. Nothing is missing.",
        ),
        (_, Some(Verdict::WholeWithDeclaredGaps)) => (
            "Alles is opgenomen, behalve op plekken waarvan vaststaat waarom. Die staan in de tijdlijn.",
            "Everything was recorded, except where it is known why not. The timeline shows where.",
        ),
        (_, Some(Verdict::CutShort)) => (
            "De opnameserver stopte terwijl het gesprek misschien nog doorging. Wat daarna is gezegd, is niet opgenomen.",
            "The recorder stopped while the conversation may have gone on. What was said after that is not recorded.",
        ),
        (_, Some(Verdict::NotDrawn)) => (
            "Van deze lijn wordt een steekproef opgenomen, en dit gesprek is niet geloot. Er is geen enkel stukje geluid van bewaard.",
            "A sample of the calls of this line is recorded, and this one was not drawn. Not a single sample of its sound was kept.",
        ),
        (_, Some(Verdict::NotRequested)) => (
            "Op deze lijn wordt een gesprek alleen bewaard als een medewerker daarom vraagt. Dat heeft niemand gedaan. Er is geen enkel stukje geluid van bewaard.",
            "A conversation on this line is kept only if somebody on our side asks for it. Nobody did. Not a single sample of its sound was kept.",
        ),
        (_, Some(Verdict::UndeclaredGap)) => (
            "Er ontbreekt geluid en niemand weet waarom. Vertrouw niet op deze opname zonder naar de tijdlijn te kijken.",
            "Sound is missing and nobody knows why. Do not rely on this recording without looking at the timeline.",
        ),
        (_, Some(Verdict::NotRecorded)) | (State::NotRecorded, None) => (
            "Dit gesprek mocht niet worden opgenomen. Er is geen enkel stukje geluid van bewaard.",
            "This conversation could not lawfully be recorded. Not a single sample of it was kept.",
        ),
        (State::Waiting, None) => (
            "Het gesprek loopt. Er wordt niets opgenomen zolang het niet mag.",
            "The call is in progress. Nothing is recorded as long as it may not be.",
        ),
        (State::Recording, None) => (
            "Het gesprek loopt en wordt opgenomen. Na afloop staat hier of de opname volledig is.",
            "The call is in progress and is being recorded. When it is over, this says whether the recording is whole.",
        ),
        (State::Finishing | State::Sealed, None) => (
            "Het gesprek is voorbij. De opname wordt nagerekend.",
            "The call is over. The recording is being checked.",
        ),
    };
    lang.pick(nl, en)
}

/// What has become of a recording.
#[must_use]
pub const fn state(state: State, lang: Language) -> &'static str {
    let (nl, en) = match state {
        State::Waiting => ("Loopt, niet opgenomen", "In progress, not recorded"),
        State::Recording => ("Loopt, wordt opgenomen", "In progress, being recorded"),
        State::Finishing => ("Wordt afgesloten", "Being closed"),
        State::Sealed => ("Bewaard", "Kept"),
        State::NotRecorded => ("Niet opgenomen", "Not recorded"),
        State::SoundDestroying => ("Geluid wordt vernietigd", "Sound being destroyed"),
        State::WithoutSound => ("Bewaard zonder geluid", "Kept without sound"),
        State::Destroying => ("Wordt vernietigd", "Being destroyed"),
        State::Destroyed => ("Vernietigd", "Destroyed"),
    };
    lang.pick(nl, en)
}

/// The question that a decision answers.
#[must_use]
pub const fn question(action: Action, lang: Language) -> &'static str {
    let (nl, en) = match action {
        Action::Record => (
            "Mag dit gesprek worden opgenomen?",
            "May this conversation be recorded?",
        ),
        Action::ListenLive => ("Mag er worden meegeluisterd?", "May somebody listen along?"),
        Action::Keep => (
            "Mag de opname worden bewaard?",
            "May the recording be kept?",
        ),
        Action::Listen => (
            "Mag de opname worden beluisterd?",
            "May the recording be listened to?",
        ),
        Action::Transcribe => (
            "Mag de opname worden uitgeschreven?",
            "May the recording be transcribed?",
        ),
        Action::AnalyseAi => (
            "Mag een machine het gesprek beoordelen?",
            "May a machine judge the conversation?",
        ),
        Action::Share => (
            "Mag de opname worden gedeeld?",
            "May the recording be shared?",
        ),
        Action::Publish => (
            "Mag de opname openbaar worden?",
            "May the recording be published?",
        ),
        Action::UseFor => (
            "Mag de opname voor een ander doel worden gebruikt?",
            "May the recording be used for another purpose?",
        ),
        Action::FileInCourt => (
            "Mag de opname naar de rechter?",
            "May the recording be filed in court?",
        ),
        Action::GiveCopy => ("Mag er een kopie worden gegeven?", "May a copy be given?"),
        Action::Destroy => (
            "Mag de opname worden vernietigd?",
            "May the recording be destroyed?",
        ),
        Action::ImportFile => (
            "Mag het bestand in het archief?",
            "May the file be taken into the archive?",
        ),
        Action::RefuseRecording => ("Mag opnemen worden geweigerd?", "May recording be refused?"),
        Action::Call => ("Mag er worden gebeld?", "May the call be placed?"),
    };
    lang.pick(nl, en)
}

/// What a leaf of the log says, by its word in the log.
pub(crate) fn leaf(kind: &str, lang: Language) -> String {
    let (nl, en) = match kind {
        "recorded" => ("Opgenomen", "Recorded"),
        "not_recorded" => ("Niet opgenomen", "Not recorded"),
        "refused" => ("Niet toegestaan", "Not permitted"),
        "not_drawn" => ("Niet geloot voor de steekproef", "Not drawn for the sample"),
        "not_requested" => ("Niemand vroeg het te bewaren", "Nobody asked to keep it"),
        "permitted" => ("Toegestaan", "Permitted"),
        "listened" => ("Beluisterd", "Listened to"),
        "exported" => ("Kopie gegeven", "Copy given"),
        "destroyed" => ("Vernietigd", "Destroyed"),
        "sound_destroyed" => ("Geluid vernietigd", "Sound destroyed"),
        "archive_opened" => ("Archief gemaakt", "Archive made"),
        "rulebook_changed" => ("Andere regels in gebruik", "Other rules in use"),
        "key_created" => ("Sleutel in gebruik genomen", "Key taken into use"),
        "key_retired" => ("Sleutel uit gebruik genomen", "Key taken out of use"),
        "paused" => ("Gepauzeerd", "Paused"),
        "transcribed" => ("Uitgeschreven", "Written out"),
        "shared" => ("Gedeeld", "Shared"),
        "destruction_refused" => ("Niet vernietigd", "Not destroyed"),
        "held" => ("Vernietigingsstop", "Held"),
        "released" => ("Stop opgeheven", "Hold lifted"),
        "proposed" => ("Vernietiging voorgesteld", "Destruction proposed"),
        "confirmed" => ("Vernietiging bevestigd", "Destruction confirmed"),
        "declined" => ("Vernietiging afgewezen", "Destruction declined"),
        "account_made" => ("Account gemaakt", "Account made"),
        "account_ended" => ("Account beëindigd", "Account ended"),
        other => return other.replace('_', " "),
    };
    lang.pick(nl, en).to_owned()
}

/// A country by its code, with what `ZZ` means.
pub(crate) fn country(code: &str, lang: Language) -> String {
    match code {
        "ZZ" => lang.pick("onbekend", "unknown").to_owned(),
        "NL" => lang.pick("Nederland", "Netherlands").to_owned(),
        "DE" => lang.pick("Duitsland", "Germany").to_owned(),
        "BE" => lang.pick("België", "Belgium").to_owned(),
        other => other.to_owned(),
    }
}
