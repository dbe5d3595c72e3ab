//! Rows 39 to 48: what is asked, by whom, in which setting.

use super::{Definition, Effect, Shape, always, field, name, take, when, words};

pub(super) const ROWS: &[Definition] = &[
    Definition::new("39", name::REQUESTED_ACTION, Shape::Word(words::ACTS))
        .missing(&[always(Effect::InputError)])
        .means(
            "De handeling waarover de vraag gaat. listen_live: meeluisteren; listen: afspelen; refuse_recording: weigeren dat de ander opneemt; call: een verkoopgesprek beginnen.",
            "The act asked about. listen_live: hear along; listen: play back; refuse_recording: refuse that the other side records; call: place an outbound marketing call.",
        ),
    Definition::new(
        "40",
        name::SHARE_TARGET,
        Shape::Word(&[
            "lawyer",
            "police",
            "works_council",
            "regulator",
            "colleague_need_to_know",
            "journalist",
            "processor",
            "third_party",
        ]),
    )
    .missing(&[
        when(Effect::Take("\"third_party\""), "bij delen", "with share"),
        always(Effect::Nothing),
    ])
    .means("Met wie wordt gedeeld.", "To whom it is given."),
    Definition::new(
        "41",
        name::ORIGIN_OF_IMPORT,
        Shape::Word(&["own_system", "participant", "unknown", "suspected_unlawful"]),
    )
    .missing(&[
        when(
            Effect::RefuseCriminal,
            "bij een bestand inlezen",
            "for import_file",
        ),
        always(Effect::Nothing),
    ])
    .means(
        "Waar het bestand vandaan komt. unknown: gevraagd en niet bekend.",
        "Where the file comes from. unknown: asked and not known.",
    ),
    Definition::new(
        "42",
        name::REQUESTER_ROLE,
        Shape::Word(&[
            "data_subject",
            "guardian",
            "relative",
            "lawyer",
            "controller_staff",
            "ap",
            "afm",
            "judge",
            "police",
            "journalist",
            "woo_applicant",
            "third_party",
        ]),
    )
    .missing(&[
        when(
            Effect::Take("\"third_party\""),
            "bij een kopie geven",
            "for give_copy",
        ),
        always(Effect::Nothing),
    ])
    .means("Wie erom vraagt.", "Who asks."),
    Definition::new("42b", name::REQUESTER_FUNCTION, Shape::Text)
        .missing(&[always(Effect::Nothing)])
        .means(
            "De functie van de medewerker die erom vraagt.",
            "Function of the member of staff who asks.",
        ),
    Definition::new("42c", name::SECOND_PERSON, Shape::Flag)
        .missing(&[always(Effect::Nothing)])
        .means(
            "Of een tweede mens deze handeling heeft bevestigd: een ander dan wie erom vroeg. false: iemand vraagt het alleen. Ontbreekt: niemand vraagt erom, het gebeurt vanzelf aan het eind van een termijn. Bij vernietigen stelt het archief dit zelf vast; geen wet vraagt ernaar, een huisregel kan het eisen.",
            "Whether a second person has confirmed this act: another than the one who asked. false: somebody asks alone. Missing: nobody asks, it happens by itself at the end of a term. For destruction the archive finds this out itself; no statute asks for it, a house rule can.",
        ),
    Definition::new("43", name::NEED_TO_KNOW_BASIS, Shape::Reference)
        .missing(&[
            when(
                Effect::RefusePrivacy,
                "als eigen personeel wil afspelen",
                "for listen by own staff",
            ),
            always(Effect::Nothing),
        ])
        .means(
            "Waarom deze mens het moet horen.",
            "Why this person must hear it.",
        ),
    Definition::new(
        "44",
        name::RELATIONSHIP_STATE,
        Shape::Word(&["normal", "tension", "dispute", "procedure"]),
    )
    .missing(&[always(Effect::Nothing)])
    .means(
        "Hoe de partijen met elkaar staan.",
        "State of the relation between the parties.",
    ),
    Definition::new("45", name::OTHER_PROOF_AVAILABLE, Shape::Flag)
        .missing(&[always(Effect::Nothing)])
        .means("Er is ander bewijs.", "There is other proof."),
    Definition::new("46", name::THREAT_OR_ABUSE, Shape::Flag)
        .missing(&[take("false")])
        .means(
            "Er is of was bedreiging of geweld in of vóór het gesprek.",
            "There is or was threat or abuse in or before the talk.",
        ),
    Definition::new(
        "47",
        name::SECTOR,
        Shape::Word(&[
            "finance_investment",
            "finance_other",
            "insurance",
            "debt_collection",
            "energy_telecom_sales",
            "care",
            "emergency",
            "police",
            "municipality",
            "youth_care",
            "education",
            "other",
        ]),
    )
    .missing(&[take("\"other\"")])
    .means("De sector, voor bijzondere regels.", "The sector, for special rules."),
    Definition::new(
        "48",
        name::OUTBOUND_MARKETING,
        Shape::Object(&[
            field("optin_proof", Shape::Flag),
            field(
                "product_type",
                Shape::Word(&["regular_service", "energy", "financial", "other"]),
            ),
            field("consumer", Shape::Flag),
        ]),
    )
    .missing(&[
        when(Effect::RefusePrivacy, "bij bellen", "for call"),
        always(Effect::Nothing),
    ])
    .means(
        "Een ongevraagd verkoopgesprek: is er toestemming om te bellen, waarvoor, en is het een consument? Ontbreekt het bij opnemen, dan is het geen verkoopgesprek.",
        "A cold call: is there an opt-in, for what product, and is it a consumer? Missing with record: no marketing call.",
    )
    .tried_with(&[
        "{\"consumer\":true,\"optin_proof\":true}",
        "{\"consumer\":true,\"optin_proof\":false}",
    ]),
];
