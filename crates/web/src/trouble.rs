//! What can go wrong with a request, in words for the person who made it.
//!
//! A handler returns [`Trouble`]; the frame around it makes the page (or, for the API, the
//! problem document) and gives it the request's id. The cause goes to the operator's log, never
//! to the page.

use crate::view::when::When;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::error::Error;
use voicelog_archive::{ArchiveError, AudioError};
use voicelog_casework::certificate::DeclarationError;
use voicelog_law::DocumentError;
use voicelog_model::{Kind, Language, error};

/// Why there is no answer to give.
#[derive(Debug, Clone)]
pub(crate) struct Trouble {
    pub(crate) status: StatusCode,
    /// What the person can read about it besides the general words for the status.
    detail: Option<(String, String)>,
    /// Everything that is wrong with what was sent: place, and what would be right in Dutch and in
    /// English. For programs.
    pub(crate) findings: Vec<(String, String, String)>,
    /// What the operator can read about it. No personal data.
    pub(crate) cause: Option<String>,
    /// Seconds after which trying again can help.
    pub(crate) retry_after: Option<u32>,
    /// The word by which a device knows it, and the chunk with which it goes on.
    pub(crate) code: Option<Box<(&'static str, Option<u32>)>>,
}

impl Trouble {
    pub(crate) const fn new(status: StatusCode) -> Self {
        Self {
            status,
            detail: None,
            findings: Vec::new(),
            cause: None,
            retry_after: None,
            code: None,
        }
    }

    pub(crate) const fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND)
    }

    /// The input is wrong, and what would be right.
    pub(crate) fn invalid(nl: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST).saying(nl, en)
    }

    /// A form that our page did not make, or made too long ago.
    pub(crate) fn form() -> Self {
        Self::new(StatusCode::FORBIDDEN).saying(
            "Het formulier hoort niet bij deze browser, of het is verlopen. Ga terug, laad de pagina opnieuw en probeer het nog eens.",
            "The form does not belong to this browser, or it is too old. Go back, load the page again and try once more.",
        )
    }

    pub(crate) fn saying(mut self, nl: impl Into<String>, en: impl Into<String>) -> Self {
        self.detail = Some((nl.into(), en.into()));
        self
    }

    pub(crate) fn with_findings(mut self, findings: Vec<(String, String, String)>) -> Self {
        self.findings = findings;
        self
    }

    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(u32::try_from(seconds).unwrap_or(u32::MAX));
        self
    }

    pub(crate) fn coded(mut self, code: &'static str, next: Option<u32>) -> Self {
        self.code = Some(Box::new((code, next)));
        self
    }

    /// Our own mistake, or one of the machine.
    pub(crate) fn internal(cause: &(dyn Error + 'static)) -> Self {
        let mut trouble = Self::new(StatusCode::INTERNAL_SERVER_ERROR);
        trouble.cause = Some(error::chain(cause).to_string());
        trouble
    }

    /// The status in a few words.
    pub(crate) const fn title(&self, lang: Language) -> &'static str {
        let (nl, en) = match self.status.as_u16() {
            400 | 422 => ("Dit klopt niet", "This is not right"),
            401 => ("Log eerst in", "Sign in first"),
            403 => ("Dit mag niet", "This is not allowed"),
            404 => ("Niet gevonden", "Not found"),
            405 => ("Dat kan hier niet", "That cannot be done here"),
            409 => (
                "Dat past niet bij de toestand van nu",
                "That does not fit the present state",
            ),
            408 => ("Er kwam niets meer", "Nothing more came"),
            410 => ("Dit is voorbij", "This is over"),
            413 => ("Dit is te groot", "This is too large"),
            415 => ("Deze vorm kennen wij niet", "We do not know this format"),
            412 => ("Dit is een andere versie", "This is another version"),
            423 => ("Hier is al iemand mee bezig", "Somebody is busy with this"),
            429 => ("Even wachten", "Wait a moment"),
            460 => ("Dit is onderweg veranderd", "This was changed on its way"),
            503 => ("Even niet beschikbaar", "Not available for a moment"),
            507 => ("Er is geen ruimte", "There is no room"),
            _ => ("Er ging iets mis", "Something went wrong"),
        };
        lang.pick(nl, en)
    }

    /// One or two sentences about it.
    pub(crate) fn detail(&self, lang: Language) -> &str {
        if let Some((nl, en)) = &self.detail {
            return lang.pick(nl, en);
        }
        let (nl, en) = match self.status.as_u16() {
            401 => (
                "Voor deze pagina moet u ingelogd zijn.",
                "You have to be signed in for this page.",
            ),
            403 => ("U mag dit niet doen.", "You may not do this."),
            404 => (
                "Wat u zoekt is hier niet, of u mag het niet zien.",
                "What you are looking for is not here, or you may not see it.",
            ),
            405 => (
                "Dit adres bestaat, maar niet voor deze handeling.",
                "This address exists, but not for this act.",
            ),
            409 => (
                "Kijk eerst hoe het er nu voor staat en probeer het dan opnieuw.",
                "Look at how things stand now, then try again.",
            ),
            413 => (
                "Er is meer gestuurd dan wij aannemen.",
                "More was sent than we accept.",
            ),
            408 => (
                "Er kwam te lang niets. Ga verder waar het ophield.",
                "Nothing came for too long. Go on where it ended.",
            ),
            423 => (
                "Iemand verstuurt dit bestand al, of het wordt verwerkt. Probeer het zo opnieuw.",
                "Somebody is sending this file already, or it is being taken in. Try again in a moment.",
            ),
            429 => (
                "U heeft te vaak geprobeerd. Wacht even.",
                "You tried too often. Wait a moment.",
            ),
            503 => (
                "Probeer het over een minuut opnieuw.",
                "Try again in a minute.",
            ),
            400..500 => (
                "Wat gestuurd is, kunnen wij niet lezen.",
                "We cannot read what was sent.",
            ),
            _ => (
                "De fout ligt bij ons. Probeer het opnieuw. Blijft het misgaan? Geef de beheerder dan het nummer hieronder.",
                "The mistake is ours. Try again. Does it go on? Then give the administrator the number below.",
            ),
        };
        lang.pick(nl, en)
    }
}

impl From<ArchiveError> for Trouble {
    fn from(error: ArchiveError) -> Self {
        if let ArchiveError::Audio(AudioError::NothingDecodable(codecs)) = &error {
            return Self::new(StatusCode::UNPROCESSABLE_ENTITY).saying(
                format!(
                    "Deze opname is er helemaal, maar voicelog kan haar niet afspelen: zij kwam in {codecs}. Een kopie bevat de pakketten, voor een programma dat dat wel kan."
                ),
                format!(
                    "This recording is all there, but voicelog cannot play it: it came in {codecs}. A copy holds the packets, for a program that can."
                ),
            );
        }
        if let ArchiveError::SoundDestroyed { at, .. } = &error {
            let on = |lang| at.map(|at| When::new(at, lang).text);
            let (nl, en) = (on(Language::Nl), on(Language::En));
            return Self::new(StatusCode::CONFLICT).saying(
                format!(
                    "Het geluid van deze opname is vernietigd{}, omdat de termijn van het geluid voorbij is. Wat van het gesprek bekend is, staat op de pagina van de opname.",
                    nl.map(|on| format!(" op {on}")).unwrap_or_default()
                ),
                format!(
                    "The sound of this recording was destroyed{}, because the term of the sound is over. What is known of the call is on the recording’s page.",
                    en.map(|on| format!(" on {on}")).unwrap_or_default()
                ),
            );
        }
        if let ArchiveError::ClockJumped { .. } = &error {
            return Self::new(StatusCode::SERVICE_UNAVAILABLE).saying(
                "De klok van de server is versprongen. Er wordt niets vernietigd tot iemand op de pagina Gezondheid zegt dat de klok goed staat.",
                "The server's clock jumped. Nothing is destroyed until somebody says on the page Health that the clock is right.",
            );
        }
        if matches!(error, ArchiveError::SamePerson) {
            return Self::new(StatusCode::CONFLICT).saying(
                "U heeft dit zelf voorgesteld. Iemand met een ander account moet het bevestigen.",
                "You proposed this yourself. Somebody with another account has to confirm it.",
            );
        }
        if matches!(error, ArchiveError::ProposalOver(_)) {
            return Self::new(StatusCode::CONFLICT).saying(
                "Dit voorstel is al beantwoord, of het is verlopen. Vraag opnieuw om de vernietiging.",
                "This proposal was answered already, or has lapsed. Ask for the destruction again.",
            );
        }
        if error.is_blocked() {
            return Self::new(StatusCode::SERVICE_UNAVAILABLE).saying(
                "Er kan nu niets worden vernietigd, bijvoorbeeld omdat er een back-up wordt gemaakt. Probeer het later opnieuw.",
                "Nothing can be destroyed at the moment, for instance because a backup is being made. Try again later.",
            );
        }
        let status = status_of(error.kind());
        let mut trouble = Self::new(status);
        if matches!(error.kind(), Kind::Invalid) {
            // The message names the input at fault; it quotes no personal data.
            let said = format!("{}: {}", error::chain(&error), error.help());
            trouble = trouble.saying(said.clone(), said);
        }
        if status.is_server_error() {
            trouble.cause = Some(error::chain(&error).to_string());
        }
        trouble
    }
}

/// A declaration that there is not.
impl From<DeclarationError> for Trouble {
    fn from(error: DeclarationError) -> Self {
        match error {
            DeclarationError::Archive(error) => error.into(),
            DeclarationError::NotDestroyed(_) => Self::new(StatusCode::CONFLICT).saying(
                "Deze opname is niet vernietigd.",
                "This recording is not destroyed.",
            ),
            DeclarationError::NoCertificate(_) => Self::new(StatusCode::CONFLICT).saying(
                "Van deze opname zegt alleen het logboek dat zij vernietigd is. Het bewijs wordt nog gemaakt (bij de volgende start van de server), of het ging verloren toen een oudere kopie van het archief werd teruggezet.",
                "Of this recording only the log says that it is destroyed. The certificate is still to be made (at the next start of the server), or was lost when an older copy of the archive was restored.",
            ),
            DeclarationError::Period => Self::invalid(
                "Kies een eerste en een laatste dag, de eerste niet na de laatste en niet in de toekomst.",
                "Choose a first and a last day, the first not after the last and not in the future.",
            ),
            DeclarationError::TooMany => Self::invalid(
                "In die tijd zijn meer dan 10.000 opnamen vernietigd. Kies een kortere tijd.",
                "More than 10,000 recordings were destroyed in that time. Choose a shorter one.",
            ),
            other @ (DeclarationError::Certificate { .. } | DeclarationError::Print(_)) => {
                Self::internal(&other)
            }
        }
    }
}

/// A document that there is not. What the law refuses is not the same as what was sent wrongly.
impl From<DocumentError> for Trouble {
    fn from(error: DocumentError) -> Self {
        let status = match &error {
            DocumentError::NoSuch { .. } => StatusCode::NOT_FOUND,
            DocumentError::Refused { .. } => StatusCode::FORBIDDEN,
            DocumentError::DoesNotFit { .. }
            | DocumentError::NothingToSay { .. }
            | DocumentError::Wanting { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            DocumentError::Text { .. } => return Self::internal(&error),
        };
        Self::new(status).saying(
            error.in_language(Language::Nl),
            error.in_language(Language::En),
        )
    }
}

/// The one table from kinds of errors to HTTP.
pub(crate) const fn status_of(kind: Kind) -> StatusCode {
    match kind {
        Kind::Invalid => StatusCode::BAD_REQUEST,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Unavailable | Kind::Exhausted => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Corrupt | Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl IntoResponse for Trouble {
    /// A response that only carries the trouble; the frame makes the page.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_that_cannot_be_played_is_not_said_to_be_gone() {
        let error = ArchiveError::Audio(AudioError::NothingDecodable("G729".to_owned()));
        let trouble = Trouble::from(error);
        assert_eq!(trouble.status, StatusCode::UNPROCESSABLE_ENTITY);
        for language in [Language::Nl, Language::En] {
            assert!(trouble.detail(language).contains("G729"));
        }
    }
}
