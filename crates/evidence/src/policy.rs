//! Trust policies (C2SP tlog-policy, as of commit 5ba5ee8): which logs and witnesses somebody trusts, and
//! how many of the witnesses must have signed.

use crate::checkpoint::Checkpoint;
use crate::cosignature::CosignerKey;
use crate::note::{Note, VerifierKey};
use std::collections::BTreeSet;
use std::fmt;
use voicelog_model::Timestamp;

/// Longest policy that is read, in bytes.
const BYTES_MAX: usize = 1 << 18;
/// Most logs, witnesses and groups together.
const NAMES_MAX: usize = 256;

/// Why a text is no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the policy: {why}")]
pub struct PolicyError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub why: String,
}

/// A witness as a policy names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyWitness {
    /// The name in the policy, which means nothing elsewhere.
    pub name: String,
    /// Its key.
    pub key: CosignerKey,
    /// Where it is asked, if the policy says so.
    pub url: Option<String>,
}

/// Whose signatures count together.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    threshold: usize,
    members: Vec<Member>,
}

/// A witness or a group, by its place among those.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Member {
    Witness(usize),
    Group(usize),
}

/// A policy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    logs: Vec<VerifierKey>,
    witnesses: Vec<PolicyWitness>,
    groups: Vec<Group>,
    /// `None`: no witness is asked for.
    quorum: Option<Member>,
}

/// What a policy says of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// What the checkpoint says, if a log of the policy signed it, or the policy names no log.
    pub is_of_known_log: bool,
    /// The witnesses that signed, by their key's name, with the moment.
    pub signed: Vec<(String, Timestamp)>,
    /// Witnesses in whose name there is a line that does not hold.
    pub bad: Vec<String>,
    /// Enough of them signed.
    pub has_quorum: bool,
}

impl Judgement {
    /// All that the policy asks for is there, and nothing is forged.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.is_of_known_log && self.has_quorum && self.bad.is_empty()
    }
}

impl Policy {
    /// The policy of one log of which `quorum` of the witnesses must have signed.
    ///
    /// Errors: a witness that stands there twice, or more asked for than there are.
    pub fn new(
        log: VerifierKey,
        witnesses: Vec<PolicyWitness>,
        quorum: usize,
    ) -> Result<Self, PolicyError> {
        let group = Group {
            threshold: quorum,
            members: (0..witnesses.len()).map(Member::Witness).collect(),
        };
        let policy = Self {
            logs: vec![log],
            quorum: (quorum > 0).then_some(Member::Group(0)),
            groups: if quorum > 0 { vec![group] } else { Vec::new() },
            witnesses,
        };
        // What can be read back is a policy.
        Self::parse(policy.to_string().as_bytes())
    }

    /// Reads a policy.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        let fail = |line: usize, why: &str| PolicyError {
            line: line + 1,
            why: why.to_owned(),
        };
        if bytes.len() > BYTES_MAX {
            return Err(fail(0, "the policy is too long"));
        }
        let body = bytes
            .strip_suffix(b"\n")
            .ok_or_else(|| fail(0, "the policy does not end in a newline"))?;
        let mut reading = Reading::default();
        for (number, line) in body.split(|byte| *byte == b'\n').enumerate() {
            if line
                .iter()
                .any(|byte| (*byte < 0x20 && *byte != b'\t') || *byte == 0x7f)
            {
                return Err(fail(number, "a control character"));
            }
            reading.line(line).map_err(|why| fail(number, &why))?;
        }
        match reading.quorum {
            Some(quorum) => {
                reading.policy.quorum = quorum;
                Ok(reading.policy)
            }
            None => Err(fail(0, "there is no quorum line")),
        }
    }

    /// The logs that it names.
    #[must_use]
    pub fn logs(&self) -> &[VerifierKey] {
        &self.logs
    }

    /// The witnesses that it names.
    #[must_use]
    pub fn witnesses(&self) -> &[PolicyWitness] {
        &self.witnesses
    }

    /// Whether it asks for any witness.
    #[must_use]
    pub const fn asks_for_witnesses(&self) -> bool {
        self.quorum.is_some()
    }

    /// Judges a checkpoint with all its signature lines.
    #[must_use]
    pub fn judge(&self, note: &Note<'_>) -> Judgement {
        let origin = Checkpoint::parse_extended(note.unverified_text()).map(|read| read.origin);
        let signed_by_log =
            |key: &VerifierKey| origin.as_deref() == Ok(key.name()) && key.verify(note).is_ok();
        let mut judgement = Judgement {
            is_of_known_log: self.logs.is_empty() || self.logs.iter().any(signed_by_log),
            signed: Vec::new(),
            bad: Vec::new(),
            has_quorum: false,
        };
        let mut has_signed = Vec::new();
        for witness in &self.witnesses {
            let name = witness.key.name().to_owned();
            let verified = witness.key.verify(note);
            has_signed.push(matches!(verified, Ok(Some(_))));
            match verified {
                Ok(Some(at)) => judgement.signed.push((name, at)),
                Ok(None) => {}
                Err(_bad) => judgement.bad.push(name),
            }
        }
        judgement.has_quorum = self
            .quorum
            .is_none_or(|quorum| self.has_witnessed(quorum, &has_signed));
        judgement
    }

    /// Groups only name what stands before them, so this ends.
    fn has_witnessed(&self, member: Member, has_signed: &[bool]) -> bool {
        match member {
            Member::Witness(place) => has_signed.get(place).copied().unwrap_or(false),
            Member::Group(place) => self.groups.get(place).is_some_and(|group| {
                let signed = |member: &&Member| self.has_witnessed(**member, has_signed);
                group.members.iter().filter(signed).count() >= group.threshold
            }),
        }
    }
}

impl fmt::Display for Policy {
    /// The text of a policy that [`Policy::new`] made.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for log in &self.logs {
            writeln!(f, "log {log}")?;
        }
        for witness in &self.witnesses {
            write!(f, "witness {} {}", witness.name, witness.key)?;
            match &witness.url {
                Some(url) => writeln!(f, " {url}")?,
                None => writeln!(f)?,
            }
        }
        let name = |member: &Member| match member {
            Member::Witness(place) => self
                .witnesses
                .get(*place)
                .map_or_else(String::new, |witness| witness.name.clone()),
            Member::Group(place) => format!("group-{}", place + 1),
        };
        for (place, group) in self.groups.iter().enumerate() {
            let members: Vec<_> = group.members.iter().map(name).collect();
            let (group_name, members) = (name(&Member::Group(place)), members.join(" "));
            writeln!(f, "group {group_name} {} {members}", group.threshold)?;
        }
        let quorum = self.quorum.as_ref().map_or_else(|| "none".to_owned(), name);
        writeln!(f, "quorum {quorum}")
    }
}

/// A policy while it is read. Names are bytes: their spelling means nothing.
#[derive(Default)]
struct Reading {
    policy: Policy,
    names: Vec<(Vec<u8>, Member)>,
    in_groups: BTreeSet<Vec<u8>>,
    keys: BTreeSet<[u8; 32]>,
    quorum: Option<Option<Member>>,
}

impl Reading {
    fn line(&mut self, line: &[u8]) -> Result<(), String> {
        let mut words = line
            .split(|byte| matches!(byte, b' ' | b'\t'))
            .filter(|word| !word.is_empty());
        let Some(kind) = words.next().filter(|word| !word.starts_with(b"#")) else {
            return Ok(());
        };
        let words: Vec<&[u8]> = words.collect();
        if self.names.len() + self.policy.logs.len() > NAMES_MAX {
            return Err("there are too many logs, witnesses and groups".to_owned());
        }
        match (kind, &words[..]) {
            (b"log", [key] | [key, _]) => self.log(key),
            (b"witness", [name, key]) => self.witness(name, key, None),
            (b"witness", [name, key, url]) => self.witness(name, key, Some(url)),
            (b"group", [name, threshold, members @ ..]) if !members.is_empty() => {
                self.group(name, threshold, members)
            }
            (b"quorum", [name]) => self.quorum(name),
            _ => Err("this is no line of a policy".to_owned()),
        }
    }

    fn log(&mut self, key: &[u8]) -> Result<(), String> {
        let key: VerifierKey = text(key)?.parse().map_err(|error| format!("{error}"))?;
        if self
            .policy
            .logs
            .iter()
            .any(|known| known.bytes() == key.bytes())
        {
            return Err("this log stands there already".to_owned());
        }
        self.policy.logs.push(key);
        Ok(())
    }

    fn witness(&mut self, name: &[u8], key: &[u8], url: Option<&&[u8]>) -> Result<(), String> {
        let key: CosignerKey = text(key)?.parse().map_err(|error| format!("{error}"))?;
        if !self.keys.insert(*key.bytes()) {
            return Err("this witness stands there already".to_owned());
        }
        self.define(name, Member::Witness(self.policy.witnesses.len()))?;
        let url = url.map(|url| text(url).map(str::to_owned)).transpose()?;
        let name = String::from_utf8_lossy(name).into_owned();
        self.policy.witnesses.push(PolicyWitness { name, key, url });
        Ok(())
    }

    fn group(&mut self, name: &[u8], threshold: &[u8], members: &[&[u8]]) -> Result<(), String> {
        let threshold = match threshold {
            b"all" => members.len(),
            b"any" => 1,
            number => text(number)?
                .parse()
                .ok()
                .filter(|count| {
                    (1..=members.len()).contains(count) && number.first() != Some(&b'+')
                })
                .ok_or("the group asks for none, or for more than it has")?,
        };
        let mut found = Vec::new();
        for member in members {
            if !self.in_groups.insert(member.to_vec()) {
                return Err("a name stands in a group already".to_owned());
            }
            found.push(self.known(member)?);
        }
        let members = found;
        self.define(name, Member::Group(self.policy.groups.len()))?;
        self.policy.groups.push(Group { threshold, members });
        Ok(())
    }

    fn quorum(&mut self, name: &[u8]) -> Result<(), String> {
        let quorum = match name {
            b"none" => None,
            name => Some(self.known(name)?),
        };
        match self.quorum.replace(quorum) {
            None => Ok(()),
            Some(_) => Err("there are two quorum lines".to_owned()),
        }
    }

    fn define(&mut self, name: &[u8], member: Member) -> Result<(), String> {
        if name == b"none" || self.known(name).is_ok() {
            return Err("this name stands for something already".to_owned());
        }
        self.names.push((name.to_vec(), member));
        Ok(())
    }

    fn known(&self, name: &[u8]) -> Result<Member, String> {
        let mut names = self.names.iter();
        names
            .find(|(known, _)| known == name)
            .map(|(_, member)| *member)
            .ok_or_else(|| "it names what no line before it defines".to_owned())
    }
}

fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|_| "a key or address is no UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cosignature::Cosigner;
    use crate::note::SigningKey;

    fn log() -> SigningKey {
        SigningKey::from_seed("example.com/log", [1; 32]).unwrap()
    }

    fn witness(number: u8) -> Cosigner {
        Cosigner::from_seed(&format!("example.com/w{number}"), [10 + number; 32]).unwrap()
    }

    /// Two of three X and any of three Y, as in the specification's example.
    fn example() -> String {
        let mut text = format!("# whom we trust\n\nlog {} https://x\n", log().verifier());
        for (name, number) in ["X1", "X2", "X3", "Y1", "Y2", "Y3"].iter().zip(1..) {
            text += &format!(" witness\t{name} {}\n", witness(number).verifier());
        }
        text + "group X 2 X1 X2 X3\ngroup Y any Y1 Y2 Y3\ngroup X-and-Y all X Y\nquorum X-and-Y\n"
    }

    fn checkpoint(signers: &[u8]) -> String {
        let note = Checkpoint::sign(3, [9; 32], &log()).unwrap();
        let text = Note::parse(note.as_bytes())
            .unwrap()
            .unverified_text()
            .to_owned();
        let at = Timestamp::from_micros(1_700_000_000_000_000);
        let lines = signers
            .iter()
            .map(|signer| witness(*signer).cosign(&text, at));
        note + &lines.collect::<String>()
    }

    #[test]
    fn a_quorum_is_counted_over_groups() {
        let policy = Policy::parse(example().as_bytes()).unwrap();
        for (signers, expected) in [
            (&[1, 2, 4][..], true),
            (&[1, 2, 3, 5, 6], true),
            (&[1, 2, 3], false),
            (&[1, 4, 5, 6], false),
            (&[1, 1, 4], false),
            (&[9, 8, 7, 4], false),
            (&[], false),
        ] {
            let note = checkpoint(signers);
            let judged = policy.judge(&Note::parse(note.as_bytes()).unwrap());
            assert_eq!(judged.has_quorum, expected, "{signers:?}");
            assert_eq!(judged.holds(), expected);
        }
        let note = checkpoint(&[4, 9]);
        let judged = policy.judge(&Note::parse(note.as_bytes()).unwrap());
        assert_eq!(judged.signed.len(), 1, "nine is nobody's witness");
    }

    #[test]
    fn a_forged_line_in_the_name_of_a_witness_is_named() {
        let policy = Policy::parse(example().as_bytes()).unwrap();
        let note = checkpoint(&[1, 2, 4]);
        let line = note.lines().last().unwrap();
        let other = Checkpoint::sign(4, [9; 32], &log()).unwrap();
        let note = format!("{other}{line}\n");
        let judged = policy.judge(&Note::parse(note.as_bytes()).unwrap());
        assert_eq!(judged.bad, ["example.com/w4"]);
        assert!(!judged.holds());
    }

    #[test]
    fn a_log_that_the_policy_does_not_name_is_not_believed() {
        let other = SigningKey::from_seed("example.com/log", [2; 32]).unwrap();
        let note = Checkpoint::sign(3, [9; 32], &other).unwrap();
        let note = Note::parse(note.as_bytes()).unwrap();
        let named = format!("log {}\nquorum none\n", log().verifier());
        assert!(
            !Policy::parse(named.as_bytes())
                .unwrap()
                .judge(&note)
                .holds()
        );
        assert!(
            Policy::parse(b"quorum none\n")
                .unwrap()
                .judge(&note)
                .holds()
        );
    }

    #[test]
    fn a_policy_that_is_made_is_read_back() {
        let witnesses = |count| {
            (1..=count)
                .map(|number| PolicyWitness {
                    name: format!("w{number}"),
                    key: witness(number).verifier(),
                    url: Some("https://witness.example".into()),
                })
                .collect::<Vec<_>>()
        };
        let made = Policy::new(log().verifier(), witnesses(3), 2).unwrap();
        assert_eq!(Policy::parse(made.to_string().as_bytes()).unwrap(), made);
        let none = Policy::new(log().verifier(), Vec::new(), 0).unwrap();
        assert!(!none.asks_for_witnesses());
        assert!(Policy::new(log().verifier(), witnesses(1), 2).is_err());
        let twice = [witnesses(1), witnesses(1)].concat();
        assert!(Policy::new(log().verifier(), twice, 1).is_err());
    }

    #[test]
    fn what_is_no_policy_is_refused_with_its_line() {
        let key = witness(1).verifier();
        let other = witness(2).verifier();
        for (text, line) in [
            (String::new(), 1),
            ("quorum none".into(), 1),
            ("quorum none\nquorum none\n".into(), 2),
            ("quorum w\n".into(), 1),
            (format!("witness none {key}\nquorum none\n"), 1),
            (format!("witness w {key}\nwitness w {other}\nquorum w\n"), 2),
            (format!("witness w {key}\nwitness v {key}\nquorum w\n"), 2),
            (format!("witness w {key}\ngroup g 2 w\nquorum g\n"), 2),
            (format!("witness w {key}\ngroup g 0 w\nquorum g\n"), 2),
            (format!("witness w {key}\ngroup g 1 w w\nquorum g\n"), 2),
            (format!("witness w {key}\ngroup g all\nquorum w\n"), 2),
            (format!("witness w {key}\ngroup g all none\nquorum w\n"), 2),
            (format!("group g all w\nwitness w {key}\nquorum w\n"), 1),
            (
                format!("witness w {key}\ngroup g all w\ngroup h all w\nquorum g\n"),
                3,
            ),
            (
                format!(
                    "log {}\nlog {}\nquorum none\n",
                    log().verifier(),
                    log().verifier()
                ),
                2,
            ),
            (format!("log {key}\nquorum none\n"), 1),
            ("quorum none\r\n".into(), 1),
            ("trust everybody\nquorum none\n".into(), 1),
        ] {
            let error = Policy::parse(text.as_bytes()).unwrap_err();
            assert_eq!(error.line, line, "{text:?}: {error}");
        }
    }
}
