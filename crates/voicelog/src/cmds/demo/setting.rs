//! The installation that the demo plays on: two lines of one company.

use crate::config::Config;
use anyhow::Result;
use std::path::Path;
use voicelog_model::Timestamp;

/// Line whose calls begin with a notice.
pub(crate) const WITH_NOTICE: &str = "verkoop";
/// The same line, with the notice left out.
pub(crate) const WITHOUT_NOTICE: &str = "verkoop-zonder-melding";

const LINES: &str = r#"
[sip]
udp = "127.0.0.1:0"
tcp = "127.0.0.1:0"
media_port_first = 0
media_port_last = 0

[http]
address = "127.0.0.1:0"

[storage]
keep_free_mib = 16

[retention]
sweep_minutes = 0

[[line]]
name = "verkoop"
title = "Verkoop"
own_domains = ["voorbeeld.example"]
[line.facts]
recorder_type = "company"
counterpart_types = ["private_person"]
participation = "participant"
openness = "announced"
announcement = { text_id = "verkoop-1", language = "nl" }
purpose = "bewijs_overeenkomst"
legal_basis = "b"
structural = "all"
staff_informed = "each_call_signal"
or_status = "consented"
dpia = "done"
private_use_possible = true
retention_term = "P5Y"

[[line]]
name = "verkoop-zonder-melding"
title = "Verkoop, zonder melding"
own_domains = ["voorbeeld.example"]
[line.facts]
recorder_type = "company"
counterpart_types = ["private_person"]
participation = "participant"
openness = "covert"
purpose = "bewijs_overeenkomst"
legal_basis = "b"
structural = "all"
staff_informed = "each_call_signal"
or_status = "consented"
dpia = "done"
private_use_possible = true
retention_term = "P5Y"
"#;

/// The demo's configuration, with free ports on loopback.
pub(crate) fn config(data: &Path, now: Timestamp) -> Result<Config> {
    let mut config = Config::parse(LINES, now)?;
    config.storage.data = data.to_owned();
    Ok(config)
}
