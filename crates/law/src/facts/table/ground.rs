//! Rows 15 to 25: purpose, legal basis, staff and works council.

use super::{Definition, Effect, Shape, always, field, name, when, words};

pub(super) const ROWS: &[Definition] = &[
    Definition::new("15", name::PURPOSE, Shape::Word(words::PURPOSES))
        .missing(&[
            when(
                Effect::Take("\"eigen_gebruik_bewijs\""),
                "voor mensen die voor zichzelf opnemen",
                "for natural persons",
            ),
            when(
                Effect::Take("\"journalistiek\""),
                "voor journalisten",
                "for journalists",
            ),
            always(Effect::Duty),
        ])
        .means(
            "Het doel waarvoor is of wordt opgenomen.",
            "The purpose for which it was or will be recorded.",
        ),
    Definition::new(
        "16",
        name::LEGAL_BASIS,
        Shape::Word(&["a", "b", "c", "d", "e", "f", "household", "none"]),
    )
    .missing(&[
        when(
            Effect::Take("\"f\""),
            "de eerste letter die bij doel en opnemer hoort",
            "the first letter that belongs to purpose and recorder",
        ),
        always(Effect::Duty),
    ])
    .means(
        "De letter van AVG artikel 6 lid 1 waarop men zich beroept. `household` alleen voor mensen die voor zichzelf opnemen.",
        "The letter of AVG (GDPR) article 6(1) that is invoked. `household` only for natural persons.",
    ),
    Definition::new("17", name::STATUTORY_DUTY_REF, Shape::Reference)
        .missing(&[
            when(Effect::Duty, "bij grondslag c", "with basis c"),
            always(Effect::Nothing),
        ])
        .means(
            "De wettelijke plicht waarop grondslag c rust.",
            "The statutory duty on which basis c rests.",
        ),
    Definition::new("18", name::PUBLIC_TASK_REF, Shape::Reference)
        .missing(&[
            when(Effect::Duty, "bij grondslag e", "with basis e"),
            when(
                Effect::RefusePrivacy,
                "bij heimelijke controle door een overheid",
                "for covert control by a government body",
            ),
            always(Effect::Nothing),
        ])
        .means(
            "De wet waarin de publieke taak staat.",
            "The statute that gives the public task.",
        ),
    Definition::new(
        "19",
        name::LIA,
        Shape::Object(&[
            field("interest", Shape::Text),
            field("necessity", Shape::Text),
            field("alternatives_considered", Shape::Texts),
            field("safeguards", Shape::Texts),
            field("outcome", Shape::Word(&["in_favour", "against"])),
            field("signed_by", Shape::Text),
            field("date", Shape::Day),
        ]),
    )
    .missing(&[
        when(Effect::Duty, "bij grondslag f", "with basis f"),
        always(Effect::Nothing),
    ])
    .means(
        "De belangenafweging bij grondslag f.",
        "The weighing of interests with basis f.",
    )
    .tried_with(&["{\"outcome\":\"in_favour\"}", "{\"outcome\":\"against\"}"]),
    Definition::new(
        "20",
        name::STRUCTURAL,
        Shape::Word(&["all", "sample", "per_call_button", "targeted_person", "single"]),
    )
    .missing(&[
        when(
            Effect::Take("\"single\""),
            "voor mensen die voor zichzelf opnemen",
            "for natural persons",
        ),
        always(Effect::Duty),
    ])
    .means(
        "Welke gesprekken: alle, een steekproef, met een knop, van één medewerker, of dit ene.",
        "Which calls: all, a sample, by a button, of one member of staff, or this one.",
    ),
    Definition::new("20b", name::SAMPLE_RATE, Shape::Share)
        .missing(&[always(Effect::Nothing)])
        .means(
            "Het deel van de gesprekken in de steekproef.",
            "The share of calls in the sample.",
        ),
    Definition::new(
        "21",
        name::STAFF_INFORMED,
        Shape::Word(&["each_call_signal", "policy_only", "none"]),
    )
    .missing(&[always(Effect::Duty)])
    .means(
        "Hoe het eigen personeel weet dat een gesprek wordt opgenomen.",
        "How own staff learn of each recording.",
    ),
    Definition::new(
        "22",
        name::OR_STATUS,
        Shape::Word(&[
            "consented",
            "court_permission",
            "asked",
            "refused",
            "not_asked",
            "no_or",
            "pvt_only",
            "nullity_invoked",
        ]),
    )
    .missing(&[always(Effect::Duty)])
    .means(
        "Wat de ondernemingsraad (OR) heeft gedaan. `pvt_only`: geen OR, wel een personeelsvertegenwoordiging.",
        "What the works council (OR) has done. `pvt_only`: no works council but a staff representation (PVT).",
    ),
    Definition::new(
        "22b",
        name::OR_DATES,
        Shape::Object(&[
            field("decided_at", Shape::Day),
            field("notified_at", Shape::Day),
            field("invoked_at", Shape::Day),
        ]),
    )
    .missing(&[
        when(
            Effect::AskHuman,
            "als de OR de nietigheid heeft ingeroepen",
            "where the works council has invoked nullity",
        ),
        always(Effect::Nothing),
    ])
    .means(
        "Dagen van instemming, van de mededeling aan de OR en van het beroep op nietigheid.",
        "Days of consent, of the notice to the works council, and of its appeal to nullity.",
    )
    .tried_with(&[
        "{\"decided_at\":\"2000-01-01\"}",
        "{\"notified_at\":\"2000-01-01\",\"invoked_at\":\"2000-01-02\"}",
        "{\"notified_at\":\"2000-01-01\",\"invoked_at\":\"2000-12-31\"}",
    ]),
    Definition::new(
        "23",
        name::DPIA,
        Shape::Word(&["done", "not_required", "missing"]),
    )
    .missing(&[
        when(
            Effect::RefusePrivacy,
            "bij heimelijke controle",
            "for covert control",
        ),
        always(Effect::Duty),
    ])
    .means(
        "Of het privacyrisico vooraf is onderzocht (DPIA). `missing`: bekend dat het niet is gedaan.",
        "Whether the privacy risk was assessed beforehand (DPIA). `missing`: known not to be done.",
    ),
    Definition::new(
        "23b",
        name::DPIA_DETAIL,
        Shape::Object(&[field("date", Shape::Day), field("reason", Shape::Text)]),
    )
    .missing(&[always(Effect::Nothing)])
    .means(
        "De dag van de DPIA, of waarom die niet nodig is.",
        "Date of the DPIA, or why none is needed.",
    )
    .tried_with(&["{}"]),
    Definition::new(
        "24",
        name::SUSPICION,
        Shape::Object(&[
            field("concrete", Shape::Flag),
            field("offence", Shape::Text),
            field("tried_alternatives", Shape::Texts),
            field("start", Shape::Moment),
            field("end", Shape::Moment),
            field("approved_by", Shape::Names(2)),
            field("fg_advice", Shape::Reference),
            field("result", Shape::Word(&["pending", "found", "none_found"])),
        ]),
    )
    .missing(&[
        when(
            Effect::RefusePrivacy,
            "bij heimelijke controle",
            "for covert control",
        ),
        always(Effect::Nothing),
    ])
    .means(
        "De grond voor heimelijke controle.",
        "The ground for covert control.",
    )
    .tried_with(&[
        "{}",
        "{\"concrete\":true,\"tried_alternatives\":[\"x\"],\"end\":\"9999-12-30T00:00:00Z\"}",
        "{\"concrete\":true,\"tried_alternatives\":[\"x\"],\"end\":\"9999-12-30T00:00:00Z\",\"approved_by\":[\"a\",\"b\"],\"fg_advice\":\"x\"}",
        "{\"concrete\":true,\"tried_alternatives\":[\"x\"],\"end\":\"9999-12-30T00:00:00Z\",\"approved_by\":[\"a\",\"b\"],\"fg_advice\":\"x\",\"result\":\"none_found\"}",
    ]),
    Definition::new("25", name::PRIVATE_USE_POSSIBLE, Shape::Flag)
        .missing(&[
            when(
                Effect::Duty,
                "bij alle gesprekken en bij een steekproef",
                "for all calls and for a sample",
            ),
            always(Effect::Nothing),
        ])
        .means(
            "Er is een lijn of knop voor privégesprekken die niet worden opgenomen.",
            "An unrecorded line or button exists for own talk.",
        ),
];
