//! Rows 49 to 64: secrecy, place, later use, processing and archive.

use super::{Definition, Effect, Shape, always, field, name, take, when, words};

pub(super) const ROWS: &[Definition] = &[
    Definition::new(
        "49",
        name::CONFIDENTIALITY_CLAUSE,
        Shape::Word(&["none", "mediation", "nda", "privilege", "statutory_secrecy"]),
    )
    .missing(&[
        when(
            Effect::Take("\"privilege\""),
            "met een advocaat of een vertrouwelijk beroep",
            "with a lawyer or a confidential profession",
        ),
        take("\"none\""),
    ])
    .means(
        "Een geheimhoudingsplicht die opnemen of gebruik tegenhoudt: mediation, afspraak, beroepsgeheim of wet.",
        "A duty of secrecy that bars recording or use: mediation, agreement, privilege or statute.",
    ),
    Definition::new("50", name::LOCATION_PUBLIC_ACCESS, Shape::Flag)
        .missing(&[
            when(
                Effect::RefuseCriminal,
                "bij heimelijk beeld, tenzij binnen",
                "for covert image, unless inside",
            ),
            always(Effect::Nothing),
        ])
        .means("Het publiek mag er komen.", "The public may come there."),
    Definition::new("51", name::MANIFEST_ABUSE, Shape::Flag)
        .missing(&[take("false")])
        .means(
            "Kennelijk misbruik van lijn of ruimte: een oordeel van een mens.",
            "Manifest abuse of line or room: a person's judgment.",
        ),
    Definition::new("52", name::PURPOSE2, Shape::Word(words::LATER_PURPOSES))
        .missing(&[
            when(
                Effect::InputError,
                "bij gebruik voor een ander doel",
                "with use_for",
            ),
            always(Effect::Nothing),
        ])
        .means(
            "Het nieuwe doel, bij gebruik voor een ander doel.",
            "The new purpose, with use_for.",
        ),
    Definition::new(
        "53",
        name::ANNOUNCED_PURPOSES,
        Shape::Words(words::LATER_PURPOSES, 0),
    )
    .missing(&[when(
        Effect::Take("[purpose]"),
        "alleen het doel zelf",
        "the purpose alone",
    )])
    .means(
        "De doelen die vóór de opname zijn gemeld.",
        "Purposes told before the recording.",
    ),
    Definition::new(
        "54",
        name::SPECIAL_DATA_GROUND,
        Shape::Word(&[
            "explicit_consent",
            "vital_interest",
            "association_members",
            "made_public",
            "legal_claim",
            "care_or_reintegration",
            "own_offence",
            "statute",
            "none",
        ]),
    )
    .missing(&[
        when(
            Effect::RefusePrivacy,
            "bij gegevens van AVG artikel 9 of 10 waar de AVG geldt",
            "with data of AVG (GDPR) article 9 or 10 where the AVG applies",
        ),
        always(Effect::Nothing),
    ])
    .means(
        "De grond van AVG artikel 9 of 10.",
        "The ground of AVG (GDPR) article 9 or 10.",
    ),
    Definition::new(
        "55",
        name::AI_FUNCTION,
        Shape::Word(&[
            "transcription",
            "summary",
            "quality_score",
            "emotion",
            "sensitive_inference",
            "voice_id",
            "other",
        ]),
    )
    .missing(&[
        when(
            Effect::RefusePrivacy,
            "bij analyse waarin eigen personeel te horen is",
            "for analyse_ai with own staff audible",
        ),
        when(Effect::Duty, "bij analyse van anderen", "for analyse_ai on others"),
        always(Effect::Nothing),
    ])
    .means("Wat de analyse doet.", "What the analysis does."),
    Definition::new(
        "56",
        name::PROCESSING,
        Shape::Object(&[
            field("country", Shape::Country),
            field("processor_contract", Shape::Flag),
            field(
                "transfer_basis",
                Shape::Word(&["adequacy", "safeguards", "derogation", "none"]),
            ),
        ]),
    )
    .missing(&[always(Effect::Nothing)])
    .means(
        "Waar en door wie het wordt verwerkt. Ontbreekt het, dan op eigen machines.",
        "Where and by whom it is processed. Missing: on own machines.",
    )
    .tried_with(&[
        "{\"processor_contract\":true}",
        "{\"processor_contract\":false}",
        "{\"country\":\"US\",\"processor_contract\":true}",
    ]),
    Definition::new(
        "57",
        name::RECORDING_STATE,
        Shape::Word(&["none_yet", "exists", "restricted", "destroyed"]),
    )
    .missing(&[
        when(
            Effect::Take("\"none_yet\""),
            "bij opnemen, meeluisteren, bellen en weigeren",
            "for record, listen_live, call and refuse_recording",
        ),
        take("\"exists\""),
    ])
    .means(
        "De staat van de opname. restricted: bevroren volgens AVG artikel 18.",
        "State of the recording. restricted: frozen under AVG (GDPR) article 18.",
    ),
    Definition::new("58", name::RECORDED_AT, Shape::PastMoment)
        .missing(&[
            when(
                Effect::Duty,
                "bij bewaren en vernietigen",
                "for keep and destroy",
            ),
            always(Effect::Nothing),
        ])
        .means("Het moment van opname.", "Moment of recording.")
        .tried_with(&["\"1990-01-01T00:00:00Z\"", "\"2026-01-01T00:00:00Z\""]),
    Definition::new(
        "59",
        name::ARCHIVE,
        Shape::Object(&[
            field("selectielijst_result", Shape::Word(&["bewaren", "vernietigen"])),
            field("destruction_declaration", Shape::Flag),
            field("substitution_decision", Shape::Flag),
        ]),
    )
    .missing(&[
        when(
            Effect::RefusePrivacy,
            "bij vernietigen door een overheid",
            "for destroy by a government body",
        ),
        always(Effect::Nothing),
    ])
    .means("Wat de Archiefwet vraagt.", "What the Archiefwet (archives act) asks.")
    .tried_with(&[
        "{}",
        "{\"selectielijst_result\":\"bewaren\"}",
        "{\"selectielijst_result\":\"vernietigen\",\"destruction_declaration\":true}",
        "{\"substitution_decision\":true,\"destruction_declaration\":true}",
    ]),
    Definition::new("60", name::MINUTES_MADE, Shape::Flag)
        .missing(&[
            when(
                Effect::Duty,
                "waar een verslag verplicht is",
                "where minutes are prescribed",
            ),
            always(Effect::Nothing),
        ])
        .means(
            "Er is of komt een schriftelijk verslag.",
            "Written minutes exist or will be made.",
        ),
    Definition::new("61", name::OBJECTION_ART21, Shape::Flag)
        .missing(&[take("false")])
        .means(
            "Iemand heeft bezwaar gemaakt volgens AVG artikel 21.",
            "A person has objected under AVG (GDPR) article 21.",
        ),
    Definition::new("62", name::EXTENT, Shape::Word(&["whole", "part"]))
        .missing(&[take("\"whole\"")])
        .means(
            "Het hele gesprek, of alleen het slot.",
            "The whole conversation, or only the closing part.",
        ),
    Definition::new("63", name::OWN_CODE_BREACHED, Shape::Flag)
        .missing(&[take("false")])
        .means(
            "Wie opneemt houdt zich niet aan de eigen gedragscode.",
            "The recorder breaks its own published code.",
        ),
    Definition::new(
        "64",
        name::PROVIDER_CONSENT,
        Shape::Word(&["not_applicable", "express_on_file", "none"]),
    )
    .missing(&[take("\"not_applicable\"")])
    .means(
        "Als een telecomaanbieder de opname verzorgt: heeft de abonnee daar uitdrukkelijk mee ingestemd?",
        "Where a telecom provider runs the recorder: the subscriber's express consent.",
    ),
];
