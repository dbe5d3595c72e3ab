//! The configuration of this server: sockets, folders, limits, lines. One TOML file, strict: an
//! unknown key is an error that names the nearest known one.

use crate::http_config::Http;
use crate::imports::ImportConfig;
use crate::kinds::RoomKind;
use crate::master::Source;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use voicelog_archive::Line;
use voicelog_casework::site::Organisation;
use voicelog_casework::webhook::Secret;
use voicelog_law::{Facts, HouseRules};
use voicelog_model::Timestamp;

/// Everything that can be set. Every value has a default, so the file may be empty.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) storage: Storage,
    pub(crate) keys: KeysConfig,
    pub(crate) sip: Sip,
    pub(crate) pause: Pause,
    pub(crate) http: Http,
    pub(crate) retention: Retention,
    pub(crate) law: Law,
    pub(crate) log: Log,
    pub(crate) clock: ClockConfig,
    /// Backups.
    pub(crate) backup: BackupConfig,
    pub(crate) vcon: Vcon,
    /// Whose conversations they are, for the pages of its website.
    pub(crate) organisation: Organisation,
    pub(crate) import: ImportConfig,
    #[serde(rename = "webhook")]
    pub(crate) webhooks: Vec<Webhook>,
    #[serde(rename = "line")]
    pub(crate) lines: Vec<Line>,
    /// Kinds of talk in a room.
    #[serde(rename = "room")]
    pub(crate) rooms: Vec<RoomKind>,
    /// Said on the command line, once: the log may lie ahead of the clock.
    #[serde(skip)]
    pub(crate) clock_was_ahead: bool,
}

/// What is expected of whoever makes backups.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BackupConfig {
    /// After so many hours without a backup there is an alarm; 0 = none is expected.
    pub(crate) expected_every_hours: u32,
}

/// Which clock the machine's own is held against.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ClockConfig {
    /// A time server (NTP), `HOST` or `HOST:PORT`; none: nobody is asked.
    pub(crate) server: Option<String>,
}

/// Where data is kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Storage {
    /// The data folder.
    pub(crate) data: PathBuf,
    /// Below this much free space (MiB) new calls get 503.
    pub(crate) keep_free_mib: u64,
    /// Below this much free space (MiB) there is an alarm.
    pub(crate) warn_free_mib: u64,
}

/// The keys above the data keys.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct KeysConfig {
    /// Where the master key is; `secrets/master-key` in the data folder, if it is not said.
    pub(crate) master: Option<Source>,
    /// What the server has of the keys.
    pub(crate) recorder: RecorderKeys,
}

/// What the server has of the keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RecorderKeys {
    /// The master key: it records, and people listen in its pages.
    #[default]
    Full,
    /// Only the public key: it records, and opens nothing.
    Public,
}

/// Telephone side.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Sip {
    /// Address for SIP over UDP.
    pub(crate) udp: SocketAddr,
    /// Address for SIP over TCP.
    pub(crate) tcp: SocketAddr,
    /// Address for SIP over TLS; without it there is none.
    pub(crate) tls: Option<SocketAddr>,
    /// Our certificate, then those of its issuers (PEM).
    pub(crate) tls_certificate: Option<PathBuf>,
    /// Its private key (PEM).
    pub(crate) tls_key: Option<PathBuf>,
    /// Who may issue the certificates of clients (PEM); with it they must show one.
    pub(crate) tls_client_ca: Option<PathBuf>,
    /// Address that media is received on, as written in SDP.
    pub(crate) media_address: IpAddr,
    /// First port for media; 0 = any free port.
    pub(crate) media_port_first: u16,
    /// Last port for media.
    pub(crate) media_port_last: u16,
    /// Whether calls without any sign of SIPREC are taken as recording calls.
    pub(crate) accept_without_siprec: bool,
    /// Whether SRTP keys are taken from messages that did not come over TLS.
    pub(crate) srtp_keys_without_tls: bool,
    /// Calls in progress at once.
    pub(crate) calls_max: usize,
    /// Seconds that a clean shutdown waits for calls to end by themselves.
    pub(crate) drain_seconds: u64,
    /// Packets of a stream, of a hundred, that may be lost in ten seconds without an alarm.
    pub(crate) loss_percent: u64,
    /// Memory (MiB) for media that waits, of all calls together.
    pub(crate) waiting_mib: u64,
}

/// Pauses on our side.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Pause {
    /// Seconds that a pause lasts if nobody says otherwise and nobody ends it.
    pub(crate) seconds: u64,
    /// Seconds of the longest pause that may be asked for.
    pub(crate) seconds_max: u64,
}

/// The end of terms.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Retention {
    /// Minutes between two looks for recordings whose term has ended; 0 = only by command.
    pub(crate) sweep_minutes: u64,
    /// For how many months what was said in refusals of requests to record is kept.
    pub(crate) requests_months: u16,
}

/// What is asked besides the law.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Law {
    /// The folder with the organisation's own rules.
    pub(crate) house_rules: Option<PathBuf>,
    /// What that folder holds, once it was read.
    #[serde(skip)]
    pub(crate) rules: Option<HouseRules>,
}

/// Who signs vCons: the archive itself, where nothing is said.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Vcon {
    /// The organisation's private key, RSA or P-256 (PEM).
    pub(crate) key: Option<PathBuf>,
    /// Its certificate, then those of its issuers (PEM).
    pub(crate) certificate: Option<PathBuf>,
}

/// Who else vouches for the log.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Log {
    /// Who signs its checkpoints besides us.
    pub(crate) witnesses: Vec<Witness>,
    /// How many of them must have signed; all of them, if it is not said.
    pub(crate) quorum: Option<usize>,
    /// Who says when he saw a checkpoint.
    pub(crate) timestamp_authority: Option<TimestampAuthority>,
}

/// A timestamping authority.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TimestampAuthority {
    /// Where it is asked.
    pub(crate) url: String,
    /// By whose certificates its timestamps are believed (PEM).
    pub(crate) certificate: PathBuf,
    /// The policy that it must stamp under, in dots.
    #[serde(default)]
    pub(crate) policy: Option<String>,
    /// Whose certificates its server may show (PEM); else those that this machine believes.
    #[serde(default)]
    pub(crate) issuers: Option<PathBuf>,
    /// Plain HTTP to another machine. Timestamps protect themselves; what is asked is a hash.
    #[serde(default)]
    pub(crate) allow_http: bool,
}

/// A witness.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Witness {
    /// Where checkpoints are sent to.
    pub(crate) url: String,
    /// Its key, as it tells it.
    pub(crate) key: String,
    /// Whose certificates its server may show (PEM); else those that this machine believes.
    #[serde(default)]
    pub(crate) issuers: Option<PathBuf>,
    /// Plain HTTP to another machine.
    #[serde(default)]
    pub(crate) allow_http: bool,
}

/// Another system that is told what happens.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Webhook {
    /// Its name in messages and metrics.
    pub(crate) name: String,
    /// Where messages are posted.
    pub(crate) url: String,
    /// What both sides have.
    pub(crate) secret: Secret,
    /// What it wants to hear; everything, if nothing is named.
    #[serde(default)]
    pub(crate) events: Vec<String>,
    /// Whose certificates its server may show (PEM); else those that this machine believes.
    #[serde(default)]
    pub(crate) issuers: Option<PathBuf>,
    /// Plain HTTP to another machine.
    #[serde(default)]
    pub(crate) allow_http: bool,
}

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

impl Default for Storage {
    fn default() -> Self {
        Self {
            data: PathBuf::from("voicelog-data"),
            keep_free_mib: 512,
            warn_free_mib: 4_096,
        }
    }
}

impl Default for Sip {
    fn default() -> Self {
        Self {
            udp: SocketAddr::new(LOOPBACK, 5060),
            tcp: SocketAddr::new(LOOPBACK, 5060),
            tls: None,
            tls_certificate: None,
            tls_key: None,
            tls_client_ca: None,
            media_address: LOOPBACK,
            media_port_first: 20_000,
            media_port_last: 39_999,
            accept_without_siprec: false,
            srtp_keys_without_tls: false,
            calls_max: voicelog_model::limits::CALLS_MAX_DEFAULT,
            drain_seconds: 30,
            loss_percent: 5,
            waiting_mib: 512,
        }
    }
}

impl Default for Pause {
    fn default() -> Self {
        Self {
            seconds: 120,
            seconds_max: 900,
        }
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            sweep_minutes: 60,
            requests_months: 24,
        }
    }
}

impl Retention {
    /// The page of requests counts twelve months, and the one that goes on.
    fn check(&self) -> Result<()> {
        if !(13..=120).contains(&self.requests_months) {
            bail!(
                "retention.requests_months is {}: what was said in refusals of requests is kept for 13 to 120 months",
                self.requests_months
            );
        }
        Ok(())
    }
}

impl Config {
    /// Reads the file, or takes the defaults.
    pub(crate) fn load(path: Option<&Path>, now: Timestamp) -> Result<Self> {
        let Some(path) = path else {
            return Ok(Self::default());
        };
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the configuration `{}`", path.display()))?;
        Self::parse(&text, now).with_context(|| format!("in `{}`", path.display()))
    }

    /// Reads the text of a configuration and checks what types cannot.
    pub(crate) fn parse(text: &str, now: Timestamp) -> Result<Self> {
        let config: Self = match toml::from_str(text) {
            Ok(config) => config,
            Err(error) => bail!("{}", one_sentence(text, &error)),
        };
        config.check(now)?;
        Ok(config)
    }

    fn check(&self, now: Timestamp) -> Result<()> {
        if self.sip.media_port_first > self.sip.media_port_last {
            bail!(
                "sip.media_port_first ({}) is above sip.media_port_last ({})",
                self.sip.media_port_first,
                self.sip.media_port_last
            );
        }
        self.sip.check_calls()?;
        self.sip.check_tls()?;
        crate::webhooks::check(&self.webhooks)?;
        self.pause.check()?;
        self.retention.check()?;
        self.import.check(now)?;
        crate::vouching::Vouchers::read(&self.log)?;
        self.http.check()?;
        let mut names = std::collections::BTreeSet::new();
        for line in &self.lines {
            check_line(line, now)?;
            if !names.insert(line.name.to_ascii_lowercase()) {
                bail!(
                    "two lines are called `{}`; a name may stand once",
                    line.name
                );
            }
        }
        for room in &self.rooms {
            room.check(now)?;
            if !names.insert(room.name.to_ascii_lowercase()) {
                bail!(
                    "two lines or rooms are called `{}`; recordings are listed by that name, so it may stand once",
                    room.name
                );
            }
        }
        let mut defaults = self.lines.iter().filter(|line| line.is_default);
        if let (Some(first), Some(second)) = (defaults.next(), defaults.next()) {
            bail!(
                "line `{}` and line `{}` both have default = true; one line takes the calls that name no line",
                first.name,
                second.name
            );
        }
        Ok(())
    }
}

impl Pause {
    /// A pause has an end, or what follows it would be lost by oversight.
    fn check(&self) -> Result<()> {
        const DAY: u64 = 86_400;
        if self.seconds == 0 || self.seconds > self.seconds_max || self.seconds_max > DAY {
            bail!(
                "pause.seconds ({}) and pause.seconds_max ({}): from 1 up, the second not below the first and at most a day ({DAY})",
                self.seconds,
                self.seconds_max
            );
        }
        Ok(())
    }
}

impl Sip {
    /// A server that takes no call at all is a mistake, not a wish.
    fn check_calls(&self) -> Result<()> {
        if self.calls_max == 0 {
            bail!(
                "sip.calls_max is 0: every call would be turned away; give the number of calls at once"
            );
        }
        Ok(())
    }

    /// An address needs a certificate and its key, and a file without an address does nothing.
    fn check_tls(&self) -> Result<()> {
        let needed = [
            ("sip.tls_certificate", &self.tls_certificate),
            ("sip.tls_key", &self.tls_key),
        ];
        let (is_on, allowed) = (
            self.tls.is_some(),
            ("sip.tls_client_ca", &self.tls_client_ca),
        );
        for (key, file) in needed {
            if is_on && file.is_none() {
                bail!("sip.tls is set and {key} is not: name its file, in PEM");
            }
        }
        for (key, file) in needed.into_iter().chain([allowed]) {
            if !is_on && file.is_some() {
                bail!(
                    "{key} is set and sip.tls is not: give the address to listen on, such as \"10.0.0.5:5061\", or take the file out"
                );
            }
        }
        Ok(())
    }
}

/// Whatever would fail at every call on the line.
fn check_line(line: &Line, now: Timestamp) -> Result<()> {
    let name = &line.name;
    if name.is_empty() {
        bail!("a line has no name; give it the user part of the address that is called");
    }
    // RFC 3261 section 25.1: what a user part holds without being escaped.
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,".contains(&byte);
    if !name.bytes().all(is_name) {
        bail!(
            "line `{name}`: name is the user part of the address that is called, `sip:NAME@server`: letters, digits, `-`, `_`, `.` or `+`, without spaces, such as `verkoop`"
        );
    }
    let of_country = [
        ("requested_action".to_owned(), "record".into()),
        ("countries".to_owned(), vec![line.country.clone()].into()),
    ];
    Facts::from_map(&of_country.into_iter().collect(), now)
        .map_err(|error| anyhow::anyhow!("line `{name}`: country: {error}"))?;
    crate::lines::check(line, now)
}

/// One sentence: the place, what is wrong, and the nearest key where one is unknown.
fn one_sentence(text: &str, error: &toml::de::Error) -> String {
    let line = error
        .span()
        .and_then(|span| text.get(..span.start))
        .map_or(1, |before| before.matches('\n').count() + 1);
    let message = in_plain_words(&error.message().replace('\n', " "));
    let mut quoted = message.split('`').skip(1).step_by(2);
    let hint = match quoted.next() {
        // It was one of the server's once, and is each line's own now.
        Some("keep_keys") if message.starts_with("unknown field") => Some(format!(
            "line {line}: `keep_keys` is a setting of a `[[line]]`: write it under the line for whose purpose the digits are needed"
        )),
        Some(unknown) if message.starts_with("unknown field") => quoted
            .max_by(|a, b| {
                strsim::jaro_winkler(unknown, a).total_cmp(&strsim::jaro_winkler(unknown, b))
            })
            .map(|nearest| {
                format!("line {line}: `{unknown}` is no key here; did you mean `{nearest}`?")
            }),
        _ => None,
    };
    hint.unwrap_or_else(|| format!("line {line}: {message}"))
}

/// What the parser says in the words of a programmer, said with an example.
fn in_plain_words(message: &str) -> String {
    if message == "invalid socket address syntax" {
        return "this is no address with a port, such as \"127.0.0.1:5060\" or \"[::1]:5060\"; write the address, not its name".to_owned();
    }
    if message == "invalid IP address syntax" {
        return "this is no address, such as \"10.0.0.5\" or \"2001:db8::5\"; write the address, not its name".to_owned();
    }
    let Some((found, expected)) = message.split_once(", expected ") else {
        return message.to_owned();
    };
    let most = match expected {
        "u16" => " up to 65535",
        "u64" | "usize" => "",
        _ => return message.to_owned(),
    };
    format!("{found}; a whole number from 0{most} is expected")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages_acme::AcmeConfig;

    fn parse(text: &str) -> Result<Config> {
        Config::parse(text, Timestamp::from_micros(1_790_000_000_000_000))
    }

    #[test]
    fn an_empty_file_is_a_whole_configuration() {
        assert_eq!(parse("").unwrap().http.address.port(), 8080);
    }

    #[test]
    fn the_documented_values_are_the_defaults_and_the_documented_line_is_the_example() {
        let document = include_str!("../../../ref/config.md");
        let blocks: Vec<&str> = document
            .split("```toml\n")
            .skip(1)
            .filter_map(|rest| rest.split("```").next())
            .collect();
        let [all, acme, webhook, witnesses, authority, folder, line, room] = blocks[..] else {
            panic!("{} blocks", blocks.len())
        };
        let (all, defaults) = (parse(all).unwrap(), Config::default());
        assert_eq!(format!("{all:?}"), format!("{defaults:?}"));
        let named = parse(acme).unwrap().http.acme.unwrap();
        assert_eq!(named.directory, AcmeConfig::default().directory);
        // Their keys and files are somebody else's.
        assert!(witnesses.contains("witnesses = [") && authority.contains("timestamp_authority"));
        assert_eq!(parse(webhook).unwrap().webhooks.len(), 1);
        assert_eq!(parse(folder).unwrap().import.folders.len(), 1);
        assert_eq!(parse(room).unwrap().rooms.len(), 1);
        let three = include_str!("../../../examples/room/voicelog.toml");
        assert_eq!(parse(three).unwrap().rooms.len(), 3);
        let example = include_str!("../../../ref/line-facts.toml");
        let example = format!("[[line]]\nname = \"verkoop\"\n[line.facts]\n{example}");
        let (line, example) = (parse(line).unwrap(), parse(&example).unwrap());
        assert_eq!(line.lines[0].facts, example.lines[0].facts);
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_the_nearest_known_key() {
        let error = parse("[sip]\nupd = \"127.0.0.1:5060\"\n")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("line 2") && error.contains("`upd`") && error.contains("`udp`"),
            "{error}"
        );
    }

    #[test]
    fn keep_keys_where_it_once_stood_is_refused_and_where_it_stands_now_is_said() {
        let error = parse("[sip]\nkeep_keys = true\n").unwrap_err().to_string();
        assert!(
            error.contains("line 2") && error.contains("`[[line]]`") && !error.contains("tls_key"),
            "{error}"
        );
        let config = parse("[[line]]\nname = \"a\"\nkeep_keys = true\n").unwrap();
        assert!(config.lines[0].keep_keys);
    }

    #[test]
    fn a_fact_that_does_not_exist_is_refused_before_the_first_call() {
        let error =
            parse("[[line]]\nname = \"a\"\n[line.facts]\npurpos = \"klacht\"\n").unwrap_err();
        assert!(error.to_string().contains("purpose"), "{error}");
    }

    #[test]
    fn what_would_fail_at_every_call_is_refused_at_the_start() {
        let of = |text: &str| parse(text).unwrap_err().to_string();
        let error = of("[[line]]\nname = \"a\"\ncountry = \"nl\"\n");
        assert!(
            error.contains("line `a`: country") && error.contains("NL"),
            "{error}"
        );
        let error = of("[[line]]\nname = \"a\"\ncountry = \"XX\"\n");
        assert!(error.contains("`XX`"), "{error}");
        let error =
            of("[[line]]\nname = \"a\"\ndefault = true\n[[line]]\nname = \"b\"\ndefault = true\n");
        assert!(error.contains("`a` and line `b`"), "{error}");
        let error = of("[retention]\nrequests_months = 12\n");
        assert!(error.contains("13 to 120"), "{error}");
        let error = of("[[line]]\nname = \"v v\"\n");
        assert!(error.contains("sip:NAME@server"), "{error}");
        for told in ["requested_action = \"listen\"", "countries = [\"NL\"]"] {
            let error = of(&format!("[[line]]\nname = \"a\"\n[line.facts]\n{told}\n"));
            assert!(error.contains("take it out"), "{error}");
        }
    }

    #[test]
    fn a_wrong_value_is_answered_with_a_right_one() {
        let of = |text: &str| parse(text).unwrap_err().to_string();
        let error = of("[sip]\nudp = \"localhost:5060\"\n");
        assert!(
            error.contains("line 2") && error.contains("127.0.0.1:5060"),
            "{error}"
        );
        let error = of("[sip]\nmedia_address = \"localhost\"\n");
        assert!(error.contains("10.0.0.5"), "{error}");
        let error = of("[sip]\ncalls_max = 0\n");
        assert!(error.contains("every call"), "{error}");
        let error = of("[sip]\ncalls_max = -1\n");
        assert!(
            error.contains("whole number") && !error.contains("expected u"),
            "{error}"
        );
        let error = of("[sip]\nmedia_port_first = 70000\n");
        assert!(error.contains("65535"), "{error}");
    }

    #[test]
    fn a_webhook_is_checked_before_the_first_message_and_its_secret_is_never_shown() {
        let secret = "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
        let of = |more: &str| {
            parse(&format!(
                "[[webhook]]\nname = \"beheer\"\nurl = \"https://a.nl/x\"\nsecret = \"{secret}\"\n{more}"
            ))
        };
        let config = of("events = [\"alarm.raised\"]").unwrap();
        assert!(!format!("{config:?}").contains("BwcH"));
        for (wrong, told) in [
            (of("events = [\"alarm.razed\"]"), "alarm.raised"),
            (
                of("[[webhook]]\nname = \"beheer\"\nurl = \"https://a.nl\"\nsecret = \"x\""),
                "whsec_",
            ),
            (
                parse(&format!(
                    "[[webhook]]\nname = \"a b\"\nurl = \"https://a.nl\"\nsecret = \"{secret}\""
                )),
                "letters",
            ),
            (
                parse(&format!(
                    "[[webhook]]\nname = \"a\"\nurl = \"http://a.nl\"\nsecret = \"{secret}\""
                )),
                "allow_http",
            ),
        ] {
            let error = wrong.unwrap_err().to_string();
            assert!(error.contains(told) && !error.contains("BwcH"), "{error}");
        }
    }

    #[test]
    fn an_address_for_tls_goes_with_certificate_and_key_and_neither_goes_without_it() {
        let of = |text: &str| parse(&format!("[sip]\n{text}")).map(|_config| ());
        let (address, certificate) = ("tls = \"10.0.0.5:5061\"\n", "tls_certificate = \"c\"\n");
        let (key, client_ca) = ("tls_key = \"k\"\n", "tls_client_ca = \"r\"\n");
        assert!(of(&[address, certificate, key].concat()).is_ok());
        assert!(of(&[address, certificate, key, client_ca].concat()).is_ok());
        for (parts, missing) in [
            ([address, certificate], "sip.tls_key is not"),
            ([address, key], "sip.tls_certificate is not"),
            ([certificate, key], "sip.tls is not"),
            ([client_ca, ""], "sip.tls is not"),
        ] {
            let error = of(&parts.concat()).unwrap_err().to_string();
            assert!(error.contains(missing), "{error}");
        }
    }

    #[test]
    fn a_pause_without_an_end_is_refused() {
        for wrong in ["seconds = 0", "seconds_max = 60", "seconds_max = 100000"] {
            let error = parse(&format!("[pause]\n{wrong}\n"))
                .unwrap_err()
                .to_string();
            assert!(error.contains("pause.seconds_max"), "{error}");
        }
        assert!(parse("[pause]\nseconds = 30\nseconds_max = 30\n").is_ok());
    }

    #[test]
    fn ports_the_wrong_way_round_are_refused() {
        assert!(parse("[sip]\nmedia_port_first = 9\nmedia_port_last = 8\n").is_err());
    }
}
