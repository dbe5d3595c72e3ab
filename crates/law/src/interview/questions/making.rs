//! How the recording is or was made: where, by whom, and who knew.

use super::super::question::{Choice, Form, Question};
use crate::facts::Facts;
use crate::text::Bilingual;
use voicelog_model::Action;

/// Whether the act makes a recording, or a call that makes one.
pub(super) fn is_making(facts: &Facts) -> bool {
    matches!(
        facts.action(),
        Action::Record | Action::ListenLive | Action::Call
    )
}

fn by_an_organisation(facts: &Facts) -> bool {
    !facts.is_one_of(
        "recorder_type",
        &[
            "private_person",
            "citizen",
            "employee",
            "self_employed",
            "journalist",
        ],
    )
}

/// Whether it is a talk of one's own.
pub(super) const WHO: &[Question] = &[Question::new(
    "participation",
    (
        "Praat wie opneemt zelf mee?",
        "Does the one who records take part in the talk?",
    ),
    (
        "Een gesprek opnemen waaraan u niet deelneemt, is meestal een misdrijf (Sr 139a tot 139c).",
        "Recording a talk in which you take no part is mostly a crime (Sr 139a to 139c).",
    ),
    Form::One(&[
        Choice::new(
            "participant",
            "Ja",
            "Yes",
            &[("participation", Some("\"participant\""))],
        ),
        Choice::new(
            "on_order",
            "Nee, maar iemand die meepraat heeft erom gevraagd",
            "No, but somebody who takes part asked for it",
            &[("participation", Some("\"on_order_of_participant\""))],
        ),
        Choice::new("none", "Nee", "No", &[("participation", Some("\"none\""))]),
    ]),
)
.reworded(&[(
    by_an_organisation,
    Bilingual {
        nl: "Praat iemand van de organisatie mee die weet dat er wordt opgenomen?",
        en: "Does somebody of the organisation take part who knows that it records?",
    },
)])];

/// Who knew, and where it was.
pub(super) const HOW: &[Question] = &[
    OPENNESS,
    CHANNEL,
    Question::new(
        "line",
        ("Van wie is de lijn?", "Who holds the line?"),
        (
            "Wie de eigen lijn opneemt, is daarvoor niet strafbaar (Sr 139c lid 2).",
            "Who records the own line commits no crime by that (Sr 139c, 2).",
        ),
        Form::One(&[
            Choice::new(
                "recorder",
                "Van wie opneemt",
                "The one who records",
                &[("line_subscriber", Some("\"recorder\""))],
            ),
            Choice::new(
                "employer",
                "Van de werkgever van iemand die meepraat, en die neemt niet zelf op",
                "The employer of somebody who takes part, who is not the one who records",
                &[("line_subscriber", Some("\"employer_of_participant\""))],
            ),
            Choice::new(
                "other",
                "Van een ander",
                "Somebody else",
                &[("line_subscriber", Some("\"other\""))],
            ),
        ]),
    )
    .only(|facts| !facts.is_one_of("channel", &["live_inside", "live_outside"])),
    Question::new(
        "device",
        (
            "Staat het apparaat in het zicht, met goedvinden van wie de ruimte gebruikt?",
            "Is the device in sight, with the consent of the user of the room?",
        ),
        (
            "Een apparaat dat niet heimelijk aanwezig is, valt buiten het verbod (Sr 139a lid 2).",
            "A device that is not secretly present is outside the ban (Sr 139a, 2).",
        ),
        Form::One(&[
            Choice::new(
                "yes",
                "Ja",
                "Yes",
                &[("device_visible_with_authority", Some("true"))],
            ),
            Choice::new(
                "no",
                "Nee",
                "No",
                &[("device_visible_with_authority", Some("false"))],
            ),
        ]),
    )
    .only(|facts| {
        !facts.is_one_of(
            "channel",
            &["phone", "video_call", "voicemail", "chatbot_voice"],
        )
    }),
    Question::new(
        "public_place",
        ("Kan iedereen daar komen?", "Can the public come there?"),
        (
            "Heimelijk filmen is bijna overal verboden, maar de regel verschilt per plaats (Sr 139f, 441b).",
            "Filming covertly is banned almost everywhere, but the rule differs by place (Sr 139f, 441b).",
        ),
        Form::One(&[
            Choice::new(
                "yes",
                "Ja",
                "Yes",
                &[("location_public_access", Some("true"))],
            ),
            Choice::new(
                "no",
                "Nee",
                "No",
                &[("location_public_access", Some("false"))],
            ),
        ]),
    ),
];

/// Whether all agreed.
pub(super) const CONSENT: &[Question] = &[Question::new(
    "consent",
    (
        "Hebben alle anderen toestemming gegeven?",
        "Have all others given consent?",
    ),
    (
        "Soms mag iets alleen als iedereen ja heeft gezegd.",
        "Some things are allowed only if everyone said yes.",
    ),
    Form::One(&[
        Choice::new(
            "all",
            "Ja, iedereen",
            "Yes, everyone",
            &[("consent_per_participant", Some("{\"p1\":\"given\"}"))],
        ),
        Choice::new(
            "explicit",
            "Ja, iedereen, en uitdrukkelijk voor dit doel",
            "Yes, everyone, and explicitly for this purpose",
            &[(
                "consent_per_participant",
                Some("{\"p1\":\"given_explicit\"}"),
            )],
        ),
        Choice::new(
            "guardian",
            "Ja; voor het kind zei een ouder of voogd ja",
            "Yes; for the child a parent or guardian said yes",
            &[(
                "consent_per_participant",
                Some("{\"p1\":\"given_by_guardian\"}"),
            )],
        ),
        Choice::new(
            "refused",
            "Nee, iemand weigerde",
            "No, somebody refused",
            &[("consent_per_participant", Some("{\"p1\":\"refused\"}"))],
        ),
        Choice::new(
            "withdrawn",
            "Iemand heeft de toestemming weer ingetrokken",
            "Somebody has withdrawn consent",
            &[("consent_per_participant", Some("{\"p1\":\"withdrawn\"}"))],
        ),
        Choice::new(
            "none",
            "Nee, het is niet aan iedereen gevraagd",
            "No, not everyone was asked",
            &[("consent_per_participant", Some("{\"p1\":\"none\"}"))],
        ),
    ]),
)];

/// With image these two settle most, so they come first.
pub(super) const OF_IMAGE: &[Question] = &[OPENNESS.only(has_image), CHANNEL.only(is_secret_image)];

fn has_image(facts: &Facts) -> bool {
    facts.holds("media", "image")
}

fn is_secret_image(facts: &Facts) -> bool {
    has_image(facts) && facts.is_one_of("openness", &["covert"])
}

const OPENNESS: Question = Question::new(
    "openness",
    (
        "Weten de anderen dat er wordt opgenomen?",
        "Do the others know about the recording?",
    ),
    (
        "Organisaties moeten het vooraf zeggen (AVG 13). Wie heimelijk filmt, kan strafbaar zijn, ook een particulier (Sr 139f, 441b).",
        "Organisations have to say so beforehand (AVG (GDPR) 13). Filming covertly can be a crime, for a private person as well (Sr 139f, 441b).",
    ),
    Form::One(&[
        Choice::new(
            "agreed",
            "Ja, het is gezegd en iedereen vond het goed",
            "Yes, it was said and everyone agreed",
            &[
                ("openness", Some("\"announced_and_agreed\"")),
                ("consent_per_participant", None),
            ],
        ),
        Choice::new(
            "announced",
            "Ja, het is gezegd",
            "Yes, it was said",
            &[("openness", Some("\"announced\""))],
        ),
        Choice::new(
            "objected",
            "Ja, het is gezegd, en iemand wilde het niet",
            "Yes, it was said, and somebody did not want it",
            &[("openness", Some("\"announced_objected\""))],
        ),
        Choice::new(
            "visible",
            "Er is niets gezegd, maar het is goed te zien",
            "Nothing was said, but it is plain to see",
            &[("openness", Some("\"visible\""))],
        ),
        Choice::new(
            "covert",
            "Nee, zij weten het niet",
            "No, they do not know",
            &[
                ("openness", Some("\"covert\"")),
                ("consent_per_participant", None),
            ],
        ),
        Choice::new(
            "accidental",
            "Het was per ongeluk",
            "It was by accident",
            &[("openness", Some("\"accidental\""))],
        ),
    ]),
);

const CHANNEL: Question = Question::new(
    "channel",
    ("Waar is het gesprek?", "Where is the conversation?"),
    (
        "Voor telefoon, een besloten ruimte en de straat gelden verschillende artikelen.",
        "Different articles hold for the telephone, a closed room and the street.",
    ),
    Form::One(&[
        Choice::new(
            "phone",
            "Aan de telefoon",
            "On the telephone",
            &[("channel", Some("\"phone\""))],
        ),
        Choice::new(
            "video_call",
            "In een videogesprek",
            "In a video call",
            &[("channel", Some("\"video_call\""))],
        ),
        Choice::new(
            "inside",
            "In een huis, kantoor of besloten ruimte",
            "In a home, office or closed room",
            &[("channel", Some("\"live_inside\""))],
        ),
        Choice::new(
            "outside",
            "Buiten of op straat",
            "Outside or in the street",
            &[("channel", Some("\"live_outside\""))],
        ),
        Choice::new(
            "voicemail",
            "Op een voicemail",
            "On a voicemail",
            &[("channel", Some("\"voicemail\""))],
        ),
        Choice::new(
            "chatbot",
            "Met een spraakcomputer",
            "With a voice computer",
            &[("channel", Some("\"chatbot_voice\""))],
        ),
    ]),
);
