//! In which state a recording is that is there, and what stands in the way.

use super::super::question::{Choice, Entry, EntryKind, Form, Question};
use crate::text::Bilingual;
use voicelog_model::Action;

/// A purpose that was told. One that was not is known not to have been.
const fn told(
    id: &'static str,
    nl: &'static str,
    en: &'static str,
    sets: &'static [(&'static str, Option<&'static str>)],
) -> Choice {
    Choice::new(id, nl, en, sets).otherwise(&[("announced_purposes", None)])
}

/// In which state it is, and what stands in the way.
pub(super) const STATE: &[Question] = &[
    Question::new(
        "media",
        ("Wat staat erop?", "What does it hold?"),
        (
            "Voor beeld gelden strengere regels dan voor geluid.",
            "Image has stricter rules than sound.",
        ),
        Form::One(&[
            Choice::new(
                "audio",
                "Geluid",
                "Sound",
                &[("media", Some("[\"audio\"]"))],
            ),
            Choice::new(
                "video",
                "Beeld en geluid",
                "Image and sound",
                &[("media", Some("[\"audio\",\"image\"]"))],
            ),
            Choice::new(
                "image",
                "Alleen beeld",
                "Image only",
                &[("media", Some("[\"image\"]"))],
            ),
            Choice::new(
                "transcript",
                "Alleen een uitgeschreven tekst",
                "A written transcript only",
                &[("media", Some("[\"transcript\"]"))],
            ),
        ]),
    ),
    Question::new(
        "told_purposes",
        (
            "Welke doelen zijn vóór de opname genoemd, naast dat waarvoor is opgenomen? Kruis alles aan wat past.",
            "Which purposes were told before the recording, beside the one it was made for? Tick all that fit.",
        ),
        (
            "Wat vooraf is gezegd, bepaalt wat later mag (AVG 13, 5 lid 1 b).",
            "What was said beforehand decides what is allowed later (AVG (GDPR) 13, 5(1)(b)).",
        ),
        Form::Several(&[
            told("measure", "Een maatregel tegen een medewerker, zoals ontslag", "A measure against an employee, such as dismissal", &[("announced_purposes", Some("[\"personeelsmaatregel\"]"))]),
            told("claim", "Een rechtszaak of claim", "A court case or claim", &[("announced_purposes", Some("[\"rechtsvordering\"]"))]),
            told("training", "Kwaliteit en training", "Quality and training", &[("announced_purposes", Some("[\"kwaliteit_training\"]"))]),
            told("control", "Een medewerker controleren", "Control of an employee", &[("announced_purposes", Some("[\"controle_medewerker\"]"))]),
            told("agreement", "Bewijs van een afspraak", "Evidence of an agreement", &[("announced_purposes", Some("[\"bewijs_overeenkomst\"]"))]),
            told("complaint", "Een klacht behandelen", "Handling a complaint", &[("announced_purposes", Some("[\"klacht\"]"))]),
            told("inquiry", "Een onderzoek", "An inquiry", &[("announced_purposes", Some("[\"onderzoek\"]"))]),
            told("file", "Het dossier van een overheid", "The file of a government body", &[("announced_purposes", Some("[\"dossier_overheid\"]"))]),
            told("minutes", "Notulen of verslag", "Minutes or report", &[("announced_purposes", Some("[\"notulen_verslag\"]"))]),
            told("statute", "Een plicht uit de wet", "A duty laid down by law", &[("announced_purposes", Some("[\"wettelijke_plicht\"]"))]),
            told("safety", "Veiligheid of noodhulp", "Safety or emergency aid", &[("announced_purposes", Some("[\"veiligheid_noodhulp\"]"))]),
            told("press", "Journalistiek", "Journalism", &[("announced_purposes", Some("[\"journalistiek\"]"))]),
            told("other", "Iets anders", "Something else", &[("announced_purposes", Some("[\"overig\"]"))]),
        ]),
    )
    .or_unknown(),
    Question::new(
        "recorded_at",
        (
            "Wanneer is de opname gemaakt?",
            "When was the recording made?",
        ),
        (
            "Vanaf die dag lopen de termijnen.",
            "The terms run from that day.",
        ),
        Form::Fields(&[Entry {
            id: "day",
            label: Bilingual {
                nl: "Dag",
                en: "Day",
            },
            kind: EntryKind::MomentOfDay,
            fact: "recorded_at",
            field: None,
        }]),
    ),
    Question::new(
        "term",
        (
            "Hoe lang wordt de opname bewaard?",
            "How long is the recording kept?",
        ),
        (
            "Langer dan nodig mag niet (AVG 5 lid 1 e). Soms zegt de wet hoe lang het moet.",
            "Longer than needed is not allowed (AVG (GDPR) 5(1)(e)). Sometimes the law says how long it must be.",
        ),
        Form::Fields(&[Entry {
            id: "term",
            label: Bilingual {
                nl: "Termijn",
                en: "Term",
            },
            kind: EntryKind::Term,
            fact: "retention_term",
            field: None,
        }]),
    ),
    Question::new(
        "second_person",
        (
            "Heeft een tweede mens bevestigd dat de opname weg mag?",
            "Has a second person confirmed that the recording may go?",
        ),
        (
            "Geen wet eist dat; een huisregel van uw organisatie kan het eisen.",
            "No statute demands that; a house rule of your organisation can.",
        ),
        Form::One(&[
            Choice::new(
                "alone",
                "Nee, één mens vraagt het",
                "No, one person asks for it",
                &[("second_person", Some("false"))],
            ),
            Choice::new(
                "confirmed",
                "Ja, een ander dan wie het vroeg",
                "Yes, another than the one who asked",
                &[("second_person", Some("true"))],
            ),
            Choice::new(
                "nobody",
                "Niemand vraagt het: de bewaartermijn is voorbij",
                "Nobody asks for it: the retention period is over",
                &[("second_person", None)],
            ),
        ]),
    )
    .only(|facts| facts.action() == Action::Destroy),
    Question::new(
        "holds",
        (
            "Houdt iets het vernietigen tegen? Kruis alles aan wat past.",
            "Does anything stand against destruction? Tick all that fit.",
        ),
        (
            "Wie om de opname vraagt of een claim heeft, moet haar nog kunnen krijgen (AVG 15, 17 lid 3, 18).",
            "Who asks for the recording or has a claim must still be able to get it (AVG (GDPR) 15, 17(3), 18).",
        ),
        Form::Several(&[
            Choice::new(
                "claim",
                "Een claim of rechtszaak",
                "A claim or court case",
                &[("legal_hold", Some("{\"claim\":true}"))],
            )
            .otherwise(NO_HOLD),
            Choice::new(
                "dsar",
                "Een verzoek om inzage",
                "A request for access",
                &[("legal_hold", Some("{\"dsar\":true}"))],
            )
            .otherwise(NO_HOLD),
            Choice::new(
                "woo",
                "Een verzoek op grond van de Woo",
                "A request under the Woo",
                &[("legal_hold", Some("{\"woo\":true}"))],
            )
            .otherwise(NO_HOLD),
            Choice::new(
                "seizure",
                "Een beslag",
                "A seizure",
                &[("legal_hold", Some("{\"seizure\":true}"))],
            )
            .otherwise(NO_HOLD),
            Choice::new(
                "art18",
                "Een verzoek om te bevriezen (AVG 18)",
                "A request to freeze (AVG (GDPR) 18)",
                &[("legal_hold", Some("{\"art18\":true}"))],
            )
            .otherwise(NO_HOLD),
        ]),
    )
    .or_unknown(),
    Question::new(
        "archive",
        (
            "Wat zegt de archiefwet over deze opname? Kruis alles aan wat past.",
            "What does archive law say of this recording? Tick all that fit.",
        ),
        (
            "Een overheid vernietigt alleen volgens de selectielijst (Archiefwet 3 en 5).",
            "A government body destroys only by its selection list (Archiefwet 3 and 5).",
        ),
        Form::Several(&[
            Choice::new(
                "destroy",
                "Volgens de selectielijst: vernietigen na een termijn",
                "By the selection list: destroy after a term",
                &[(
                    "archive",
                    Some("{\"selectielijst_result\":\"vernietigen\"}"),
                )],
            )
            .otherwise(NO_ARCHIVE),
            Choice::new(
                "keep",
                "Volgens de selectielijst: blijvend bewaren",
                "By the selection list: keep for good",
                &[("archive", Some("{\"selectielijst_result\":\"bewaren\"}"))],
            )
            .otherwise(NO_ARCHIVE),
            Choice::new(
                "declaration",
                "Er is een verklaring van vernietiging",
                "There is a declaration of destruction",
                &[("archive", Some("{\"destruction_declaration\":true}"))],
            )
            .otherwise(NO_ARCHIVE),
            Choice::new(
                "substitution",
                "Er is een besluit dat de tekst het geluid vervangt",
                "There is a decision that the text replaces the sound",
                &[("archive", Some("{\"substitution_decision\":true}"))],
            )
            .otherwise(NO_ARCHIVE),
        ]),
    )
    .or_unknown(),
    Question::new(
        "processing",
        (
            "Waar en door wie wordt de opname verwerkt? Kruis alles aan wat past.",
            "Where and by whom is the recording processed? Tick all that fit.",
        ),
        (
            "Voor een leverancier is een contract nodig; buiten Europa ook een grond (AVG 28, 44 tot 49).",
            "A supplier needs a contract; outside Europe a ground as well (AVG (GDPR) 28, 44 to 49).",
        ),
        Form::One(&[
            Choice::new(
                "own",
                "Op eigen apparatuur",
                "On own machines",
                &[("processing", None)],
            ),
            Choice::new(
                "contract",
                "Door een leverancier in Europa, met een contract",
                "By a supplier in Europe, with a contract",
                &[(
                    "processing",
                    Some("{\"country\":\"NL\",\"processor_contract\":true}"),
                )],
            ),
            Choice::new(
                "no_contract",
                "Door een leverancier zonder contract",
                "By a supplier without a contract",
                &[("processing", Some("{\"processor_contract\":false}"))],
            ),
            Choice::new(
                "outside",
                "Door een leverancier buiten Europa, met contract maar zonder grond voor doorgifte",
                "By a supplier outside Europe, with a contract but no ground for transfer",
                &[(
                    "processing",
                    Some(
                        "{\"country\":\"US\",\"processor_contract\":true,\"transfer_basis\":\"none\"}",
                    ),
                )],
            ),
            Choice::new(
                "outside_ground",
                "Door een leverancier buiten Europa, met contract en met een grond voor doorgifte",
                "By a supplier outside Europe, with a contract and a ground for transfer",
                &[(
                    "processing",
                    Some(
                        "{\"country\":\"US\",\"processor_contract\":true,\"transfer_basis\":\"safeguards\"}",
                    ),
                )],
            ),
        ]),
    ),
];

const NO_HOLD: &[(&str, Option<&str>)] = &[("legal_hold", Some("{}"))];
const NO_ARCHIVE: &[(&str, Option<&str>)] = &[("archive", Some("{}"))];
