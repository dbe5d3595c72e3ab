//! What you want, who you are, who else is heard.

use super::super::question::{Choice, Form, Question};
use crate::facts::Facts;
use crate::text::Bilingual;
use voicelog_model::Action;

pub(super) const QUESTIONS: &[Question] = &[
    ACT,
    Question::new(
        "recorder",
        ("Wie neemt op, of wil dat doen?", "Who records, or wants to?"),
        (
            "Een mens die voor zichzelf opneemt, heeft minder plichten dan een organisatie.",
            "A person who records for themselves has fewer duties than an organisation.",
        ),
        Form::One(RECORDERS),
    )
    .needed()
    .reworded(&[
        (
            |facts| facts.action() == Action::RefuseRecording,
            Bilingual {
                nl: "Wie is het die wil opnemen?",
                en: "Who is it that wants to record?",
            },
        ),
        (
            |facts| !super::making::is_making(facts),
            Bilingual {
                nl: "Voor wie is de opname gemaakt?",
                en: "For whom was the recording made?",
            },
        ),
    ]),
    Question::new(
        "heard",
        (
            "Wie zijn er nog meer te horen? Kruis alles aan wat past.",
            "Who else is heard? Tick all that fit.",
        ),
        (
            "Kinderen, personeel, patiënten en burgers hebben eigen bescherming. Een overheid moet een burger meer toestaan.",
            "Children, staff, patients and citizens have protection of their own. A government body has to allow a citizen more.",
        ),
        Form::Several(COUNTERPARTS),
    )
    .reworded(&[(
        |facts| facts.action() == Action::RefuseRecording,
        Bilingual {
            nl: "Wie weigert de opname?",
            en: "Who refuses the recording?",
        },
    )]),
];

/// What the interview is about: always the first question.
pub(in crate::interview) const ACT: Question = Question::new(
    "act",
    ("Wat wilt u doen?", "What do you want to do?"),
    (
        "Voor opnemen gelden andere regels dan voor bewaren, delen of weggooien.",
        "Recording has other rules than keeping, sharing or throwing away.",
    ),
    Form::One(ACTS),
)
.needed();

const ACTS: &[Choice] = &[
    Choice::new(
        "record",
        "Een gesprek opnemen: alleen geluid",
        "Record a conversation: sound only",
        &[
            ("requested_action", Some("\"record\"")),
            ("media", Some("[\"audio\"]")),
        ],
    ),
    Choice::new(
        "record_video",
        "Een gesprek opnemen met beeld en geluid",
        "Record a conversation with image and sound",
        &[
            ("requested_action", Some("\"record\"")),
            ("media", Some("[\"audio\",\"image\"]")),
        ],
    ),
    Choice::new(
        "record_image",
        "Filmen of foto's maken zonder geluid",
        "Film or photograph without sound",
        &[
            ("requested_action", Some("\"record\"")),
            ("media", Some("[\"image\"]")),
        ],
    ),
    Choice::new(
        "listen_live",
        "Meeluisteren terwijl het gesprek loopt",
        "Listen along while the conversation goes on",
        &[
            ("requested_action", Some("\"listen_live\"")),
            ("media", Some("[\"audio\"]")),
        ],
    ),
    Choice::new(
        "keep",
        "Een opname bewaren",
        "Keep a recording",
        &[("requested_action", Some("\"keep\""))],
    ),
    Choice::new(
        "listen",
        "Een opname afspelen",
        "Play a recording",
        &[("requested_action", Some("\"listen\""))],
    ),
    Choice::new(
        "transcribe",
        "Een opname laten uitschrijven",
        "Have a recording transcribed",
        &[("requested_action", Some("\"transcribe\""))],
    ),
    Choice::new(
        "analyse_ai",
        "Een opname door AI laten beoordelen",
        "Have a recording assessed by AI",
        &[("requested_action", Some("\"analyse_ai\""))],
    ),
    Choice::new(
        "share",
        "Een opname aan iemand anders geven (advocaat, politie, collega …)",
        "Give a recording to somebody else (lawyer, police, colleague …)",
        &[("requested_action", Some("\"share\""))],
    ),
    Choice::new(
        "give_copy",
        "Een kopie geven aan wie erom vraagt",
        "Give a copy to whoever asks for it",
        &[("requested_action", Some("\"give_copy\""))],
    ),
    Choice::new(
        "publish",
        "Een opname openbaar maken (internet, sociale media)",
        "Make a recording public (internet, social media)",
        &[("requested_action", Some("\"publish\""))],
    ),
    Choice::new(
        "use_for",
        "Een opname gebruiken voor een ander doel dan waarvoor zij is gemaakt",
        "Use a recording for another purpose than it was made for",
        &[("requested_action", Some("\"use_for\""))],
    ),
    Choice::new(
        "file_in_court",
        "Een opname indienen bij de rechter",
        "File a recording in court",
        &[("requested_action", Some("\"file_in_court\""))],
    ),
    Choice::new(
        "import_file",
        "Een opname inlezen die iemand al heeft",
        "Import a recording that somebody already has",
        &[("requested_action", Some("\"import_file\""))],
    ),
    Choice::new(
        "destroy",
        "Een opname vernietigen",
        "Destroy a recording",
        &[("requested_action", Some("\"destroy\""))],
    ),
    Choice::new(
        "refuse_recording",
        "Weigeren dat een ander opneemt",
        "Refuse that somebody else records",
        &[("requested_action", Some("\"refuse_recording\""))],
    ),
    Choice::new(
        "call",
        "Iemand bellen om iets te verkopen",
        "Call somebody to sell something",
        &[("requested_action", Some("\"call\""))],
    ),
];

/// Who records for themselves has no works council, no scheme and no basis of the AVG to name.
macro_rules! for_oneself {
    ($who:literal) => {
        &[
            ("recorder_type", Some($who)),
            ("purpose", None),
            ("structural", None),
            ("legal_basis", None),
            ("sector", None),
            ("or_status", None),
            ("staff_informed", None),
            ("outbound_marketing", None),
            ("provider_consent", None),
            ("own_code_breached", None),
            ("objection_art21", None),
            ("processing", None),
            ("suspicion", None),
            ("dpia", None),
            ("special_data", None),
        ]
    };
}

const RECORDERS: &[Choice] = &[
    Choice::new(
        "private_person",
        "Een mens, voor zichzelf: klant, huurder, ouder, patiënt, buur",
        "A person, for themselves: customer, tenant, parent, patient, neighbour",
        for_oneself!("\"private_person\""),
    ),
    Choice::new(
        "citizen",
        "Een burger die met een overheid te maken heeft",
        "A citizen who deals with a government body",
        for_oneself!("\"citizen\""),
    ),
    Choice::new(
        "employee",
        "Een werknemer, voor zichzelf",
        "An employee, for themselves",
        for_oneself!("\"employee\""),
    ),
    Choice::new(
        "self_employed",
        "Een zzp'er of freelancer, voor het werk",
        "A freelancer, for their work",
        &[("recorder_type", Some("\"self_employed\""))],
    ),
    Choice::new(
        "company",
        "Een bedrijf, in gesprek met klanten of anderen",
        "A company, talking with customers or others",
        &[("recorder_type", Some("\"company\""))],
    ),
    Choice::new(
        "employer",
        "Een werkgever, over het eigen personeel",
        "An employer, about own staff",
        &[("recorder_type", Some("\"employer\""))],
    ),
    Choice::new(
        "government_body",
        "Een overheid: gemeente, uitvoerder, politie",
        "A government body: municipality, agency, police",
        &[("recorder_type", Some("\"government_body\""))],
    ),
    Choice::new(
        "care_provider",
        "Een zorgverlener: arts, praktijk, ziekenhuis",
        "A care provider: doctor, practice, hospital",
        &[("recorder_type", Some("\"care_provider\""))],
    ),
    Choice::new(
        "interest_group",
        "Een vereniging, vakbond of belangengroep",
        "An association, union or interest group",
        &[("recorder_type", Some("\"interest_group\""))],
    ),
    Choice::new(
        "journalist",
        "Een journalist",
        "A journalist",
        for_oneself!("\"journalist\""),
    ),
];

const NOBODY: &[(&str, Option<&str>)] = &[("counterpart_types", Some("[]"))];

const fn heard(
    id: &'static str,
    nl: &'static str,
    en: &'static str,
    sets: &'static [(&'static str, Option<&'static str>)],
) -> Choice {
    Choice::new(id, nl, en, sets).otherwise(NOBODY)
}

fn recorded_by_a_person(facts: &Facts) -> bool {
    facts.is_one_of(
        "recorder_type",
        &["private_person", "citizen", "employee", "journalist"],
    )
}

const COUNTERPARTS: &[Choice] = &[
    heard(
        "private_person",
        "Een klant, huurder, buur of ander mens",
        "A customer, tenant, neighbour or other person",
        &[("counterpart_types", Some("[\"private_person\"]"))],
    ),
    heard(
        "citizen",
        "Een burger",
        "A citizen",
        &[("counterpart_types", Some("[\"citizen\"]"))],
    ),
    heard(
        "employee",
        "Eigen personeel dat wordt opgenomen, of een collega",
        "Own staff being recorded, or a colleague",
        &[("counterpart_types", Some("[\"employee\"]"))],
    ),
    heard(
        "employer",
        "Mijn werkgever of leidinggevende",
        "My employer or manager",
        &[("counterpart_types", Some("[\"employer\"]"))],
    )
    .only(recorded_by_a_person),
    heard(
        "company",
        "Een bedrijf",
        "A company",
        &[("counterpart_types", Some("[\"company\"]"))],
    ),
    heard(
        "self_employed",
        "Een zzp'er",
        "A freelancer",
        &[("counterpart_types", Some("[\"self_employed\"]"))],
    ),
    heard(
        "government_body",
        "Een ambtenaar of overheid",
        "An official or government body",
        &[("counterpart_types", Some("[\"government_body\"]"))],
    ),
    heard(
        "care_provider",
        "Een arts of andere zorgverlener",
        "A doctor or other care provider",
        &[("counterpart_types", Some("[\"care_provider\"]"))],
    ),
    heard(
        "patient",
        "Een patiënt",
        "A patient",
        &[("counterpart_types", Some("[\"patient\"]"))],
    ),
    heard(
        "minor",
        "Iemand jonger dan 18",
        "Someone under 18",
        &[("counterpart_types", Some("[\"minor\"]"))],
    )
    .otherwise(&[("counterpart_types", Some("[]")), ("age_youngest", None)])
    .opens(&["age_youngest"]),
    heard(
        "lawyer",
        "Een advocaat",
        "A lawyer",
        &[("counterpart_types", Some("[\"lawyer\"]"))],
    ),
    heard(
        "works_council_member",
        "Een lid van de ondernemingsraad",
        "A member of the works council",
        &[("counterpart_types", Some("[\"works_council_member\"]"))],
    ),
    heard(
        "relative",
        "Familie van een van de sprekers",
        "A relative of one of the speakers",
        &[("counterpart_types", Some("[\"relative\"]"))],
    ),
    heard(
        "member",
        "Een lid van de vereniging die opneemt",
        "A member of the association that records",
        &[("counterpart_types", Some("[\"member\"]"))],
    ),
    heard(
        "interest_group",
        "Een vereniging of vakbond",
        "An association or union",
        &[("counterpart_types", Some("[\"interest_group\"]"))],
    ),
    heard(
        "journalist",
        "Een journalist",
        "A journalist",
        &[("counterpart_types", Some("[\"journalist\"]"))],
    ),
];
