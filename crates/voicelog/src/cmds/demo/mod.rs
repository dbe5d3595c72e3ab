//! `voicelog demo`: the main job on one machine, with real SIP and RTP over loopback.
//!
//! Five things are shown, and each is checked by its own means; `--once` ends with status 0 only
//! if all five held.

mod calls;
mod proof;
mod setting;
mod thief;

use crate::clock::SystemClock;
use crate::print::{self, Tone};
use crate::server::Server;
use crate::{BadInput, Context, Ended};
use anyhow::{Context as _, Result};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use voicelog_model::{Clock, Language, RecordingId};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// End by itself when all is shown.
    #[arg(long)]
    once: bool,
    /// Leave the archive and the bundle in this folder.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// What the steps share.
pub(crate) struct Stage {
    pub(crate) server: Server,
    pub(crate) clock: Arc<SystemClock>,
    pub(crate) lang: Language,
    pub(crate) folder: PathBuf,
}

impl Stage {
    /// Prints one line of a step.
    pub(crate) fn tell(&self, nl: impl AsRef<str>, en: impl AsRef<str>) {
        print::line(format!(
            "      {}",
            self.lang.pick(nl.as_ref(), en.as_ref())
        ));
    }

    /// Prints whether something holds, and passes it on.
    pub(crate) fn check(&self, holds: bool, nl: impl AsRef<str>, en: impl AsRef<str>) -> bool {
        let (tone, mark) = if holds {
            (Tone::Good, "✔")
        } else {
            (Tone::Bad, "✘")
        };
        let text = self.lang.pick(nl.as_ref(), en.as_ref());
        print::line(format!("    {} {text}", print::tone(tone, mark)));
        holds
    }

    fn title(&self, number: u8, nl: &str, en: &str) {
        let title = format!("[{number}/5] {}", self.lang.pick(nl, en));
        print::line(format!("\n{}", print::tone(Tone::Strong, &title)));
    }

    /// The recording that a call just made: the newest one.
    pub(crate) fn newest(&self) -> Result<RecordingId> {
        let (rows, _next) = self.server.archive.list(&Default::default(), None, 1)?;
        Ok(rows.first().context("the archive holds no recording")?.id)
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Ended> {
    if context.data.is_some() || context.config.is_some() {
        return Err(BadInput(
            "the demo makes an archive of its own: it takes no --data and no --config; \
             --keep DIR leaves its archive and bundle in a folder"
                .to_owned(),
        )
        .into());
    }
    let folder = folder(args)?;
    let clock = Arc::new(SystemClock::default());
    let config = setting::config(&folder.join("data"), clock.now())?;
    let server = Server::start(&config, &clock)?;
    let mut stage = Stage {
        server,
        clock,
        lang: context.lang,
        folder: folder.clone(),
    };
    introduce(&stage);
    let held = play(&stage)?;
    print::line(String::new());
    stage.check(
        held,
        if held {
            "Alle vijf kloppen."
        } else {
            "NIET alles klopt; zie hierboven."
        },
        if held {
            "All five held."
        } else {
            "NOT all of it held; see above."
        },
    );
    if !args.once {
        stay(&mut stage)?;
    }
    // What is kept is used by the machine's own clock, which lies years behind what the demo wrote.
    let archive = &stage.server.archive;
    archive.confirm_clock(SystemClock::default().now())?;
    stage.server.stop(Duration::from_secs(2));
    if args.keep.is_none() {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot remove `{}`", folder.display()))?;
    } else {
        let place = folder.display();
        print::say(
            context.lang,
            &format!("Bewaard in {place}"),
            &format!("Kept in {place}"),
        );
    }
    Ok(if held { Ended::Done } else { Ended::Failed })
}

/// Where the demo works: the folder to keep, or one that goes away.
fn folder(args: &Args) -> Result<PathBuf> {
    let folder = match &args.keep {
        Some(folder) => folder.clone(),
        None => {
            let name = u64::from_be_bytes(voicelog_archive::random::bytes()?);
            std::env::temp_dir().join(format!("voicelog-demo-{name:016x}"))
        }
    };
    if folder.join("data").exists() {
        return Err(anyhow::Error::new(BadInput(format!(
            "`{}` holds an archive already; give --keep an empty folder",
            folder.display()
        ))));
    }
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
    Ok(folder)
}

fn introduce(stage: &Stage) {
    let address = stage
        .server
        .recorder
        .udp_address()
        .map(|a| a.to_string())
        .unwrap_or_default();
    stage.tell(
        format!(
            "DEMO: geen echte gegevens. De stemmen zijn van een spraakprogramma. SIP op {address}."
        ),
        format!("DEMO: no real data. The voices are synthetic. SIP on {address}."),
    );
}

/// The five steps. A step that fails with an error counts as not held, and the next one goes on
/// where it can.
fn play(stage: &Stage) -> Result<bool> {
    stage.title(
        1,
        "Verkoopgesprek, melding gegeven, doel: bewijs van een afspraak",
        "A sales call, notice given, purpose: evidence of an agreement",
    );
    let first = calls::announced(stage)?;
    stage.title(
        2,
        "Hetzelfde gesprek zonder melding",
        "The same call without notice",
    );
    let second = calls::unannounced(stage)?;
    stage.title(
        3,
        "Een deelnemer in Duitsland, zonder toestemming; die volgt tijdens het gesprek",
        "A participant in Germany without consent; it is given during the call",
    );
    let third = calls::germany(stage)?;
    stage.title(
        4,
        "De bewijsbundel van gesprek 1, los van de server nagerekend",
        "The evidence bundle of call 1, verified without the server",
    );
    let fourth = proof::bundle(stage, first.recording)?;
    stage.title(
        5,
        "Het einde van de bewaartermijn: vernietigd",
        "The end of the retention term: destroyed",
    );
    let fifth = proof::destruction(stage, first.recording)?;
    Ok(first.held && second && third && fourth && fifth)
}

fn stay(stage: &mut Stage) -> Result<()> {
    let path = stage.server.setup_path.as_deref().unwrap_or("/");
    let address = format!("http://{}{path}", stage.server.http);
    print::line(String::new());
    stage.tell(
        format!("Bekijk het op {address} (stop met Ctrl-C)"),
        format!("Look at it on {address} (stop with Ctrl-C)"),
    );
    stage.server.wait_for_signal()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_demo_would_ignore_is_refused() {
        let args = Args {
            once: true,
            keep: None,
        };
        let context = Context {
            lang: Language::Nl,
            data: Some(PathBuf::from("x")),
            config: None,
        };
        let error = run(&args, &context).unwrap_err();
        assert!(error.is::<BadInput>() && error.to_string().contains("--keep"));
    }
}
