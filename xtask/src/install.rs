//! What the tests need from the machine besides a Rust toolchain and a C compiler.
//!
//! Debian and Ubuntu packages, by name, with the reason. As root they are installed at once;
//! anybody else is asked first, and without a terminal to ask on, told what to type.

use crate::shell;
use anyhow::{Context as _, bail};
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::process::Command;

/// One Debian package, looked for by a program that it brings.
struct Need {
    programs: &'static [&'static str],
    package: &'static str,
    why: &'static str,
}

const NEEDS: &[Need] = &[
    Need {
        programs: &["sipp"],
        package: "sip-tester",
        why: "SIPp: calls made by a SIP client that is not ours",
    },
    Need {
        programs: &["baresip"],
        package: "baresip-core",
        why: "a telephone that is not ours: it answers our re-INVITE and sends sound of its own",
    },
    Need {
        programs: &["sox"],
        package: "sox",
        why: "another program decodes what was recorded; the samples must be the same",
    },
    Need {
        programs: &["openssl"],
        package: "openssl",
        why: "SIP over TLS by a TLS client that is not ours",
    },
    Need {
        programs: &["pebble"],
        package: "pebble",
        why: "an authority that gives certificates by ACME, and looks whether a name is ours",
    },
    Need {
        programs: &["ffmpeg"],
        package: "ffmpeg",
        why: "SRTP by a sender that is not ours; sound files to import, and what is heard of them",
    },
    Need {
        programs: &["opusenc"],
        package: "opus-tools",
        why: "Opus files to import, by their own encoder",
    },
    Need {
        programs: &["pdftotext"],
        package: "poppler-utils",
        why: "reads the PDF that was printed, and what it tells a screen reader",
    },
    Need {
        programs: &["softhsm2-util"],
        package: "softhsm2",
        why: "a token in software: a master key that never leaves it",
    },
    Need {
        programs: &["pkcs11-tool"],
        package: "opensc",
        why: "makes that key, with a program that is not ours",
    },
    Need {
        programs: &["g++", "c++"],
        package: "g++",
        why: "compiles libFuzzer, which searches the parsers for inputs that break them",
    },
    Need {
        programs: &["ip"],
        package: "iproute2",
        why: "a network of its own whose packets are short, so that long messages are fragmented",
    },
    Need {
        programs: &["chromium", "chromium-browser", "google-chrome"],
        package: "chromium",
        why: "a browser: the pages are checked for accessibility as people see them",
    },
    Need {
        programs: &["node"],
        package: "nodejs",
        why: "drives that browser and runs the accessibility checker in it",
    },
    Need {
        programs: &["npm"],
        package: "npm",
        why: "fetches the checker (axe-core) and the driver (playwright-core), by hash",
    },
];

/// Installs what is missing.
pub(crate) fn what_tests_need() -> anyhow::Result<()> {
    let missing: Vec<&Need> = NEEDS
        .iter()
        .filter(|need| {
            !need
                .programs
                .iter()
                .any(|program| shell::is_installed(program))
        })
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("The tests need Debian packages that are not here:");
    for need in &missing {
        println!("  {:12} {}", need.package, need.why);
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    let packages = packages.join(" ");
    let by_hand = format!("apt-get install -y --no-install-recommends {packages}");
    if !shell::is_installed("apt-get") {
        bail!("there is no apt-get here: install what brings these programs by hand ({packages})");
    }
    let root = shell::read(&mut shell::command("id", &["-u"]))?.trim() == "0";
    let prefix = if root {
        ""
    } else if std::io::stdin().is_terminal() && agrees(&by_hand)? {
        "sudo "
    } else {
        bail!("not root: run `sudo {by_hand}`, then this command again");
    };
    apt(&format!("{prefix}apt-get update -q"))?;
    apt(&format!("{prefix}{by_hand} -q"))
}

fn agrees(line: &str) -> anyhow::Result<bool> {
    print!("Run `sudo {line}` now? [y/N] ");
    std::io::stdout().flush().context("cannot ask")?;
    let mut answer = String::new();
    let mut input = std::io::stdin().lock();
    input
        .read_line(&mut answer)
        .context("cannot read the answer")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes" | "j" | "ja"))
}

fn apt(line: &str) -> anyhow::Result<()> {
    let mut words = line.split_whitespace();
    let program = words.next().unwrap_or("apt-get");
    let mut command = Command::new(program);
    let command = command.args(words).env("DEBIAN_FRONTEND", "noninteractive");
    shell::run(command)
}
