//! The binary: command line, configuration, wiring. No logic.

mod clock;
mod clock_watch;
mod cmds;
mod config;
mod data_folder;
mod house;
mod http_config;
mod imports;
mod key_ring;
mod key_watch;
mod kinds;
mod limited;
mod line_terms;
mod line_words;
mod lines;
mod master;
mod notices;
mod pages_acme;
mod pages_tls;
mod pauses;
mod print;
mod secrets_file;
mod server;
mod vcon_signer;
mod vouching;
mod webhooks;
mod wiring;
mod wishes;

use clap::{Parser, Subcommand};
use nix::sys::prctl::set_dumpable;
use nix::sys::resource::{Resource, setrlimit};
use std::path::PathBuf;
use std::process::ExitCode;
use voicelog_model::Language;

/// What a command ended with; the numbers are part of the contract (design of the command line).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Done.
    Done,
    /// It failed, or what was checked does not hold.
    Failed,
    /// The input is wrong; what is wrong with it is on standard output.
    Wrong,
    /// Refused by the law or by a house rule; the answer is on standard output.
    Refused,
    /// Nothing was found wrong, and not all of it could be told for sure.
    Perhaps,
}

/// The input or the command line is wrong: exit status 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct BadInput(pub(crate) String);

#[derive(Debug, Parser)]
#[command(name = "voicelog", version, about = "Records conversations lawfully, keeps them whole, and proves it.", long_about = None)]
#[command(
    after_help = "Start here:\n  voicelog demo     everything on one machine, with real calls over loopback\n  voicelog serve    the server; makes its data folder and prints a set-up link\n  voicelog verify BUNDLE.zip    check an evidence bundle; needs nothing else\n\nExit status: 0 done, 1 failed, 2 bad input or usage, 3 refused by the law, 4 perhaps (expected)."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Language of what is printed: nl or en.
    #[arg(long, global = true, default_value = "nl")]
    lang: Language,
    /// The data folder.
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The configuration file (TOML).
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything on one machine: real calls over loopback, refused, recorded, proven, destroyed.
    Demo(cmds::demo::Args),
    /// Run the server: SIP, media, pages and API.
    Serve(cmds::serve::Args),
    /// Ask the law.
    #[command(subcommand)]
    Law(cmds::law::Args),
    /// List recordings, newest first.
    List(cmds::recordings::ListArgs),
    /// Show one recording: decision, timeline, proof.
    Show(cmds::recordings::ShowArgs),
    /// Play a recording back into a WAV file.
    Play(cmds::recordings::PlayArgs),
    /// Make the evidence bundle of a recording.
    Export(cmds::recordings::ExportArgs),
    /// The receipt of a recording, for whoever took part: text and QR code.
    Receipt(cmds::receipt::Args),
    /// Import a sound file that you already have, if the law permits it.
    Import(cmds::import::Args),
    /// Verify an evidence bundle, without server or archive.
    Verify(cmds::verify::Args),
    /// Destroy a recording, if the law permits it. The server must be stopped; its pages do the same.
    Destroy(cmds::recordings::DestroyArgs),
    /// The declaration of destruction: of one recording, or of all that were destroyed in a time; or check one.
    Certificate(cmds::certificate::Args),
    /// Hold a recording: nothing destroys it until the hold is released.
    Hold(cmds::holds::HoldArgs),
    /// End a hold.
    Release(cmds::holds::ReleaseArgs),
    /// List the holds that stand, the one to be looked at first at the top.
    Holds(cmds::holds::ListArgs),
    /// Terms that end: preview or run.
    #[command(subcommand)]
    Retention(cmds::retention::Args),
    /// The log: show, prove, audit, and have others vouch for it.
    #[command(subcommand)]
    Log(cmds::log::Args),
    /// Be a witness for the logs of others: sign their checkpoints as long as they only grow.
    Witness(cmds::witness::Args),
    /// The keys of the archive: list, rotate, recovery set.
    #[command(visible_alias = "key")]
    Keys(cmds::keys::Args),
    /// Make, verify and describe backups.
    #[command(subcommand)]
    Backup(cmds::backup::Args),
    /// Make an archive again from a backup, in an empty folder.
    Restore(cmds::backup::RestoreArgs),
    /// Check the archive against its invariants.
    Check(cmds::check::Args),
    /// Hold the telephone system's own list of calls against what was recorded.
    Expected(cmds::expected::Args),
    /// What waits for other systems (webhooks), and what could not be brought to them.
    Webhooks(cmds::webhooks::Args),
    /// The pages about recording for your own website: what, how long, your rules, how to get a copy.
    Site(cmds::site::Args),
    /// Place test calls with recording, as a telephone system would.
    Simulate(Box<cmds::simulate::Args>),
}

/// What every command gets.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) lang: Language,
    pub(crate) data: Option<PathBuf>,
    pub(crate) config: Option<PathBuf>,
}

/// Neither a core dump nor another process of the same user gets at the memory, in which keys are.
fn keep_memory_private() -> nix::Result<()> {
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    set_dumpable(false)
}

fn main() -> ExitCode {
    if let Err(error) = keep_memory_private() {
        print::warn(format!(
            "voicelog: a crash could write the keys in memory into a file: {error}"
        ));
    }
    let cli = Cli::parse();
    let context = Context {
        lang: cli.lang,
        data: cli.data,
        config: cli.config,
    };
    match run(cli.command, &context) {
        Ok(Ended::Done) => ExitCode::SUCCESS,
        Ok(Ended::Failed) => ExitCode::from(1),
        Ok(Ended::Wrong) => ExitCode::from(2),
        Ok(Ended::Refused) => ExitCode::from(3),
        Ok(Ended::Perhaps) => ExitCode::from(4),
        Err(error) => {
            print::error(&error);
            let bad_input = error.chain().any(|cause| cause.is::<BadInput>());
            ExitCode::from(if bad_input { 2 } else { 1 })
        }
    }
}

fn run(command: Command, context: &Context) -> anyhow::Result<Ended> {
    match command {
        Command::Demo(args) => cmds::demo::run(&args, context),
        Command::Serve(args) => cmds::serve::run(&args, context),
        Command::Law(args) => cmds::law::run(&args, context),
        Command::List(args) => cmds::recordings::list(&args, context),
        Command::Show(args) => cmds::recordings::show(&args, context),
        Command::Play(args) => cmds::recordings::play(&args, context),
        Command::Export(args) => cmds::recordings::export(&args, context),
        Command::Receipt(args) => cmds::receipt::run(&args, context),
        Command::Import(args) => cmds::import::run(&args, context),
        Command::Verify(args) => cmds::verify::run(&args, context),
        Command::Destroy(args) => cmds::recordings::destroy(&args, context),
        Command::Certificate(args) => cmds::certificate::run(&args, context),
        Command::Hold(args) => cmds::holds::hold(&args, context),
        Command::Release(args) => cmds::holds::release(&args, context),
        Command::Holds(args) => cmds::holds::list(&args, context),
        Command::Retention(args) => cmds::retention::run(&args, context),
        Command::Log(args) => cmds::log::run(&args, context),
        Command::Witness(args) => cmds::witness::run(&args, context),
        Command::Keys(args) => cmds::keys::run(&args, context),
        Command::Backup(args) => cmds::backup::run(&args, context),
        Command::Restore(args) => cmds::backup::restore(&args, context),
        Command::Check(args) => cmds::check::run(&args, context),
        Command::Expected(args) => cmds::expected::run(&args, context),
        Command::Webhooks(args) => cmds::webhooks::run(&args, context),
        Command::Site(args) => cmds::site::run(&args, context),
        Command::Simulate(args) => cmds::simulate::run(&args, context),
    }
}
