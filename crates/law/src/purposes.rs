//! The purposes for which conversations are recorded, with what belongs to each: basis, notice,
//! works council, assessment, who may listen, reuse, and how long.
//!
//! These are the values that the house starts from. The rules decide; an organisation that wants
//! another term or other listeners says so in its facts, and why in its register.

use crate::text::Bilingual;
use serde_json::{Value, json};
use voicelog_model::Language;

/// A purpose, and what belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purpose {
    /// The word of the fact `purpose`.
    pub name: &'static str,
    /// What it is called.
    pub called: Bilingual,
    /// Letters of AVG 6 lid 1 for organisations; the first is taken where none is named.
    pub basis: &'static [&'static str],
    /// The same for government bodies.
    pub basis_of_government: &'static [&'static str],
    /// When and how people are told.
    pub notice: Bilingual,
    /// What the works council has to say.
    pub works_council: Bilingual,
    /// Whether the risks are assessed beforehand (DPIA).
    pub assessment: Bilingual,
    /// How long it must be kept at least.
    pub at_least: Bilingual,
    /// How long it may be kept.
    pub at_most: Bilingual,
    /// Who may listen.
    pub listeners: Bilingual,
    /// Whether it may be used against an employee.
    pub against_staff: Bilingual,
    /// First day of this version, as a full-date.
    pub valid_from: &'static str,
}

const fn b(nl: &'static str, en: &'static str) -> Bilingual {
    Bilingual { nl, en }
}

const BEFORE: Bilingual = b(
    "vóór de eerste seconde, met het doel erbij",
    "before the first second, with the purpose named",
);
const IF_STAFF: Bilingual = b(
    "instemming, als eigen personeel structureel te horen is",
    "consent, where own staff are heard structurally",
);
const CONSENT: Bilingual = b("instemming", "consent");
const NONE: Bilingual = b("geen", "none");
const NO: Bilingual = b("nee", "no");
const NOT_NEEDED: Bilingual = b("niet nodig", "not needed");
const YES: Bilingual = b("ja", "yes");
const LARGE: Bilingual = b("bij grote aantallen", "where it is large-scale");
const USUALLY: Bilingual = b("meestal", "usually");
const IF_ANNOUNCED: Bilingual = b(
    "alleen als het vooraf als doel is gemeld en in verhouding is",
    "only where told beforehand as a purpose, and in proportion",
);
const COURT: Bilingual = b("de rechter weegt dat", "the court weighs that");
const FIRST_DAY: &str = "2026-09-29";

/// Every purpose, in the order of the fact's values.
pub(crate) const PURPOSES: &[Purpose] = &[
    Purpose {
        name: "bewijs_overeenkomst",
        called: b("bewijs van een overeenkomst", "proof of an agreement"),
        basis: &["b", "f"],
        basis_of_government: &["e", "b"],
        notice: BEFORE,
        works_council: IF_STAFF,
        assessment: LARGE,
        at_least: NONE,
        at_most: b(
            "zolang er nog een vordering kan komen; leg uit waarom, 5 jaar is het richtpunt",
            "as long as a claim may come; say why, 5 years is the anchor",
        ),
        listeners: b(
            "wie over contracten en claims gaat",
            "the team for contracts and claims",
        ),
        against_staff: NO,
        valid_from: FIRST_DAY,
    },
    Purpose {
        name: "wettelijke_plicht",
        called: b(
            "een wettelijke plicht om op te nemen",
            "a statutory duty to record",
        ),
        basis: &["c"],
        basis_of_government: &["c"],
        notice: b(
            "vóór de dienst, met het recht op een kopie",
            "before the service, with the right to a copy",
        ),
        works_council: b(
            "informeren; instemming tenzij de wet geen keus laat",
            "inform; consent unless the law leaves no choice",
        ),
        assessment: YES,
        at_least: b(
            "beleggingsorders: 5 jaar vanaf het maken, onveranderbaar bewaard",
            "investment orders: 5 years from creation, stored unalterably",
        ),
        at_most: b(
            "7 jaar, als de AFM dat voorschrijft",
            "7 years, where the AFM prescribes it",
        ),
        listeners: b(
            "compliance, de AFM, en de klant (kopie)",
            "compliance, the AFM, and the client (copy)",
        ),
        against_staff: b(
            "nee, tenzij die plicht zelf is geschonden",
            "no, unless that very duty was broken",
        ),
        valid_from: FIRST_DAY,
    },
    Purpose {
        name: "kwaliteit_training",
        called: b("kwaliteit en training", "quality and training"),
        basis: &["f"],
        basis_of_government: &["e"],
        notice: b(
            "bij elk gesprek, met een signaal voor het personeel",
            "at every call, with a signal for staff",
        ),
        works_council: CONSENT,
        assessment: USUALLY,
        at_least: NONE,
        at_most: b(
            "kort: weken, en een steekproef",
            "brief: weeks, and a sample",
        ),
        listeners: b(
            "de coach en de medewerker zelf",
            "the coach and the employee concerned",
        ),
        against_staff: NO,
        valid_from: FIRST_DAY,
    },
    Purpose {
        name: "controle_medewerker",
        called: b("controle van een medewerker", "checking on an employee"),
        basis: &["f"],
        basis_of_government: &["e", "f"],
        notice: b(
            "vooraf in beleid en met een signaal; heimelijk alleen onder voorwaarden, en dan altijd achteraf",
            "beforehand in a policy and by a signal; covertly only under conditions, and then always afterwards",
        ),
        works_council: CONSENT,
        assessment: b(
            "ja; heimelijk altijd eerst",
            "yes; always first where covert",
        ),
        at_least: NONE,
        at_most: b(
            "tot het einde van het onderzoek; meteen weg als er niets is gevonden",
            "until the inquiry ends; gone at once if nothing is found",
        ),
        listeners: b(
            "twee met naam genoemde onderzoekers",
            "two named investigators",
        ),
        against_staff: IF_ANNOUNCED,
        valid_from: FIRST_DAY,
    },
    Purpose {
        name: "eigen_gebruik_bewijs",
        called: b("eigen bewijs", "own proof"),
        basis: &["f"],
        basis_of_government: &[],
        notice: b(
            "een mens hoeft het niet te zeggen, al is het beter; een zelfstandige zegt het, uiterlijk achteraf en vóór gebruik tegen de ander",
            "a person need not say so, though it is better; a self-employed person does, at the latest afterwards and before use against the other",
        ),
        works_council: NOT_NEEDED,
        assessment: NOT_NEEDED,
        at_least: NONE,
        at_most: b("tot het einde van het geschil", "until the dispute ends"),
        listeners: b(
            "de eigenaar, de advocaat en de rechter",
            "the owner, the lawyer and the court",
        ),
        against_staff: COURT,
        valid_from: FIRST_DAY,
    },
    Purpose {
        name: "dossier_overheid",
        called: b("dossier van een overheid", "file of a government body"),
        basis: &[],
        basis_of_government: &["e"],
        notice: b(
            "vooraf, met een kopie voor de burger die dat wil",
            "before, with a copy for the citizen who wants one",
        ),
        works_council: b(
            "instemming, als het structureel is",
            "consent, where it is structural",
        ),
        assessment: USUALLY,
        at_least: b(
            "de termijn van de zaak in de selectielijst",
            "the term of the case in the selection list",
        ),
        at_most: b("diezelfde termijn", "that same term"),
        listeners: b("wie aan de zaak werkt", "the team of the case"),
        against_staff: NO,
        valid_from: FIRST_DAY,
    },
    Purpose {
        name: "veiligheid_noodhulp",
        called: b("veiligheid en noodhulp", "safety and emergencies"),
        basis: &["d", "f"],
        basis_of_government: &["e"],
        notice: b(
            "achteraf als er haast is, anders vooraf",
            "afterwards if urgent, else before",
        ),
        works_council: b(
            "instemming, als het structureel is",
            "consent, where it is structural",
        ),
        assessment: YES,
        at_least: NONE,
        at_most: b(
            "112: ten hoogste 2 maanden (Tw 11.10)",
            "112: at most 2 months (Tw 11.10)",
        ),
        listeners: b(
            "de meldkamer, en de politie waar de wet dat zegt",
            "the control room, and the police where the law says so",
        ),
        against_staff: NO,
        valid_from: FIRST_DAY,
    },
    Purpose {
        name: "notulen_verslag",
        called: b("notulen of een verslag", "minutes or a report"),
        basis: &["f"],
        basis_of_government: &["e"],
        notice: b(
            "vooraf; zeg erbij of AI wordt gebruikt",
            "before; say whether AI is used",
        ),
        works_council: b(
            "instemming, als het structureel is",
            "consent, where it is structural",
        ),
        assessment: b(
            "bij grote aantallen of stemherkenning",
            "where large-scale or with voice recognition",
        ),
        at_least: NONE,
        at_most: b(
            "tot het verslag is goedgekeurd, dan gaat het geluid weg; bij een overheid alleen met een besluit tot vervanging",
            "until the minutes are approved, then the sound goes; at a government body only by a decision on substitution",
        ),
        listeners: b("wie aan het gesprek deelnam", "those who took part"),
        against_staff: NO,
        valid_from: FIRST_DAY,
    },
    Purpose {
        name: "klacht",
        called: b("behandeling van een klacht", "handling a complaint"),
        basis: &["b", "f"],
        basis_of_government: &["e"],
        notice: BEFORE,
        works_council: IF_STAFF,
        assessment: LARGE,
        at_least: NONE,
        at_most: b(
            "tot de klacht is afgesloten",
            "until the complaint is closed",
        ),
        listeners: b(
            "wie de klacht behandelt, en beide partijen",
            "who handles the complaint, and both parties",
        ),
        against_staff: NO,
        valid_from: FIRST_DAY,
    },
    Purpose {
        name: "onderzoek",
        called: b("een onderzoek", "an inquiry"),
        basis: &["f"],
        basis_of_government: &["e"],
        notice: b(
            "vooraf; heimelijk alleen onder de voorwaarden voor heimelijke controle",
            "before; covertly only under the conditions for covert control",
        ),
        works_council: b(
            "instemming, als het structureel is",
            "consent, where it is structural",
        ),
        assessment: USUALLY,
        at_least: NONE,
        at_most: b("tot het einde van het onderzoek", "until the inquiry ends"),
        listeners: b("met naam genoemde onderzoekers", "named investigators"),
        against_staff: IF_ANNOUNCED,
        valid_from: FIRST_DAY,
    },
    Purpose {
        name: "journalistiek",
        called: b("journalistiek", "journalism"),
        basis: &[],
        basis_of_government: &[],
        notice: b("volgens de ethische code", "by the code of ethics"),
        works_council: NOT_NEEDED,
        assessment: NOT_NEEDED,
        at_least: NONE,
        at_most: b("dat bepaalt de redactie", "the editors decide"),
        listeners: b("de redactie", "the editors"),
        against_staff: b("niet van toepassing", "does not apply"),
        valid_from: FIRST_DAY,
    },
    Purpose {
        name: "klokkenluider",
        called: b("een melding van een misstand", "a report of wrongdoing"),
        basis: &[],
        basis_of_government: &[],
        notice: b(
            "vooraf; opnemen alleen met toestemming van de melder, anders een volledig verslag",
            "before; record only with the reporter's consent, else a full written account",
        ),
        works_council: b(
            "instemming met de procedure, ook van een personeelsvertegenwoordiging",
            "consent to the procedure, also of a staff representation (PVT)",
        ),
        assessment: YES,
        at_least: NONE,
        at_most: b(
            "niet langer dan nodig; de melding staat in een register",
            "no longer than needed; the report is in a register",
        ),
        listeners: b("wie daarvoor is aangewezen", "those designated for it"),
        against_staff: NO,
        valid_from: FIRST_DAY,
    },
    Purpose {
        name: "overig",
        called: b(
            "iets anders, of nog niet bepaald",
            "something else, or not settled yet",
        ),
        basis: &[],
        basis_of_government: &[],
        notice: BEFORE,
        works_council: IF_STAFF,
        assessment: b("nog te bepalen", "to be decided"),
        at_least: NONE,
        at_most: b("4 weken", "4 weeks"),
        listeners: b(
            "niemand, tot iemand is aangewezen",
            "nobody until somebody is named",
        ),
        against_staff: NO,
        valid_from: FIRST_DAY,
    },
];

/// Every purpose, in the order of the values of the fact `purpose`.
pub fn purposes() -> impl Iterator<Item = &'static Purpose> {
    PURPOSES.iter()
}

/// One purpose by its word; what is no word of the fact gives nothing.
#[must_use]
pub fn purpose(name: &str) -> Option<&'static Purpose> {
    PURPOSES.iter().find(|purpose| purpose.name == name)
}

impl Purpose {
    /// The letters of AVG 6 lid 1 for one kind of recorder, the default first. A person who
    /// records for own proof is outside the AVG: `household`.
    #[must_use]
    pub fn basis_for(&self, recorder_type: &str) -> &'static [&'static str] {
        match recorder_type {
            "private_person" | "citizen" | "employee" if self.name == "eigen_gebruik_bewijs" => {
                &["household"]
            }
            "private_person" | "citizen" | "employee" | "journalist" => &[],
            "self_employed" => self.basis,
            "government_body" => self.basis_of_government,
            // Own proof is a purpose of people; an organisation names its basis itself.
            _ if self.name == "eigen_gebruik_bewijs" => &[],
            _ => self.basis,
        }
    }

    /// The purpose as JSON, with texts in one language.
    #[must_use]
    pub fn to_json(&self, language: Language) -> Value {
        json!({
            "purpose": self.name,
            "called": self.called.pick(language),
            "basis": self.basis,
            "basis_of_government": self.basis_of_government,
            "notice": self.notice.pick(language),
            "works_council": self.works_council.pick(language),
            "assessment": self.assessment.pick(language),
            "at_least": self.at_least.pick(language),
            "at_most": self.at_most.pick(language),
            "listeners": self.listeners.pick(language),
            "against_staff": self.against_staff.pick(language),
            "valid_from": self.valid_from,
        })
    }
}
