//! What is out of the ordinary: one list to tick, and the questions that a tick opens.

use super::super::question::{Choice, Form, Question};
use voicelog_model::Action;

const fn tick(
    id: &'static str,
    nl: &'static str,
    en: &'static str,
    sets: &'static [(&'static str, Option<&'static str>)],
    otherwise: &'static [(&'static str, Option<&'static str>)],
) -> Choice {
    Choice::new(id, nl, en, sets).otherwise(otherwise)
}

pub(super) const QUESTIONS: &[Question] = &[
    Question::new(
        "circumstances",
        ("Is een van deze dingen zo? Kruis alles aan wat past.", "Is any of this so? Tick all that fit."),
        (
            "Dit zijn uitzonderingen die het antwoord veranderen. Meestal past er geen.",
            "These are exceptions that change the answer. Mostly none fits.",
        ),
        Form::Several(&[
            tick("abroad", "Iemand is in een ander land, of dat is niet bekend", "Somebody is in another country, or that is not known", &[], &[("countries", Some("[\"NL\"]"))]).opens(&["countries"]),
            tick("unattended", "Het apparaat is expres achtergelaten om zonder u op te nemen", "The device was left behind on purpose, to record without you", &[("intent_unattended", Some("true"))], &[("intent_unattended", Some("false"))]),
            tick("left", "U ging weg terwijl het apparaat per ongeluk doorliep", "You left while the device went on by accident", &[("recorder_left_room_at", Some("\"@\""))], &[("recorder_left_room_at", None)]),
            tick("secret", "Er geldt een plicht om te zwijgen: mediation, geheimhouding, een vertrouwelijk beroep", "There is a duty of secrecy: mediation, a non-disclosure agreement, a confidential profession", &[], &[("confidentiality_clause", None)]).opens(&["confidentiality_clause"]),
            tick("special", "Het gaat over gezondheid, geloof, vakbond, strafbare feiten of iets anders gevoeligs", "It is about health, religion, union, offences or something else sensitive", &[], &[("special_data", Some("[]"))]).opens(&["special_data"]),
            tick("threat", "Er is bedreigd of er is geweld", "There was a threat or abuse", &[("threat_or_abuse", Some("true"))], &[("threat_or_abuse", Some("false"))]),
            tick("hold", "De beller staat nu in de wacht", "The caller is on hold now", &[("on_hold", Some("true"))], &[("on_hold", Some("false"))]),
            tick("staff", "Het eigen personeel weet niet wanneer er wordt opgenomen", "Own staff does not know when it records", &[("staff_informed", Some("\"none\""))], &[("staff_informed", None)]),
            tick("sector", "Het gaat om beleggen, incasso, zorg, politie of noodhulp (112)", "It is about investment, debt collection, care, police or emergency aid (112)", &[], &[("sector", None)]).opens(&["sector"]),
            tick("basis", "De organisatie beroept zich op toestemming, of op een andere grondslag dan bij dit doel hoort", "The organisation relies on consent, or on another basis than goes with this purpose", &[], &[("legal_basis", None)]).opens(&["legal_basis"]),
            tick("marketing", "Het is een verkoopgesprek dat u zelf begint", "It is a sales call that you begin", &[], &[("outbound_marketing", None)]).opens(&["outbound_marketing"]).only(|facts| facts.action() != Action::Call),
            tick("balance", "Uit de afweging van belangen bleek dat de privacy zwaarder weegt", "The balancing of interests showed that privacy outweighs", &[("lia", Some("{\"outcome\":\"against\"}"))], &[("lia", None)]),
            tick("supplier", "Een leverancier verwerkt de opname", "A supplier processes the recording", &[], &[("processing", None)]).opens(&["processing"]),
            tick("unlimited", "De opname wordt zonder einddatum bewaard", "The recording is kept without an end date", &[("retention_term", Some("\"unlimited\""))], &[("retention_term", None)]).only(|facts| facts.action() == Action::Record),
            tick("term", "De termijn om de opname te bewaren is voorbij, of die heeft geen einde", "The term for keeping the recording is over, or has no end", &[], &[("retention_term", None), ("recorded_at", None)]).opens(&["retention_term", "recorded_at"]).only(|facts| facts.action() == Action::Keep),
            tick("image", "Er staat ook beeld op, of alleen tekst", "It holds image as well, or only text", &[], &[("media", Some("[\"audio\"]"))]).opens(&["media"]),
            tick("state", "De opname is bevroren of vernietigd", "The recording is frozen or destroyed", &[], &[("recording_state", Some("\"exists\""))]).opens(&["recording_state"]),
            tick("origin", "De opname is misschien onrechtmatig verkregen", "The recording may have been obtained unlawfully", &[("origin_of_import", Some("\"suspected_unlawful\""))], &[("origin_of_import", None)]).only(|facts| facts.action() != Action::ImportFile),
            tick("objection", "Iemand heeft bezwaar gemaakt (AVG 21)", "Somebody has objected (AVG (GDPR) 21)", &[("objection_art21", Some("true"))], &[("objection_art21", Some("false"))]),
            tick("own_code", "Het gaat in tegen de eigen gedragscode van wie opneemt", "It goes against the recorder's own code of conduct", &[("own_code_breached", Some("true"))], &[("own_code_breached", Some("false"))]),
            tick("provider", "Een telecomaanbieder neemt op, zonder toestemming van de abonnee", "A telecom provider records, without consent of the subscriber", &[("provider_consent", Some("\"none\""))], &[("provider_consent", Some("\"not_applicable\""))]),
            tick("abuse", "Iemand misbruikt zijn macht over de lijn of de ruimte", "Somebody abuses the power over line or room", &[("manifest_abuse", Some("true"))], &[("manifest_abuse", Some("false"))]),
        ]),
    ),
    Question::new(
        "state",
        (
            "Hoe staat het met de opname?",
            "What is the state of the recording?",
        ),
        (
            "Een opname die is bevroren, mag alleen bewaard worden (AVG 18). Een vernietigde opname kan niemand geven.",
            "A recording that is frozen may only be kept (AVG (GDPR) 18). Nobody can give a destroyed one.",
        ),
        Form::One(&[
            Choice::new(
                "exists",
                "Zij is er",
                "It is there",
                &[("recording_state", Some("\"exists\""))],
            ),
            Choice::new(
                "restricted",
                "Zij is bevroren op verzoek of om een geschil",
                "It is frozen on request or for a dispute",
                &[("recording_state", Some("\"restricted\""))],
            ),
            Choice::new(
                "destroyed",
                "Zij is vernietigd",
                "It was destroyed",
                &[("recording_state", Some("\"destroyed\""))],
            ),
        ]),
    ),
    Question::new(
        "sector",
        ("In welke sector is dit?", "In which sector is this?"),
        (
            "Voor beleggen, noodhulp, politie en zorg gelden eigen wetten.",
            "Investment, emergency aid, police and care have laws of their own.",
        ),
        Form::One(&[
            Choice::new(
                "other",
                "Geen van deze",
                "None of these",
                &[("sector", Some("\"other\""))],
            ),
            Choice::new(
                "finance_investment",
                "Beleggen",
                "Investment",
                &[("sector", Some("\"finance_investment\""))],
            ),
            Choice::new(
                "finance_other",
                "Andere financiële diensten",
                "Other financial services",
                &[("sector", Some("\"finance_other\""))],
            ),
            Choice::new(
                "insurance",
                "Verzekeren",
                "Insurance",
                &[("sector", Some("\"insurance\""))],
            ),
            Choice::new(
                "debt_collection",
                "Incasso",
                "Debt collection",
                &[("sector", Some("\"debt_collection\""))],
            ),
            Choice::new(
                "sales",
                "Verkoop van energie of telecom",
                "Sales of energy or telecom",
                &[("sector", Some("\"energy_telecom_sales\""))],
            ),
            Choice::new("care", "Zorg", "Care", &[("sector", Some("\"care\""))]),
            Choice::new(
                "emergency",
                "Noodhulp (112)",
                "Emergency aid (112)",
                &[("sector", Some("\"emergency\""))],
            ),
            Choice::new(
                "police",
                "Politie",
                "Police",
                &[("sector", Some("\"police\""))],
            ),
            Choice::new(
                "municipality",
                "Gemeente",
                "Municipality",
                &[("sector", Some("\"municipality\""))],
            ),
            Choice::new(
                "youth_care",
                "Jeugdzorg",
                "Youth care",
                &[("sector", Some("\"youth_care\""))],
            ),
            Choice::new(
                "education",
                "Onderwijs",
                "Education",
                &[("sector", Some("\"education\""))],
            ),
        ]),
    ),
    Question::new(
        "countries",
        ("Waar is iemand? Kruis alles aan wat past.", "Where is somebody? Tick all that fit."),
        (
            "Het strengste land telt mee. In Duitsland mag opnemen alleen als iedereen ja zegt (§ 201 StGB).",
            "The strictest country counts too. In Germany recording needs a yes from everyone (§ 201 StGB).",
        ),
        Form::Several(&[
            country("de", "Duitsland", "Germany", &[("countries", Some("[\"DE\"]"))]),
            country("be", "België", "Belgium", &[("countries", Some("[\"BE\"]"))]),
            country("fr", "Frankrijk", "France", &[("countries", Some("[\"FR\"]"))]),
            country("gb", "Verenigd Koninkrijk", "United Kingdom", &[("countries", Some("[\"GB\"]"))]),
            country("other", "Een ander land, of niet bekend", "Another country, or not known", &[("countries", Some("[\"ZZ\"]"))]),
        ]),
    )
    .at_least_one(),
    Question::new(
        "nature",
        ("Waar gaat het gesprek over?", "What is the conversation about?"),
        (
            "In Frankrijk gaat het verbod over wat privé of vertrouwelijk is gezegd.",
            "In France the ban is about what is said privately or in confidence.",
        ),
        Form::One(&[
            Choice::new("business", "Zaken", "Business", &[("content_nature", Some("\"business\""))]),
            Choice::new("private", "Privé", "Private matters", &[("content_nature", Some("\"private\""))]),
            Choice::new("mixed", "Allebei", "Both", &[("content_nature", Some("\"mixed\""))]),
        ]),
    ),
    Question::new(
        "age",
        ("Hoe oud is de jongste?", "How old is the youngest?"),
        (
            "Onder de 16 beslist een ouder mee (UAVG 5).",
            "Under 16 a parent decides too (UAVG 5).",
        ),
        Form::One(&[
            Choice::new("under_12", "Jonger dan 12", "Under 12", &[("age_youngest", Some("11"))]),
            Choice::new("under_16", "12 tot en met 15", "12 to 15", &[("age_youngest", Some("14"))]),
            Choice::new("under_18", "16 of 17", "16 or 17", &[("age_youngest", Some("17"))]),
        ]),
    ),
    Question::new(
        "secrecy",
        ("Welke plicht om te zwijgen geldt er?", "Which duty of secrecy is there?"),
        (
            "Wie moet zwijgen, mag meestal ook niet opnemen of delen.",
            "Who is bound to secrecy mostly may not record or share either.",
        ),
        Form::One(&[
            Choice::new("mediation", "Mediation", "Mediation", &[("confidentiality_clause", Some("\"mediation\""))]),
            Choice::new("nda", "Een afspraak tot geheimhouding", "A non-disclosure agreement", &[("confidentiality_clause", Some("\"nda\""))]),
            Choice::new("privilege", "Een beroepsgeheim (arts, advocaat, notaris, geestelijke)", "A professional secret (doctor, lawyer, notary, cleric)", &[("confidentiality_clause", Some("\"privilege\""))]),
            Choice::new("statute", "Een wet (ambtenaar, besloten vergadering)", "A statute (official, closed meeting)", &[("confidentiality_clause", Some("\"statutory_secrecy\""))]),
        ]),
    ),
    Question::new(
        "special_data",
        ("Waar gaat het over? Kruis alles aan wat past.", "What is it about? Tick all that fit."),
        (
            "Voor gevoelige gegevens is een eigen grond nodig (AVG 9 en 10).",
            "Sensitive data needs a ground of its own (AVG (GDPR) 9 and 10).",
        ),
        Form::Several(&[
            special("health", "Gezondheid", "Health", &[("special_data", Some("[\"health\"]"))]),
            special("union", "Lidmaatschap van een vakbond", "Union membership", &[("special_data", Some("[\"union\"]"))]),
            special("ethnicity", "Afkomst", "Ethnic origin", &[("special_data", Some("[\"ethnicity\"]"))]),
            special("religion", "Geloof", "Religion", &[("special_data", Some("[\"religion\"]"))]),
            special("politics", "Politiek", "Politics", &[("special_data", Some("[\"politics\"]"))]),
            special("sex_life", "Seksleven", "Sex life", &[("special_data", Some("[\"sex_life\"]"))]),
            special("genetic", "Erfelijke gegevens", "Genetic data", &[("special_data", Some("[\"genetic\"]"))]),
            special("biometric", "Herkenning aan lichaam of stem", "Recognition by body or voice", &[("special_data", Some("[\"biometric_id\"]"))]),
            special("criminal", "Strafbare feiten", "Criminal offences", &[("special_data", Some("[\"criminal\"]"))]),
            special("bsn", "Burgerservicenummer", "Citizen service number (BSN)", &[("special_data", Some("[\"bsn\"]"))]),
            special("card", "Nummer of code van een bankpas", "Number or code of a bank card", &[("special_data", Some("[\"card\"]"))]),
        ]),
    )
    .at_least_one(),
    Question::new(
        "special_ground",
        ("Op welke grond mag dat worden vastgelegd?", "On which ground may that be recorded?"),
        (
            "Zonder zo'n grond moet dat deel eruit blijven (AVG 9).",
            "Without such a ground that part has to stay out (AVG (GDPR) 9).",
        ),
        Form::One(&[
            Choice::new("none", "Geen", "None", &[("special_data_ground", Some("\"none\""))]),
            Choice::new("explicit", "Uitdrukkelijke toestemming", "Explicit consent", &[("consent_per_participant", Some("{\"p1\":\"given_explicit\"}")), ("special_data_ground", Some("\"explicit_consent\""))]),
            Choice::new("vital", "Levensgevaar", "A vital interest", &[("special_data_ground", Some("\"vital_interest\""))]),
            Choice::new("members", "Een vereniging en haar leden", "An association and its members", &[("special_data_ground", Some("\"association_members\""))]),
            Choice::new("public", "De persoon maakte het zelf openbaar", "The person made it public", &[("special_data_ground", Some("\"made_public\""))]),
            Choice::new("claim", "Een rechtsvordering", "A legal claim", &[("special_data_ground", Some("\"legal_claim\""))]),
            Choice::new("care", "Zorg of re-integratie", "Care or reintegration", &[("special_data_ground", Some("\"care_or_reintegration\""))]),
            Choice::new("offence", "Een strafbaar feit tegen de organisatie zelf", "An offence against the organisation itself", &[("special_data_ground", Some("\"own_offence\""))]),
            Choice::new("statute", "Een wet", "A statute", &[("special_data_ground", Some("\"statute\""))]),
        ]),
    ),
];

const HOME: &[(&str, Option<&str>)] = &[("countries", Some("[\"NL\"]"))];
const NOTHING_SPECIAL: &[(&str, Option<&str>)] = &[("special_data", Some("[]"))];

const fn country(
    id: &'static str,
    nl: &'static str,
    en: &'static str,
    sets: &'static [(&'static str, Option<&'static str>)],
) -> Choice {
    Choice::new(id, nl, en, sets).otherwise(HOME)
}

const fn special(
    id: &'static str,
    nl: &'static str,
    en: &'static str,
    sets: &'static [(&'static str, Option<&'static str>)],
) -> Choice {
    Choice::new(id, nl, en, sets).otherwise(NOTHING_SPECIAL)
}
