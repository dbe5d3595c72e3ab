//! Rows 1 to 14: who talks, over what, who records, and what was said about it.

use super::{Definition, Effect, Shape, always, field, name, take, when, words};

pub(super) const ROWS: &[Definition] = &[
    Definition::new("1", name::RECORDER_TYPE, Shape::Word(words::RECORDERS))
        .missing(&[take("\"company\"")])
        .means(
            "Voor wie de opname is. Wie in dienst opneemt, doet dat voor de organisatie. Burger is een mens tegenover een overheid; een patiënt, ouder, klant of huurder is een privépersoon. Werkgever: de opname gaat over het eigen personeel.",
            "For whom the recording is made. Staff who record in their job do so for the organisation. A citizen is a person facing a government body; a patient, parent, customer or tenant is a private person. Employer: the recording is about own staff.",
        ),
    Definition::new("2", name::COUNTERPART_TYPES, Shape::Words(words::COUNTERPARTS, 0))
        .missing(&[take("[]")])
        .means(
            "Iedereen die te horen is, behalve wie opneemt of diens eigen woordvoerder. Eén mens mag twee keer tellen (minderjarig en patiënt).",
            "Everyone heard besides the recorder or its own spokesperson. One person may count twice (minor and patient).",
        ),
    Definition::new(
        "3",
        name::CHANNEL,
        Shape::Word(&[
            "live_inside",
            "live_outside",
            "phone",
            "video_call",
            "voicemail",
            "chatbot_voice",
        ]),
    )
    .missing(&[
        when(
            Effect::RefuseCriminal,
            "als niemand die deelneemt opneemt, of bij beeld",
            "where no participant records, or with image",
        ),
        always(Effect::Nothing),
    ])
    .means(
        "Waar het geluid vandaan komt. Binnen is een woning, besloten lokaal of erf.",
        "Where the sound comes from. Inside is a home, closed room or yard.",
    ),
    Definition::new(
        "4",
        name::MEDIA,
        Shape::Words(&["audio", "image", "screen", "transcript", "metadata"], 1),
    )
    .missing(&[take("[\"audio\"]")])
    .means(
        "Wat wordt vastgelegd, of wat er in het bestand zit.",
        "What is captured, or what the file in question holds.",
    ),
    Definition::new(
        "5",
        name::PARTICIPATION,
        Shape::Word(&["participant", "on_order_of_participant", "none"]),
    )
    .missing(&[
        when(
            Effect::RefuseCriminal,
            "bij opnemen, meeluisteren en een bestand inlezen",
            "for record, listen_live and import_file",
        ),
        always(Effect::Nothing),
    ])
    .means(
        "Of wie opneemt zelf meepraat, in opdracht van een deelnemer opneemt, of geen van beide. Een organisatie neemt deel als een van haar mensen meepraat en weet dat zij opneemt.",
        "Whether the recorder takes part, records on the order of a participant, or neither. An organisation takes part where one of its people does and knows that it records.",
    ),
    Definition::new("6", name::INSTRUCTION_PROOF, Shape::Reference)
        .missing(&[always(Effect::Nothing)])
        .means(
            "Kenmerk van de opdracht van de deelnemer.",
            "Reference of the participant's instruction.",
        ),
    Definition::new(
        "7",
        name::LINE_SUBSCRIBER,
        Shape::Word(&[
            "recorder",
            "employer_of_participant",
            "other",
            "not_applicable",
        ]),
    )
    .missing(&[
        when(
            Effect::RefuseCriminal,
            "op een lijn waar geen deelnemer opneemt",
            "on a line where no participant records",
        ),
        always(Effect::Nothing),
    ])
    .means(
        "Van wie de telefoonlijn is: van wie opneemt (ook via leverancier of werknemer), van een andere werkgever, of van een ander.",
        "Who holds the line: the recorder (also through its supplier or employee), another employer, or someone else.",
    ),
    Definition::new("8", name::DEVICE_VISIBLE_WITH_AUTHORITY, Shape::Flag)
        .missing(&[
            when(
                Effect::RefuseCriminal,
                "bij een gesprek ter plaatse waar geen deelnemer opneemt",
                "for a live talk where no participant records",
            ),
            always(Effect::Nothing),
        ])
        .means(
            "Het apparaat is te zien én staat er met toestemming van wie de ruimte gebruikt.",
            "The device is in sight and there on authority of the user of the room.",
        ),
    Definition::new("9", name::RECORDER_LEFT_ROOM_AT, Shape::PastMoment)
        .missing(&[always(Effect::Nothing)])
        .means(
            "Het moment waarop wie opneemt wegging terwijl het apparaat doorliep. Ontbreekt het, dan ging niemand weg.",
            "The moment at which the recorder left while the device ran. Missing: nobody left.",
        )
        .tried_with(&["\"2000-01-01T00:00:00Z\""]),
    Definition::new("10", name::INTENT_UNATTENDED, Shape::Flag)
        .missing(&[take("false")])
        .means(
            "Het apparaat is expres achtergelaten of geplaatst om zonder eigenaar te werken.",
            "The device was left, planted or installed on purpose, to work without its owner.",
        ),
    Definition::new(
        "11",
        name::OPENNESS,
        Shape::Word(&[
            "announced_and_agreed",
            "announced",
            "announced_objected",
            "visible",
            "covert",
            "accidental",
        ]),
    )
    .missing(&[
        when(
            Effect::RefuseCriminal,
            "bij beeld op een plek die niet openbaar is, buiten waar geen deelnemer opneemt, en met iemand in Frankrijk in een gesprek dat niet zakelijk is",
            "with image in a non-public place, outside where no participant records, and with someone in France in talk that is not business",
        ),
        when(
            Effect::Duty,
            "voor organisaties en zelfstandigen",
            "for organisations and self-employed",
        ),
        always(Effect::Nothing),
    ])
    .means(
        "Hoe de opname bekend is gemaakt aan wie te horen is. Zichtbaar: het apparaat was te zien, maar er is niets gezegd.",
        "How the recording was made known to those heard. Visible: the device was in plain sight, nothing was said.",
    ),
    Definition::new(
        "12",
        name::ANNOUNCEMENT,
        Shape::Object(&[
            field("at", Shape::PastMoment),
            field("text_id", Shape::Text),
            field("language", Shape::LanguageTag),
            field("heard_proof", Shape::Text),
        ]),
    )
    .missing(&[
        when(Effect::Duty, "voor organisaties", "for organisations"),
        always(Effect::Nothing),
    ])
    .means("Bewijs van de melding.", "Proof of the notice.")
    .tried_with(&["{\"text_id\":\"x\"}"]),
    Definition::new("13", name::CONSENT_PER_PARTICIPANT, Shape::Consents)
        .missing(&[always(Effect::Nothing)])
        .means(
            "De toestemming van ieder die te horen is, per schuilnaam (p1, p2 …) of rol, nooit per naam. Is dit er, dan gaat het vóór `openness`.",
            "The consent of each person heard, by pseudonym (p1, p2 …) or role, never by name. Where it is there it wins over `openness`.",
        )
        .tried_with(&[
            "{\"p1\":\"given_explicit\"}",
            "{\"p1\":\"given\"}",
            "{\"p1\":\"given_by_guardian\"}",
            "{\"p1\":\"refused\"}",
            "{\"p1\":\"withdrawn\"}",
        ]),
    Definition::new(
        "14",
        name::ASKED_IF_RECORDING,
        Shape::Word(&["not_asked", "asked_truth", "asked_denied"]),
    )
    .missing(&[take("\"not_asked\"")])
    .means(
        "Of de ander vroeg of er werd opgenomen, en wat het antwoord was.",
        "Whether the other asked if it was recorded, and what was answered.",
    ),
];
