//! What is wrong with a backup, or in the way of one, in Dutch where somebody has to do something about it.

use super::BackupError;
use voicelog_model::{Language, error};

impl BackupError {
    /// The message with its causes. What a file or a system says of itself stays in English.
    #[must_use]
    pub fn in_language(&self, language: Language) -> String {
        match language {
            Language::Nl => self.dutch(),
            Language::En => None,
        }
        .unwrap_or_else(|| error::chain(self).to_string())
    }

    fn dutch(&self) -> Option<String> {
        Some(match self {
            Self::Archive(_) | Self::Store(_) | Self::Document(_) | Self::Signing(_) => {
                return None;
            }
            Self::NotABackup(place) => format!(
                "`{place}` is niet leeg, en geen back-up van dit archief; noem een andere map"
            ),
            Self::Newer {
                place,
                backup,
                archive,
            } => format!(
                "de back-up in `{place}` is van een logboek van {backup} regels, en het archief heeft er {archive}: het \
                 archief is teruggezet naar een eerdere stand, en de back-up is nieuwer. Er is niets veranderd; zet het \
                 archief terug uit deze back-up, of geef een andere map"
            ),
            Self::NotEmpty { place, why } => {
                format!("`{place}` is niet leeg{why}; een archief wordt teruggezet in een lege map")
            }
            Self::Version(found) => {
                format!("dit is een back-up van versie {found}, en die kent dit programma niet")
            }
            Self::KeysVersion(found) => format!(
                "de sleutels van deze back-up zijn van versie {found}, en die kent dit programma niet"
            ),
            Self::Foreign { part, expected } => {
                format!("`{part}` hoort niet bij het archief {expected}")
            }
            Self::Damaged { file, why } => {
                format!("`{file}` is niet wat de back-up ervan zegt: {why}")
            }
            Self::DoesNotOpen { what } => format!("{what}: gaat niet open met deze geheimen"),
            Self::Epoch { backup, secrets } => format!(
                "de back-up is verzegeld met sleutel {backup}, en deze geheimen hebben sleutel {secrets}: hij is van voor \
                 of na een wisseling van die sleutel, en deze geheimen openen hem niet"
            ),
            Self::Behind { known, have } => format!(
                "er is een stand van het logboek met {known} regels uitgegeven, en deze back-up met zijn lijsten heeft er \
                 {have}: wat daartussen ligt, zou verloren gaan. Een nieuwere lijst van vernietigingen (`voicelog backup \
                 destroyed`) heeft die regels; zonder zo'n lijst geeft u --accept-lost-entries, en het logboek meldt dat"
            ),
            Self::Gap { from, have } => format!(
                "een lijst van vernietigingen begint op plaats {from} van het logboek, en de back-up met de andere lijsten \
                 heeft er {have}: wat daartussen is vernietigd, zou terugkomen. Geef een lijst die niet later begint \
                 (`voicelog backup destroyed --since {have}`)"
            ),
            Self::NoRoom {
                place,
                needed,
                free,
            } => format!(
                "in `{place}` is nog plaats voor {free} bytes, en de back-up heeft er ongeveer {needed} nodig; er is \
                 niets geschreven"
            ),
            Self::Fork { what, size } => format!(
                "{what}: van een ander logboek dan de back-up; bij regel {size} verschillen ze"
            ),
        })
    }
}
