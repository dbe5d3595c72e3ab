//! The breach clock: what a personal data breach asks, and until when (AVG 33 and 34, UAVG 42).
//!
//! A leak is no act that somebody may do or not do, so no rule permits or forbids it. What follows
//! from it is counted from the moment at which the organisation became aware.

use crate::decision::{Duty, Outcome, Status};
use crate::text::{Bilingual, Text};
use serde::{Deserialize, Serialize};
use voicelog_model::Timestamp;

/// The time within which the authority is told: 72 hours, in microseconds (AVG 33 lid 1).
const REPORT_WITHIN: i64 = 72 * 3_600 * 1_000_000;

/// What is known of a breach. What is missing is not known, and then the duty stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Breach {
    /// When the organisation became aware of it.
    pub aware_at: Timestamp,
    /// Whose breach it is.
    #[serde(default)]
    pub role: BreachRole,
    /// The risk to the people concerned, once somebody has judged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<BreachRisk>,
    /// Whether nobody who got the data can read them, because they are encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<bool>,
    /// Whether it is a financial undertaking under the Wft, which need not tell the people.
    #[serde(default)]
    pub financial_undertaking: bool,
}

/// Who has the breach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreachRole {
    /// The organisation that decides on the recordings.
    #[default]
    Controller,
    /// Who keeps them for another.
    Processor,
}

/// The risk to the people concerned. A person judges it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreachRisk {
    /// A risk is unlikely.
    Unlikely,
    /// There is a risk.
    Likely,
    /// There is a high risk.
    High,
}

/// One duty that follows, with its moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreachDuty {
    /// Who must do what. `met` is not known here: the log of breaches tells.
    pub duty: Duty,
    /// The last moment, where the law gives a number of hours.
    pub due: Option<Timestamp>,
}

impl BreachDuty {
    /// Whether the last moment has passed.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.due.is_some_and(|due| due < now)
    }
}

impl Breach {
    /// What has to be done is the outcome of every breach.
    pub const OUTCOME: Outcome = Outcome::PermittedWithDuties;

    /// Every duty, the most urgent first; never none.
    #[must_use]
    pub fn duties(&self) -> Vec<BreachDuty> {
        let at_once = |duty| BreachDuty { duty, due: None };
        let mut duties = Vec::new();
        if self.role == BreachRole::Processor {
            // Judging, reporting and logging are the controller's (AVG 33 lid 1 and lid 5).
            duties.push(at_once(TELL_CONTROLLER.duty()));
            return duties;
        }
        if self.risk.is_none() {
            duties.push(at_once(JUDGE_RISK.duty()));
        }
        if self.risk != Some(BreachRisk::Unlikely) {
            let due = Some(self.aware_at.plus_micros(REPORT_WITHIN));
            let duty = REPORT.duty();
            duties.push(BreachDuty { duty, due });
        }
        if self.must_tell_people() {
            duties.push(at_once(TELL_PEOPLE.duty()));
        }
        duties.push(at_once(LOG.duty()));
        duties
    }

    /// AVG 34 lid 1 and lid 3 a, UAVG 42. What nobody has judged yet may be a high risk.
    fn must_tell_people(&self) -> bool {
        let may_be_high = matches!(self.risk, None | Some(BreachRisk::High));
        may_be_high && self.unreadable != Some(true) && !self.financial_undertaking
    }
}

/// Every one of these is proven in the same place.
const PROOF: Bilingual = Bilingual {
    nl: "de regel in het overzicht van datalekken, met dag en uur",
    en: "the entry in the log of breaches, with day and hour",
};

/// A duty as it is written down here.
struct Written {
    what: &'static str,
    who: &'static str,
    by: &'static str,
    articles: &'static [&'static str],
    text: Bilingual,
}

impl Written {
    fn duty(&self) -> Duty {
        Duty {
            rule: format!("avg.33.{}", self.what),
            who: self.who.to_owned(),
            what: self.what.to_owned(),
            by: self.by.to_owned(),
            met: None,
            articles: self.articles.iter().map(|text| (*text).into()).collect(),
            status: Status::Verified,
            text: Text::from(self.text),
            proof: Some(Text::from(PROOF)),
        }
    }
}

const JUDGE_RISK: Written = Written {
    what: "judge_risk",
    who: "controller",
    by: "at_once",
    articles: &["AVG 33 lid 1"],
    text: Bilingual {
        nl: "Beoordeel nu hoe groot het risico is voor de mensen om wie het gaat. Zolang dat niet vaststaat, telt het als hoog.",
        en: "Judge now how great the risk is for the people concerned. As long as that is not settled it counts as high.",
    },
};

const REPORT: Written = Written {
    what: "report_to_authority",
    who: "controller",
    by: "PT72H",
    articles: &["AVG 33 lid 1"],
    text: Bilingual {
        nl: "Meld het lek bij de Autoriteit Persoonsgegevens, binnen 72 uur nadat u ervan wist.",
        en: "Report the breach to the data protection authority (AP) within 72 hours after you became aware.",
    },
};

const TELL_PEOPLE: Written = Written {
    what: "tell_people",
    who: "controller",
    by: "at_once",
    articles: &["AVG 34 lid 1", "AVG 34 lid 3 a", "UAVG 42"],
    text: Bilingual {
        nl: "Vertel het de mensen om wie het gaat, in gewone taal, als het risico voor hen hoog is.",
        en: "Tell the people concerned, in plain words, where the risk to them is high.",
    },
};

const TELL_CONTROLLER: Written = Written {
    what: "tell_controller",
    who: "processor",
    by: "at_once",
    articles: &["AVG 33 lid 2"],
    text: Bilingual {
        nl: "Vertel het meteen aan de organisatie voor wie u de opnamen bewaart; die meldt het.",
        en: "Tell the organisation for which you keep the recordings at once; it reports the breach.",
    },
};

const LOG: Written = Written {
    what: "log_breach",
    who: "controller",
    by: "always",
    articles: &["AVG 33 lid 5"],
    text: Bilingual {
        nl: "Leg het lek vast in uw eigen overzicht: wat er gebeurde, de gevolgen en wat u deed. Ook een lek dat u niet meldt.",
        en: "Put the breach in your own log: what happened, its effects and what you did. Also a breach that you do not report.",
    },
};

#[cfg(test)]
mod tests {
    use super::*;

    fn aware() -> Timestamp {
        "2026-11-20T09:00:00Z".parse().unwrap()
    }

    fn breach(json: &str) -> Breach {
        let json = json.replacen('{', r#"{"aware_at":"2026-11-20T09:00:00Z","#, 1);
        serde_json::from_str(&json.replace(",}", "}")).unwrap()
    }

    fn what(breach: &Breach) -> Vec<String> {
        let duties = breach.duties().into_iter();
        duties.map(|duty| duty.duty.what).collect()
    }

    #[test]
    fn c83_hacked_recordings_are_reported_within_72_hours_and_logged() {
        let hacked = breach(r#"{"risk":"high"}"#);
        assert_eq!(
            what(&hacked),
            ["report_to_authority", "tell_people", "log_breach"]
        );
        let report = hacked.duties().remove(0);
        let due = "2026-11-23T09:00:00Z".parse().unwrap();
        assert_eq!(report.due, Some(due));
        assert!(!report.is_over(due) && report.is_over(due.plus_micros(1)));
        assert!(!report.is_over(aware()));
        assert_eq!(Breach::OUTCOME, Outcome::PermittedWithDuties);
    }

    #[test]
    fn people_are_not_told_of_data_nobody_can_read_nor_by_financial_undertakings() {
        for exempt in [
            r#"{"risk":"high","unreadable":true}"#,
            r#"{"risk":"high","financial_undertaking":true}"#,
            r#"{"risk":"likely"}"#,
        ] {
            assert_eq!(
                what(&breach(exempt)),
                ["report_to_authority", "log_breach"],
                "{exempt}"
            );
        }
    }

    #[test]
    fn a_risk_that_nobody_judged_counts_as_high_and_an_unlikely_one_is_only_logged() {
        assert_eq!(
            what(&breach("{}")),
            [
                "judge_risk",
                "report_to_authority",
                "tell_people",
                "log_breach"
            ]
        );
        assert_eq!(what(&breach(r#"{"risk":"unlikely"}"#)), ["log_breach"]);
    }

    #[test]
    fn a_processor_tells_the_controller_at_once() {
        assert_eq!(
            what(&breach(r#"{"role":"processor","risk":"high"}"#)),
            ["tell_controller"]
        );
    }
}
