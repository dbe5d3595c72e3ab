//! Rows 26 to 38: what is said, about whom, where, and how long it is kept.

use super::{Definition, Effect, Shape, always, field, name, take, when};

pub(super) const ROWS: &[Definition] = &[
    Definition::new("26", name::ON_HOLD, Shape::Flag)
        .missing(&[take("false")])
        .means("De beller staat nu in de wacht.", "The caller is on hold now."),
    Definition::new(
        "27",
        name::SPECIAL_DATA,
        Shape::Words(
            &[
                "health",
                "union",
                "ethnicity",
                "religion",
                "politics",
                "sex_life",
                "genetic",
                "biometric_id",
                "criminal",
                "bsn",
                "card",
            ],
            0,
        ),
    )
    .missing(&[always(Effect::Nothing)])
    .means(
        "Bijzondere gegevens die bekend zijn of verwacht worden. Leeg: nagegaan, geen.",
        "Special data known or expected. Empty: checked, none.",
    )
    .tried_with(&["[]", "[\"health\"]", "[\"bsn\"]"]),
    Definition::new(
        "28",
        name::CONTENT_NATURE,
        Shape::Word(&["business", "private", "mixed", "confidential_profession"]),
    )
    .missing(&[take("\"mixed\"")])
    .means(
        "Waar het gesprek over gaat: zaken, privé, beide, of een vertrouwelijk beroep.",
        "What the talk is about: business, private, both, or a confidential profession.",
    ),
    Definition::new("29", name::THIRD_PARTIES_MENTIONED, Shape::Flag)
        .missing(&[
            when(
                Effect::Duty,
                "bij een kopie geven en openbaar maken",
                "for give_copy and publish",
            ),
            always(Effect::Nothing),
        ])
        .means(
            "Er wordt over andere mensen gesproken.",
            "Other persons are talked about.",
        ),
    Definition::new("29b", name::THIRD_PARTIES_AUDIBLE, Shape::Flag)
        .missing(&[
            when(
                Effect::Duty,
                "bij een kopie geven en openbaar maken",
                "for give_copy and publish",
            ),
            always(Effect::Nothing),
        ])
        .means(
            "Er zijn anderen te horen dan de partijen.",
            "Others than the parties are heard.",
        ),
    Definition::new("30", name::AGE_YOUNGEST, Shape::Whole(0, 120))
        .missing(&[
            when(
                Effect::Take("11"),
                "met een minderjarige: alsof jonger dan 12",
                "with a minor: as if under 12",
            ),
            always(Effect::Nothing),
        ])
        .means(
            "De leeftijd van de jongste die te horen is.",
            "Age of the youngest person heard.",
        )
        .tried_with(&["11", "14", "17", "40"]),
    Definition::new("31", name::COUNTRIES, Shape::Countries)
        .missing(&[take("[\"NL\"]")])
        .means(
            "In welke landen de deelnemers zijn. ZZ: gevraagd en niet bekend.",
            "Where each participant is. ZZ: asked and not known.",
        )
        .tried_with(&[
            "[\"NL\"]",
            "[\"DE\"]",
            "[\"FR\"]",
            "[\"BE\"]",
            "[\"GB\"]",
            "[\"ZZ\"]",
        ]),
    Definition::new(
        "32",
        name::HOUSE_RULE,
        Shape::Word(&["none", "ban", "permission_needed", "allowed"]),
    )
    .missing(&[always(Effect::Nothing)])
    .means(
        "Wat het handboek zegt van de plek waar wie opneemt werkt. Alleen een risico.",
        "What the handbook says of the place where the recorder works. Risk only.",
    ),
    Definition::new("33", name::GOV_POLICY_PUBLISHED, Shape::Address)
        .missing(&[always(Effect::Nothing)])
        .means(
            "Waar de overheid haar eigen regels over opnemen heeft gepubliceerd.",
            "Where the body has published its own rules on recording.",
        ),
    Definition::new(
        "34",
        name::WEIGHTY_REASON,
        Shape::Object(&[
            field("text", Shape::Text),
            field("alternative_offered", Shape::Text),
        ]),
    )
    .missing(&[take("{}")])
    .means(
        "De reden waarom een overheid een burger weigert op te nemen, en wat zij daarvoor in de plaats biedt.",
        "Reason of a body to refuse a citizen, and what it offers instead.",
    )
    .tried_with(&["{}", "{\"text\":\"x\",\"alternative_offered\":\"x\"}"]),
    Definition::new("35", name::CASE_ID, Shape::Reference)
        .missing(&[always(Effect::Nothing)])
        .means(
            "De zaak waarbij de opname hoort.",
            "The case file that the recording belongs to.",
        ),
    Definition::new("35b", name::PROCESS_TYPE, Shape::Reference)
        .missing(&[
            when(Effect::Duty, "voor een overheid", "for a government body"),
            always(Effect::Nothing),
        ])
        .means(
            "Het proces in de selectielijst dat de termijn geeft.",
            "The process in the selection list that gives the term.",
        ),
    Definition::new("36", name::RETENTION_TERM, Shape::Term)
        .missing(&[always(Effect::Duty)])
        .means(
            "De gekozen bewaartermijn.",
            "The retention term chosen.",
        )
        .tried_with(&["\"P1D\"", "\"P200Y\"", "\"unlimited\""]),
    Definition::new("36b", name::START_EVENT, Shape::Moment)
        .missing(&[when(
            Effect::Take("recorded_at"),
            "het moment van opname",
            "the moment of recording",
        )])
        .means(
            "Het moment waarop de termijn begint.",
            "The moment from which the term runs.",
        )
        .tried_with(&["\"2000-01-01T00:00:00Z\"", "\"2200-01-01T00:00:00Z\""]),
    Definition::new(
        "37",
        name::LEGAL_HOLD,
        Shape::Object(&[
            field("claim", Shape::Flag),
            field("dsar", Shape::Flag),
            field("woo", Shape::Flag),
            field("seizure", Shape::Flag),
            field("art18", Shape::Flag),
        ]),
    )
    .missing(&[
        when(
            Effect::RefusePrivacy,
            "bij vernietigen waar de AVG geldt",
            "for destroy where the AVG (GDPR) applies",
        ),
        always(Effect::Nothing),
    ])
    .means(
        "Wat vernietigen tegenhoudt: een claim, een inzageverzoek, een Woo-verzoek, een beslag, een beperking. Leeg: niets.",
        "What blocks deletion: a claim, an access request, a freedom-of-information request, a seizure, a restriction. Empty: nothing.",
    )
    .tried_with(&["{}", "{\"claim\":true}"]),
    Definition::new(
        "38",
        name::INTEGRITY,
        Shape::Object(&[
            field("hash", Shape::Text),
            field("timestamp", Shape::Moment),
            field("unbroken", Shape::Flag),
            field("edits", Shape::Texts),
        ]),
    )
    .missing(&[always(Effect::Nothing)])
    .means("De staat van het bestand.", "State of the file.")
    .tried_with(&["{}"]),
];
