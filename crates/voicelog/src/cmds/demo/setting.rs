//! The installation that the demo plays on: two lines of one company.

use crate::config::Config;
use anyhow::{Context as _, Result};
use std::path::Path;
use voicelog_model::Timestamp;

/// Line whose calls begin with a notice.
pub(crate) const WITH_NOTICE: &str = "verkoop";
/// The same line, with the notice left out.
pub(crate) const WITHOUT_NOTICE: &str = "verkoop-zonder-melding";

const SERVER: &str = r#"
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
"#;

/// The line that `ref/config.md` shows.
const FACTS: &str = include_str!("../../../../../ref/line-facts.toml");

/// The demo's configuration, with free ports on loopback.
pub(crate) fn config(data: &Path, now: Timestamp) -> Result<Config> {
    let mut config = Config::parse(&format!("{SERVER}{FACTS}"), now)?;
    config.storage.data = data.to_owned();
    let with_notice = config.lines.first().context("the demo has no line")?;
    let mut without = with_notice.clone();
    without.name = WITHOUT_NOTICE.to_owned();
    without.title = "Verkoop, zonder melding".to_owned();
    without.facts.insert("openness".to_owned(), "covert".into());
    without.facts.remove("announcement");
    config.lines.push(without);
    Ok(config)
}
