//! Why an upload goes no further, in words for people and as statuses for programs.

use crate::api::law::wrong_facts;
use crate::trouble::Trouble;
use axum::http::StatusCode;
use voicelog_archive::{ArchiveError, FILE_BYTES_MAX, SoundFileError};
use voicelog_casework::importing::{UPLOADS_OF_ONE_MAX, UploadRefused};
use voicelog_model::{Kind, Language, error};

impl From<UploadRefused> for Trouble {
    fn from(refused: UploadRefused) -> Self {
        match refused {
            UploadRefused::NotFound => Self::not_found(),
            UploadRefused::Expired => Self::new(StatusCode::GONE).saying(
                "Er kwam te lang niets bij. Wat er was, is weg; begin opnieuw.",
                "Nothing came for too long. What there was is gone; begin again.",
            ),
            UploadRefused::Offset(next) => Self::new(StatusCode::CONFLICT).saying(
                format!("De volgende byte is byte {next}."),
                format!("The next byte is byte {next}."),
            ),
            UploadRefused::Busy => Self::new(StatusCode::LOCKED).retry_after(5),
            UploadRefused::TooLarge(most) => Self::new(StatusCode::PAYLOAD_TOO_LARGE).saying(
                format!("Er kunnen hier nog hoogstens {most} bytes bij."),
                format!("At most {most} more bytes can come here."),
            ),
            UploadRefused::Empty => Self::invalid("Het bestand is leeg.", "The file is empty."),
            UploadRefused::TooMany => Self::new(StatusCode::TOO_MANY_REQUESTS)
                .saying(
                    format!(
                        "Er worden al zoveel bestanden verstuurd als kan (van één persoon {UPLOADS_OF_ONE_MAX}). Maak er eerst een af of breek er een af."
                    ),
                    format!(
                        "As many files are being sent as may be (of one person {UPLOADS_OF_ONE_MAX}). Finish one or cancel one first."
                    ),
                )
                .retry_after(60),
            UploadRefused::Disk(error) => {
                let mut trouble = Self::new(StatusCode::SERVICE_UNAVAILABLE);
                trouble.cause = Some(error::chain(&error).to_string());
                trouble
            }
            UploadRefused::Archive(ArchiveError::NoRoom(_)) => {
                Self::new(StatusCode::INSUFFICIENT_STORAGE).saying(
                    in_words(&ArchiveError::NoRoom(0), Language::Nl),
                    in_words(&ArchiveError::NoRoom(0), Language::En),
                )
            }
            UploadRefused::Archive(ArchiveError::Facts(error)) => wrong_facts(&error),
            UploadRefused::Archive(error) => error.into(),
        }
    }
}

/// What is wrong with a file that was sent whole.
pub(crate) fn in_words(error: &ArchiveError, lang: Language) -> String {
    let (nl, en) = match error {
        ArchiveError::SoundFile(error) if error.kind() == Kind::Invalid => {
            return of_file(error, lang);
        }
        ArchiveError::FileTooLarge(_) => {
            let most = FILE_BYTES_MAX >> 20;
            return match lang {
                Language::Nl => format!("Het bestand is te groot: hoogstens {most} MiB."),
                Language::En => format!("The file is too large: at most {most} MiB."),
            };
        }
        ArchiveError::NoRoom(_) => (
            "Er is nu niet genoeg ruimte op de schijf: er blijft altijd wat vrij voor gesprekken.",
            "There is not enough room on the disk at the moment: some is always left for calls.",
        ),
        ArchiveError::ImportStopped => (
            "De server stopt. Begin straks opnieuw.",
            "The server stops. Begin again in a moment.",
        ),
        ArchiveError::BadImport(what) => (does_not_fit(what), *what),
        error if error.kind() == Kind::Invalid => {
            return error::chain(error).to_string();
        }
        _ours => (
            "De fout ligt bij ons. Probeer het opnieuw; er is niets van bewaard.",
            "The mistake is ours. Try again; nothing of it was kept.",
        ),
    };
    lang.pick(nl, en).to_owned()
}

/// What is said of a file and does not fit. The words are those of the archive.
fn does_not_fit(what: &str) -> &'static str {
    let known = [
        (
            "pictures",
            "Er staat beeld in het bestand, en de wet heeft daar eigen vragen over. Begin opnieuw en kruis aan dat er beeld op staat, of lever alleen het geluid in.",
        ),
        (
            "in the future",
            "De opname zou in de toekomst zijn gemaakt: het begin en de lengte samen eindigen na nu. Kijk het moment na.",
        ),
        (
            "before 1970",
            "De opname zou voor 1970 zijn gemaakt. Kijk het moment na.",
        ),
        (
            "at another moment",
            "Het bestand zegt zelf dat het op een ander moment is gemaakt. Een van beide klopt niet.",
        ),
    ];
    let found = known.iter().find(|(part, _)| what.contains(part));
    found.map_or(
        "Er is niet gezegd wanneer de opname is gemaakt, of die feiten gaan over iets anders dan inlezen.",
        |(_, nl)| nl,
    )
}

fn of_file(error: &SoundFileError, lang: Language) -> String {
    if lang == Language::En {
        return format!("{}.", error::chain(error));
    }
    let nl = match error {
        SoundFileError::Empty => "Het bestand is leeg.",
        SoundFileError::Unknown => {
            "Dit is geen geluidsbestand van een soort die wij kennen: WAV, MP3, AAC, MP4 (M4A), Ogg, FLAC, WebM (Matroska), AMR of vCon."
        }
        SoundFileError::CutOff(_) => {
            "Het bestand is niet heel: het is korter dan het zelf zegt. Het is afgebroken, of wordt nog geschreven."
        }
        SoundFileError::Damaged { .. } => {
            "Het bestand is beschadigd, of niet wat het lijkt te zijn."
        }
        SoundFileError::NoSound => "Er staat geen geluid in het bestand.",
        SoundFileError::TooLong => "Het geluid duurt langer dan 24 uur.",
        SoundFileError::TooFast => "Het geluid heeft meer dan 384.000 metingen per seconde.",
        SoundFileError::TooFewBytes { .. } => {
            "Het bestand zegt langer te duren dan zo weinig bytes kunnen bevatten."
        }
        SoundFileError::Elsewhere(_) => {
            "Het geluid van deze vCon staat ergens anders. Er wordt niets opgehaald: neem een vCon met het geluid erin."
        }
        SoundFileError::NotHeard(_) => "Dit geluid kan hier niet worden gelezen.",
        SoundFileError::Io(_) => "Het bestand kan niet worden gelezen.",
    };
    nl.to_owned()
}
