//! The house's own tool: `cargo xtask COMMAND`. See `HELP` for what there is.
//!
//! It checks what the compiler cannot (walls between crates, sizes, links in documents), prepares
//! a machine for the tests, and measures. It is no part of the product.
#![expect(
    clippy::print_stdout,
    reason = "a tool for a terminal: standard output is its face"
)]
#![expect(
    clippy::print_stderr,
    reason = "and standard error is where it says what went wrong"
)]

mod bench;
mod ci;
mod doc_links;
mod doc_paths;
mod fuzz;
mod install;
mod island;
mod metadata;
mod named_tests;
mod shell;
mod source;
mod tidy;
mod verifier;
mod walls;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask COMMAND

  ci           everything that a change must pass: fmt, clippy, walls, tidy, docs, test
  test         installs what the tests need, then runs every test
  walls        which crate may import which, and that pure crates stay pure
  tidy         sizes, leftovers, links and paths in documents
  docs         the API documentation builds without a warning
  fuzz-smoke   every parser against a fixed sequence of damaged input
  fuzz         every parser, guided by coverage: [TARGET …], --seconds N for each (20), --keep
  crash [N]    N times kill -9 among calls (1,000), each archive checked after it; --seed S
  sim          lives of an archive drawn from seeds, with faults and power cuts, each checked after every
               recovery: --seeds N (5,000), --from S
  pages        every page in a browser, with an accessibility checker
  island       the script of the pages that record: built again, tested in Node
  verifier     the second verifier (verify.html): built again, tested, held against the program
  bench        the numbers of ref/performance.md: --calls N, --seconds S, --quick;
               --setup: setting up alone
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", [].as_slice()),
    };
    let result = match command {
        "ci" => ci::run(),
        "test" => ci::test(),
        "walls" => walls::run(),
        "tidy" => tidy::run(),
        "docs" => ci::docs(),
        "fuzz-smoke" => ci::fuzz_smoke(),
        "fuzz" => fuzz::run(rest),
        "crash" => ci::crash(rest),
        "sim" => ci::sim(rest),
        "pages" => ci::pages(),
        "island" => island::run(),
        "verifier" => verifier::run(),
        "bench" => bench::run(rest),
        // Not in the help: `bench` starts these as processes of their own, each pinned to one core.
        "floor" => bench::floor::run(rest),
        "decide" => bench::law::run(rest),
        "measure" => bench::measure(rest),
        "help" | "-h" | "--help" => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        unknown => {
            eprintln!("xtask: there is no command `{unknown}`\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask {command}: {error:#}");
            ExitCode::FAILURE
        }
    }
}
