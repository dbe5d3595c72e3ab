//! `voicelog serve`: the server, until a signal stops it.

use crate::clock::SystemClock;
use crate::server::Server;
use crate::{Context, Ended, line_words, print, wiring};
use anyhow::Result;
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;
use tracing_subscriber::EnvFilter;
use voicelog_archive::Recovery;
use voicelog_model::{Clock, Language};

/// What `serve` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Start although the last entry of the log is of a later moment than the clock's: the clock was
    /// ahead then, and is right now.
    #[arg(long)]
    clock_was_ahead: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Ended> {
    start_messages();
    let clock = Arc::new(SystemClock::default());
    let mut config = wiring::config(context, clock.now())?;
    config.clock_was_ahead = args.clock_was_ahead;
    let mut server = Server::start(&config, &clock)?;
    announce(&server, &config, context.lang);
    if let Err(error) = server.wait_for_signal() {
        // The calls that can still be closed are closed; the service starts us again.
        server.stop(Duration::ZERO);
        return Err(error);
    }
    print::say(
        context.lang,
        "Stoppen: lopende gesprekken worden afgemaakt. Nog een signaal stopt meteen.",
        "Stopping: calls in progress are being finished. Another signal stops at once.",
    );
    server.stop(Duration::from_secs(config.sip.drain_seconds));
    print::say(context.lang, "Gestopt.", "Stopped.");
    Ok(Ended::Done)
}

/// Messages for operators go to standard error: ids and counts, never personal data. The level is
/// fixed: what libraries say at finer levels (whole messages, addresses) may be personal.
pub(crate) fn start_messages() {
    let filter = EnvFilter::new("info");
    let started = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(filter)
        .with_target(false)
        .try_init();
    if started.is_err() {
        // Somebody set up messages before us; theirs will do.
    }
}

/// How many house rules stand beside the law.
fn announce_house_rules(config: &crate::config::Config, lang: Language) {
    if let (Some(rules), Some(folder)) = (&config.law.rules, &config.law.house_rules) {
        let (count, folder) = (rules.len() as u64, folder.display());
        print::line(match lang {
            Language::Nl => {
                let rules = print::count(count, "huisregel", "huisregels");
                format!("Regels:    de wet, en {rules} uit {folder}")
            }
            Language::En => {
                let rules = print::count(count, "house rule", "house rules");
                format!("Rules:     the law, and {rules} from {folder}")
            }
        });
    }
}

/// What each line does, so that a slip in the configuration is seen before a call is missed.
fn announce_lines(config: &crate::config::Config, lang: Language) {
    for line in &config.lines {
        let word = lang.pick("Lijn:      ", "Line:      ");
        print::line(format!("{word}{}", line_words::in_words(line, lang)));
    }
    for room in &config.rooms {
        let word = lang.pick("Ruimte:    ", "Room:      ");
        print::line(format!("{word}{}", room.in_words()));
    }
    if config.lines.is_empty() && config.rooms.is_empty() {
        print::say(
            lang,
            "Let op:    er is nog geen lijn ingesteld, dus er wordt niets opgenomen. Zie ref/config.md.",
            "Note:      no line is set up yet, so nothing will be recorded. See ref/config.md.",
        );
    }
}

fn announce(server: &Server, config: &crate::config::Config, lang: Language) {
    let data = wiring::data_path(config);
    let udp = server.recorder.udp_address();
    let tcp = server.recorder.tcp_address();
    let tls = server.recorder.tls_address();
    print::line(match lang {
        Language::Nl => format!("Gegevens:  {}", data.display()),
        Language::En => format!("Data:      {}", data.display()),
    });
    for (name, address) in [("SIP/UDP", udp), ("SIP/TCP", tcp), ("SIP/TLS", tls)] {
        if let Some(address) = address {
            print::line(format!("{name}:   {address}"));
        }
    }
    match config.http.is_over_tls() {
        false => print::line(format!("HTTP:      http://{}/", server.http)),
        true => print::line(format!("HTTPS:     {}/", server.public_url)),
    }
    if let Some(fingerprint) = &server.authority {
        print::line(match lang {
            Language::Nl => format!(
                "Het certificaat is van onszelf; op {}/authority staat hoe een telefoon het leert vertrouwen. Vingerafdruk: {fingerprint}",
                server.public_url
            ),
            Language::En => format!(
                "The certificate is our own; {}/authority says how a phone comes to trust it. Fingerprint: {fingerprint}",
                server.public_url
            ),
        });
    }
    announce_house_rules(config, lang);
    announce_lines(config, lang);
    let recovery = &server.recovery;
    let count = recovery.interrupted.len() + recovery.closed.len() + recovery.waiting.len();
    if count > 0 {
        print::line(match lang {
            Language::Nl => {
                format!("Hersteld:  {count} gesprekken van voor de herstart zijn afgesloten")
            }
            Language::En => format!("Recovered: {count} calls from before the restart were closed"),
        });
    }
    for (id, why) in &recovery.damaged {
        print::warn(format!(
            "voicelog: {id} could not be taken to its end: {why}"
        ));
    }
    warn_of_keys(recovery, lang);
    if let Some(path) = &server.setup_path {
        print::line(match lang {
            Language::Nl => format!("Eenmalige link om te beginnen: {}{path}", server.public_url),
            Language::En => format!("One-time link to begin: {}{path}", server.public_url),
        });
    }
    print::say(lang, "Klaar; stop met Ctrl-C.", "Ready; stop with Ctrl-C.");
}

/// What nobody can open, and what this server cannot.
fn warn_of_keys(recovery: &Recovery, lang: Language) {
    let waiting = recovery.waiting_for_key.len() as u64;
    if waiting > 0 {
        print::warn(match lang {
            Language::Nl => format!(
                "voicelog: {} op de hoofdsleutel; stop de server en maak ze af met `voicelog keys finish`, waar die sleutel is",
                print::count(
                    waiting,
                    "afgebroken opname wacht",
                    "afgebroken opnamen wachten"
                )
            ),
            Language::En => format!(
                "voicelog: {} for the master key; stop the server and finish them with `voicelog keys finish`, where that key is",
                print::count(
                    waiting,
                    "recording that was cut off waits",
                    "recordings that were cut off wait"
                )
            ),
        });
    }
    let lost = recovery.without_key.len() as u64;
    if lost > 0 {
        print::warn(match lang {
            Language::Nl => format!(
                "voicelog: {}: niemand kan ze openen. Zet de map `keys` terug uit een reservekopie; \
                 `voicelog check` noemt ze",
                print::count(
                    lost,
                    "opname mist haar gegevenssleutel",
                    "opnamen missen hun gegevenssleutel"
                )
            ),
            Language::En => format!(
                "voicelog: {}: nobody can open them. Put back the folder `keys` from a backup; \
                 `voicelog check` names them",
                print::count(
                    lost,
                    "recording lacks its data key",
                    "recordings lack their data key"
                )
            ),
        });
    }
}
