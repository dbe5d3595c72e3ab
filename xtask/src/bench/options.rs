//! The command line of `cargo xtask bench`.

use anyhow::{Context as _, bail};

/// What to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Options {
    /// Calls at once.
    pub(crate) calls: u32,
    /// How long each lasts.
    pub(crate) seconds: u32,
    /// Only how fast calls are set up.
    pub(crate) setup: bool,
    /// Only how fast a bundle is verified.
    pub(crate) verification: bool,
    /// Only how fast the page for strangers verifies a bundle, in a browser.
    pub(crate) browser: bool,
    /// Only talks in a room.
    pub(crate) rooms: bool,
    /// Leave out what takes long: the search for the most calls, the large bundle, the browser.
    pub(crate) quick: bool,
}

impl Options {
    pub(crate) fn parse(arguments: &[String]) -> anyhow::Result<Self> {
        let mut options = Self {
            calls: 1_000,
            seconds: 60,
            quick: false,
            setup: false,
            verification: false,
            browser: false,
            rooms: false,
        };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut number = || {
                let value = words
                    .next()
                    .with_context(|| format!("{word} needs a number"))?;
                let value: u32 = value
                    .parse()
                    .with_context(|| format!("{word} {value}: not a number"))?;
                if value == 0 {
                    bail!("{word}: at least 1");
                }
                Ok(value)
            };
            match word.as_str() {
                "--calls" => options.calls = number()?,
                "--seconds" => options.seconds = number()?,
                "--quick" => options.quick = true,
                "--setup" => options.setup = true,
                "--verification" => options.verification = true,
                "--browser" => options.browser = true,
                "--rooms" => options.rooms = true,
                other => bail!(
                    "`{other}` is no option; there are --calls, --seconds, --quick, --setup, --verification, --browser and --rooms"
                ),
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> anyhow::Result<Options> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(&words)
    }

    #[test]
    fn options_are_read_and_have_defaults() {
        let options = parse("--calls 50 --quick").unwrap();
        assert_eq!(
            (options.calls, options.seconds, options.quick),
            (50, 60, true)
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        for line in ["--calls", "--calls many", "--seconds 0", "--fast"] {
            let error = parse(line).unwrap_err().to_string();
            assert!(error.contains(line.split(' ').next().unwrap()), "{error}");
        }
    }
}
