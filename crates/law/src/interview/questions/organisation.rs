//! What an organisation needs before it records: purpose, basis, staff.

use super::super::question::{Choice, Entry, EntryKind, Form, Question};
use crate::text::Bilingual;

pub(super) const QUESTIONS: &[Question] = &[
    Question::new(
        "purpose",
        ("Waarvoor is de opname?", "What is the recording for?"),
        (
            "Het doel bepaalt de grondslag, wie mag luisteren en hoe lang u mag bewaren (AVG 5 lid 1 b).",
            "The purpose decides the basis, who may listen and how long you may keep it (AVG (GDPR) 5(1)(b)).",
        ),
        Form::One(&[
            Choice::new(
                "agreement",
                "Bewijs van een afspraak of overeenkomst",
                "Evidence of an agreement",
                &[("purpose", Some("\"bewijs_overeenkomst\""))],
            ),
            Choice::new(
                "statute",
                "Een plicht uit de wet, zoals bij beursorders",
                "A duty laid down by law, as with investment orders",
                &[("purpose", Some("\"wettelijke_plicht\""))],
            ),
            Choice::new(
                "training",
                "Kwaliteit en training",
                "Quality and training",
                &[("purpose", Some("\"kwaliteit_training\""))],
            ),
            Choice::new(
                "control",
                "Een medewerker controleren",
                "Control of an employee",
                &[("purpose", Some("\"controle_medewerker\""))],
            ),
            Choice::new(
                "own_proof",
                "Eigen gebruik en eigen bewijs",
                "Own use and own proof",
                &[("purpose", Some("\"eigen_gebruik_bewijs\""))],
            ),
            Choice::new(
                "file",
                "Het dossier van een overheid",
                "The file of a government body",
                &[("purpose", Some("\"dossier_overheid\""))],
            ),
            Choice::new(
                "safety",
                "Veiligheid of noodhulp",
                "Safety or emergency aid",
                &[("purpose", Some("\"veiligheid_noodhulp\""))],
            ),
            Choice::new(
                "minutes",
                "Notulen of een verslag",
                "Minutes or a report",
                &[("purpose", Some("\"notulen_verslag\""))],
            ),
            Choice::new(
                "complaint",
                "Een klacht behandelen",
                "Handling a complaint",
                &[("purpose", Some("\"klacht\""))],
            ),
            Choice::new(
                "inquiry",
                "Een onderzoek",
                "An inquiry",
                &[("purpose", Some("\"onderzoek\""))],
            ),
            Choice::new(
                "whistleblower",
                "De melding van een klokkenluider",
                "The report of a whistleblower",
                &[("purpose", Some("\"klokkenluider\""))],
            ),
            Choice::new(
                "press",
                "Journalistiek",
                "Journalism",
                &[("purpose", Some("\"journalistiek\""))],
            ),
            Choice::new(
                "other",
                "Iets anders",
                "Something else",
                &[("purpose", Some("\"overig\""))],
            ),
        ]),
    ),
    Question::new(
        "basis",
        (
            "Op welke grondslag van de AVG beroept de organisatie zich?",
            "On which basis of the AVG (GDPR) does the organisation rely?",
        ),
        (
            "Zonder grondslag mag het niet (AVG 6). Niet elke grondslag past bij elke organisatie.",
            "Without a basis it is not allowed (AVG (GDPR) 6). Not every basis fits every organisation.",
        ),
        Form::One(&[
            Choice::new(
                "usual",
                "De grondslag die bij dit doel hoort",
                "The basis that goes with this purpose",
                &[("legal_basis", None)],
            ),
            Choice::new(
                "a",
                "Toestemming (a)",
                "Consent (a)",
                &[("legal_basis", Some("\"a\""))],
            ),
            Choice::new(
                "b",
                "Een overeenkomst met de ander (b)",
                "A contract with the other (b)",
                &[("legal_basis", Some("\"b\""))],
            ),
            Choice::new(
                "c",
                "Een plicht uit de wet (c)",
                "A duty laid down by law (c)",
                &[("legal_basis", Some("\"c\""))],
            ),
            Choice::new(
                "d",
                "Levensgevaar (d)",
                "A vital interest (d)",
                &[("legal_basis", Some("\"d\""))],
            ),
            Choice::new(
                "e",
                "Een taak van de overheid (e)",
                "A public task (e)",
                &[("legal_basis", Some("\"e\""))],
            ),
            Choice::new(
                "f",
                "Een gerechtvaardigd belang (f)",
                "A legitimate interest (f)",
                &[("legal_basis", Some("\"f\""))],
            ),
            Choice::new("none", "Geen", "None", &[("legal_basis", Some("\"none\""))]),
        ]),
    ),
    Question::new(
        "statute",
        (
            "Welke wet verplicht tot opnemen?",
            "Which law demands the recording?",
        ),
        (
            "Alleen wie de wettelijke plicht kan noemen, kan zich erop beroepen (AVG 6 lid 3).",
            "Only who can name the duty can rely on it (AVG (GDPR) 6(3)).",
        ),
        Form::Fields(&[reference("law", "statutory_duty_ref")]),
    ),
    Question::new(
        "task",
        ("In welke wet staat de taak?", "Which law holds the task?"),
        (
            "Een overheid werkt alleen op een taak die in een wet staat (AVG 6 lid 3).",
            "A government body acts only on a task that a law gives (AVG (GDPR) 6(3)).",
        ),
        Form::Fields(&[reference("law", "public_task_ref")]),
    ),
    Question::new(
        "extent",
        (
            "Welke gesprekken worden opgenomen?",
            "Which conversations are recorded?",
        ),
        (
            "Voor een regeling die alle gesprekken raakt, gelden meer plichten dan voor één gesprek (WOR 27).",
            "A scheme for all conversations has more duties than a single one (WOR 27).",
        ),
        Form::One(&[
            Choice::new("all", "Alle", "All", &[("structural", Some("\"all\""))]),
            Choice::new(
                "sample",
                "Een steekproef",
                "A sample",
                &[("structural", Some("\"sample\""))],
            ),
            Choice::new(
                "button",
                "Die waarbij iemand op een knop drukt",
                "Those where somebody presses a button",
                &[("structural", Some("\"per_call_button\""))],
            ),
            Choice::new(
                "person",
                "Die van één bepaalde medewerker",
                "Those of one particular employee",
                &[("structural", Some("\"targeted_person\""))],
            ),
            Choice::new(
                "single",
                "Eén gesprek",
                "One conversation",
                &[("structural", Some("\"single\""))],
            ),
        ]),
    ),
    Question::new(
        "works_council",
        (
            "Wat vond de ondernemingsraad (or)?",
            "What did the works council say?",
        ),
        (
            "Een regeling om personeel op te nemen, kan niet zonder instemming van de or (WOR 27 lid 1 k en l).",
            "A scheme that records staff can't do without the consent of the works council (WOR 27(1) k and l).",
        ),
        Form::One(&[
            Choice::new(
                "consented",
                "De or stemde in",
                "It consented",
                &[("or_status", Some("\"consented\""))],
            ),
            Choice::new(
                "court",
                "De kantonrechter gaf toestemming",
                "The court gave permission instead",
                &[("or_status", Some("\"court_permission\""))],
            ),
            Choice::new(
                "asked",
                "Het is gevraagd; er is nog geen antwoord",
                "It was asked; no answer yet",
                &[("or_status", Some("\"asked\""))],
            ),
            Choice::new(
                "refused",
                "De or weigerde",
                "It refused",
                &[("or_status", Some("\"refused\""))],
            ),
            Choice::new(
                "not_asked",
                "Het is niet gevraagd",
                "It was not asked",
                &[("or_status", Some("\"not_asked\""))],
            ),
            Choice::new(
                "nullity",
                "De or riep de nietigheid in",
                "It invoked nullity",
                &[("or_status", Some("\"nullity_invoked\""))],
            ),
            Choice::new(
                "pvt",
                "Er is alleen een personeelsvertegenwoordiging (pvt)",
                "There is only a staff representation (pvt)",
                &[("or_status", Some("\"pvt_only\""))],
            ),
            Choice::new(
                "no_or",
                "Er is geen or en geen pvt",
                "There is no works council and no pvt",
                &[("or_status", Some("\"no_or\""))],
            ),
        ]),
    ),
    Question::new(
        "works_council_days",
        ("Wanneer was dat?", "When was that?"),
        (
            "De or moet de nietigheid binnen een maand inroepen (WOR 27 lid 5). Voor een pvt telt de dag van instemming.",
            "The works council has to invoke nullity within a month (WOR 27(5)). For a pvt the day of consent counts.",
        ),
        Form::Fields(&[
            day(
                "decided",
                "Dag van instemming",
                "Day of consent",
                "or_dates",
                "decided_at",
            ),
            day(
                "notified",
                "Dag waarop de or het hoorde",
                "Day on which the works council was told",
                "or_dates",
                "notified_at",
            ),
            day(
                "invoked",
                "Dag waarop de or de nietigheid inriep",
                "Day on which it invoked nullity",
                "or_dates",
                "invoked_at",
            ),
        ]),
    ),
    Question::new(
        "suspicion",
        (
            "Wat is er geregeld voor deze controle? Kruis alles aan wat past.",
            "What was arranged for this control? Tick all that fit.",
        ),
        (
            "Heimelijk controleren mag alleen bij een concreet vermoeden, als laatste middel, kort, en met twee beslissers.",
            "Covert control is allowed only on a concrete suspicion, as a last resort, for a short time, and with two who decide.",
        ),
        Form::Several(&[
            tick(
                "assessed",
                "De risico's voor de privacy zijn beoordeeld (DPIA)",
                "The risks for privacy were assessed (DPIA)",
                &[("dpia", Some("\"done\""))],
            )
            .otherwise(&[("dpia", Some("\"missing\""))]),
            tick(
                "concrete",
                "Er is een concreet vermoeden",
                "There is a concrete suspicion",
                &[("suspicion", Some("{\"concrete\":true}"))],
            ),
            tick(
                "tried",
                "Andere middelen zijn geprobeerd",
                "Other means were tried",
                &[(
                    "suspicion",
                    Some("{\"tried_alternatives\":[\"answered in the interview: yes\"]}"),
                )],
            ),
            tick(
                "ends",
                "Het stopt binnen twee weken",
                "It ends within two weeks",
                &[("suspicion", Some("{\"end\":\"@+P2W\"}"))],
            ),
            tick(
                "over",
                "De periode die was afgesproken is voorbij",
                "The period that was agreed is over",
                &[("suspicion", Some("{\"end\":\"2000-01-02T00:00:00Z\"}"))],
            ),
            tick(
                "two",
                "Twee mensen hebben het goedgekeurd",
                "Two people have approved it",
                &[(
                    "suspicion",
                    Some("{\"approved_by\":[\"first\",\"second\"]}"),
                )],
            ),
            tick(
                "officer",
                "De functionaris gegevensbescherming heeft geadviseerd",
                "The data protection officer has advised",
                &[(
                    "suspicion",
                    Some("{\"fg_advice\":\"answered in the interview: yes\"}"),
                )],
            ),
            tick(
                "nothing",
                "Het is voorbij en er bleek niets",
                "It is over and nothing was found",
                &[("suspicion", Some("{\"result\":\"none_found\"}"))],
            ),
        ]),
    )
    .or_unknown(),
    Question::new(
        "marketing",
        (
            "Is dit een verkoopgesprek dat u zelf begint? Kruis alles aan wat past.",
            "Is this a sales call that you begin? Tick all that fit.",
        ),
        (
            "Een consument bellen om te verkopen mag alleen met toestemming vooraf (Tw 11.7).",
            "Calling a consumer to sell is allowed only with prior consent (Tw 11.7).",
        ),
        Form::One(&[
            Choice::new("no", "Nee", "No", &[("outbound_marketing", None)])
                .only(|facts| facts.action() != voicelog_model::Action::Call),
            Choice::new(
                "optin",
                "Ja, aan een consument, met bewijs van toestemming vooraf",
                "Yes, to a consumer, with proof of prior consent",
                &[(
                    "outbound_marketing",
                    Some("{\"consumer\":true,\"optin_proof\":true}"),
                )],
            ),
            Choice::new(
                "energy",
                "Ja, voor energie of een vaste dienst, met bewijs van toestemming vooraf",
                "Yes, for energy or a regular service, with proof of prior consent",
                &[(
                    "outbound_marketing",
                    Some("{\"consumer\":true,\"optin_proof\":true,\"product_type\":\"energy\"}"),
                )],
            ),
            Choice::new(
                "no_optin",
                "Ja, aan een consument, zonder dat bewijs",
                "Yes, to a consumer, without that proof",
                &[(
                    "outbound_marketing",
                    Some("{\"consumer\":true,\"optin_proof\":false}"),
                )],
            ),
            Choice::new(
                "business",
                "Ja, aan een bedrijf",
                "Yes, to a business",
                &[("outbound_marketing", Some("{\"consumer\":false}"))],
            ),
        ]),
    ),
    Question::new(
        "minutes",
        (
            "Komt er een verslag op papier of in een bestand?",
            "Will there be written minutes?",
        ),
        (
            "Soms is een verslag de plicht en de opname de keuze.",
            "Sometimes minutes are the duty, and the recording is the choice.",
        ),
        Form::One(&[
            Choice::new("yes", "Ja", "Yes", &[("minutes_made", Some("true"))]),
            Choice::new("no", "Nee", "No", &[("minutes_made", Some("false"))]),
        ]),
    ),
    Question::new(
        "weighty_reason",
        (
            "Welke reden geeft de overheid in dit geval?",
            "Which reason does the government body give in this case?",
        ),
        (
            "Een overheid weigert alleen om een zwaarwegende reden, en biedt dan iets anders aan (ombudsman 2014/166).",
            "A government body refuses only for a weighty reason, and then offers something else (ombudsman 2014/166).",
        ),
        Form::One(&[
            Choice::new(
                "none",
                "Geen, of een algemene regel",
                "None, or a general rule",
                &[("weighty_reason", Some("{}"))],
            ),
            Choice::new(
                "reason",
                "Een zwaarwegende reden, zonder iets anders aan te bieden",
                "A weighty reason, without offering anything else",
                &[(
                    "weighty_reason",
                    Some("{\"text\":\"answered in the interview: yes\"}"),
                )],
            ),
            Choice::new(
                "both",
                "Een zwaarwegende reden, en er is iets anders aangeboden",
                "A weighty reason, and something else was offered",
                &[(
                    "weighty_reason",
                    Some(
                        "{\"text\":\"answered in the interview: yes\",\"alternative_offered\":\"answered in the interview: yes\"}",
                    ),
                )],
            ),
        ]),
    ),
];

const NO_SUSPICION: &[(&str, Option<&str>)] = &[("suspicion", Some("{}"))];

const fn tick(
    id: &'static str,
    nl: &'static str,
    en: &'static str,
    sets: &'static [(&'static str, Option<&'static str>)],
) -> Choice {
    Choice::new(id, nl, en, sets).otherwise(NO_SUSPICION)
}

const fn reference(id: &'static str, fact: &'static str) -> Entry {
    Entry {
        id,
        label: Bilingual {
            nl: "Wet en artikel, of `none` als die er niet is",
            en: "Statute and article, or `none` if there is none",
        },
        kind: EntryKind::Reference,
        fact,
        field: None,
    }
}

const fn day(
    id: &'static str,
    nl: &'static str,
    en: &'static str,
    fact: &'static str,
    field: &'static str,
) -> Entry {
    Entry {
        id,
        label: Bilingual { nl, en },
        kind: EntryKind::Day,
        fact,
        field: Some(field),
    }
}
