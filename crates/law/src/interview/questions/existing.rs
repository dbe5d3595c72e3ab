//! What happens with a recording that is there: to whom, and for what.

use super::super::question::{Choice, Entry, EntryKind, Form, Question};
use crate::text::Bilingual;
use voicelog_model::Action;

/// Who gets it, where it comes from, what for.
pub(super) const WHO_AND_WHAT_FOR: &[Question] = &[
    Question::new(
        "new_purpose",
        (
            "Waarvoor wilt u de opname gebruiken?",
            "What do you want to use the recording for?",
        ),
        (
            "Een opname mag niet zomaar voor iets anders worden gebruikt (AVG 5 lid 1 b, 6 lid 4).",
            "A recording may not simply be used for something else (AVG (GDPR) 5(1)(b), 6(4)).",
        ),
        Form::One(&[
            Choice::new(
                "measure",
                "Een maatregel tegen een medewerker, zoals ontslag",
                "A measure against an employee, such as dismissal",
                &[("purpose2", Some("\"personeelsmaatregel\""))],
            ),
            Choice::new(
                "claim",
                "Een rechtszaak of claim",
                "A court case or claim",
                &[("purpose2", Some("\"rechtsvordering\""))],
            ),
            Choice::new(
                "training",
                "Kwaliteit en training",
                "Quality and training",
                &[("purpose2", Some("\"kwaliteit_training\""))],
            ),
            Choice::new(
                "control",
                "Een medewerker controleren",
                "Control of an employee",
                &[("purpose2", Some("\"controle_medewerker\""))],
            ),
            Choice::new(
                "agreement",
                "Bewijs van een afspraak",
                "Evidence of an agreement",
                &[("purpose2", Some("\"bewijs_overeenkomst\""))],
            ),
            Choice::new(
                "complaint",
                "Een klacht behandelen",
                "Handling a complaint",
                &[("purpose2", Some("\"klacht\""))],
            ),
            Choice::new(
                "inquiry",
                "Een onderzoek",
                "An inquiry",
                &[("purpose2", Some("\"onderzoek\""))],
            ),
            Choice::new(
                "file",
                "Het dossier van een overheid",
                "The file of a government body",
                &[("purpose2", Some("\"dossier_overheid\""))],
            ),
            Choice::new(
                "minutes",
                "Notulen of verslag",
                "Minutes or report",
                &[("purpose2", Some("\"notulen_verslag\""))],
            ),
            Choice::new(
                "statute",
                "Een plicht uit de wet",
                "A duty laid down by law",
                &[("purpose2", Some("\"wettelijke_plicht\""))],
            ),
            Choice::new(
                "safety",
                "Veiligheid of noodhulp",
                "Safety or emergency aid",
                &[("purpose2", Some("\"veiligheid_noodhulp\""))],
            ),
            Choice::new(
                "press",
                "Journalistiek",
                "Journalism",
                &[("purpose2", Some("\"journalistiek\""))],
            ),
            Choice::new(
                "other",
                "Iets anders",
                "Something else",
                &[("purpose2", Some("\"overig\""))],
            ),
        ]),
    )
    .only(|facts| facts.action() == Action::UseFor)
    .needed(),
    Question::new(
        "share_with",
        (
            "Aan wie geeft u de opname?",
            "To whom do you give the recording?",
        ),
        (
            "Delen met uw advocaat is iets anders dan delen met een kennis of de pers.",
            "Sharing with your lawyer differs from sharing with an acquaintance or the press.",
        ),
        Form::One(&[
            Choice::new(
                "lawyer",
                "Een advocaat of adviseur",
                "A lawyer or adviser",
                &[("share_target", Some("\"lawyer\""))],
            ),
            Choice::new(
                "police",
                "De politie",
                "The police",
                &[("share_target", Some("\"police\""))],
            ),
            Choice::new(
                "regulator",
                "Een toezichthouder",
                "A regulator",
                &[("share_target", Some("\"regulator\""))],
            ),
            Choice::new(
                "colleague",
                "Een collega die het moet weten",
                "A colleague who needs to know",
                &[("share_target", Some("\"colleague_need_to_know\""))],
            ),
            Choice::new(
                "works_council",
                "De ondernemingsraad",
                "The works council",
                &[("share_target", Some("\"works_council\""))],
            ),
            Choice::new(
                "processor",
                "Een leverancier die voor mij werkt",
                "A supplier that works for me",
                &[("share_target", Some("\"processor\""))],
            ),
            Choice::new(
                "journalist",
                "Een journalist",
                "A journalist",
                &[("share_target", Some("\"journalist\""))],
            ),
            Choice::new(
                "third_party",
                "Iemand anders",
                "Somebody else",
                &[("share_target", Some("\"third_party\""))],
            ),
        ]),
    )
    .only(|facts| facts.action() == Action::Share),
    Question::new(
        "requester",
        ("Wie vraagt erom?", "Who asks for it?"),
        (
            "Wie is opgenomen, heeft recht op een kopie (AVG 15). Anderen meestal niet.",
            "Who was recorded has a right to a copy (AVG (GDPR) 15). Others mostly not.",
        ),
        Form::One(&[
            Choice::new(
                "data_subject",
                "Wie zelf is opgenomen",
                "The person recorded",
                &[("requester_role", Some("\"data_subject\""))],
            ),
            Choice::new(
                "guardian",
                "Een ouder of voogd van wie is opgenomen",
                "A parent or guardian of the person recorded",
                &[("requester_role", Some("\"guardian\""))],
            ),
            Choice::new(
                "lawyer",
                "Een advocaat of gemachtigde",
                "A lawyer or representative",
                &[("requester_role", Some("\"lawyer\""))],
            ),
            Choice::new(
                "staff",
                "Een eigen medewerker",
                "A member of own staff",
                &[("requester_role", Some("\"controller_staff\""))],
            ),
            Choice::new(
                "relative",
                "Familie",
                "A relative",
                &[("requester_role", Some("\"relative\""))],
            ),
            Choice::new(
                "judge",
                "Een rechter",
                "A judge",
                &[("requester_role", Some("\"judge\""))],
            ),
            Choice::new(
                "ap",
                "De Autoriteit Persoonsgegevens",
                "The data protection authority (AP)",
                &[("requester_role", Some("\"ap\""))],
            ),
            Choice::new(
                "afm",
                "De AFM",
                "The AFM",
                &[("requester_role", Some("\"afm\""))],
            ),
            Choice::new(
                "police",
                "De politie",
                "The police",
                &[("requester_role", Some("\"police\""))],
            ),
            Choice::new(
                "woo",
                "Iemand die zich op de Woo beroept",
                "Somebody who relies on the Woo (open government act)",
                &[("requester_role", Some("\"woo_applicant\""))],
            ),
            Choice::new(
                "journalist",
                "Een journalist",
                "A journalist",
                &[("requester_role", Some("\"journalist\""))],
            ),
            Choice::new(
                "third_party",
                "Iemand anders",
                "Somebody else",
                &[("requester_role", Some("\"third_party\""))],
            ),
        ]),
    )
    .only(|facts| {
        matches!(
            facts.action(),
            Action::GiveCopy | Action::Listen
        )
    })
    .reworded(&[(
        |facts| facts.action() == Action::Listen,
        Bilingual {
            nl: "Wie wil de opname horen?",
            en: "Who wants to hear the recording?",
        },
    )]),
    Question::new(
        "need_to_know",
        (
            "Moet deze mens het voor het werk horen?",
            "Does this person have to hear it for their work?",
        ),
        (
            "Alleen wie het voor het werk nodig heeft, mag luisteren (AVG 32).",
            "Only who needs it for their work may listen (AVG (GDPR) 32).",
        ),
        Form::Fields(&[Entry {
            id: "reason",
            label: Bilingual {
                nl: "De reden, of `none` als die er niet is",
                en: "The reason, or `none` if there is none",
            },
            kind: EntryKind::Reference,
            fact: "need_to_know_basis",
            field: None,
        }]),
    ),
    Question::new(
        "origin",
        (
            "Waar komt het bestand vandaan?",
            "Where does the file come from?",
        ),
        (
            "Een bestand van onbekende of onrechtmatige herkomst mag niet worden ingelezen (Sr 139e, 139g).",
            "A file of unknown or unlawful origin may not be imported (Sr 139e, 139g).",
        ),
        Form::One(&[
            Choice::new(
                "participant",
                "Van iemand die aan het gesprek deelnam",
                "From somebody who took part in the talk",
                &[("origin_of_import", Some("\"participant\""))],
            ),
            Choice::new(
                "unknown",
                "Dat is niet bekend",
                "That is not known",
                &[("origin_of_import", Some("\"unknown\""))],
            ),
            Choice::new(
                "unlawful",
                "Het is misschien onrechtmatig gemaakt of verkregen",
                "It may have been made or obtained unlawfully",
                &[("origin_of_import", Some("\"suspected_unlawful\""))],
            ),
            Choice::new(
                "own",
                "Uit ons eigen systeem",
                "From our own system",
                &[("origin_of_import", Some("\"own_system\""))],
            ),
        ]),
    )
    .only(|facts| facts.action() == Action::ImportFile),
    Question::new(
        "ai",
        ("Wat doet de AI?", "What does the AI do?"),
        (
            "Emoties van personeel laten meten is verboden (AI-verordening 5 lid 1 f).",
            "Having the emotions of staff measured is forbidden (AI Act 5(1)(f)).",
        ),
        Form::One(&[
            Choice::new(
                "transcription",
                "Uitschrijven",
                "Transcription",
                &[("ai_function", Some("\"transcription\""))],
            ),
            Choice::new(
                "summary",
                "Samenvatten",
                "Summary",
                &[("ai_function", Some("\"summary\""))],
            ),
            Choice::new(
                "score",
                "Een cijfer geven aan het gesprek",
                "A score for the talk",
                &[("ai_function", Some("\"quality_score\""))],
            ),
            Choice::new(
                "emotion",
                "Emotie of stress meten",
                "Measuring emotion or stress",
                &[("ai_function", Some("\"emotion\""))],
            ),
            Choice::new(
                "inference",
                "Afleiden wat iemand gelooft, vindt of is",
                "Inferring what somebody believes, thinks or is",
                &[("ai_function", Some("\"sensitive_inference\""))],
            ),
            Choice::new(
                "voice_id",
                "Iemand herkennen aan de stem",
                "Recognising somebody by voice",
                &[("ai_function", Some("\"voice_id\""))],
            ),
            Choice::new(
                "other",
                "Iets anders",
                "Something else",
                &[("ai_function", Some("\"other\""))],
            ),
        ]),
    )
    .only(|facts| facts.action() == Action::AnalyseAi),
];
