//! What a declaration says of all that was destroyed in a time.

use super::sheet::{Words, place};
use super::{Checked, Declaration};
use std::collections::BTreeMap;
use voicelog_evidence::sheet::{Block, Tone};

impl Words<'_> {
    /// Of all in a time: counted, then one by one.
    pub(super) fn several(&self, declaration: &Declaration, blocks: &mut Vec<Block>) {
        let all = &declaration.checked;
        let sound = all.iter().filter(|one| !one.statement().scope.is_whole());
        let sound = sound.count();
        let whole = all.len().saturating_sub(sound);
        let count = whole.saturating_add(declaration.uncertified.len());
        let mut lines = Vec::new();
        if let Some((from, to)) = declaration.period {
            lines.push(format!(
                "{} {} {} {}",
                self.t("Vanaf", "From"),
                self.at(from),
                self.t("tot", "until"),
                self.at(to)
            ));
        }
        if sound > 0 {
            lines.push(format!(
                "{}: {sound}",
                self.t(
                    "Opnamen waarvan het geluid apart is vernietigd",
                    "Recordings of which the sound was destroyed by itself"
                )
            ));
        }
        blocks.push(Block::Frame {
            tone: Tone::Good,
            title: format!(
                "{}: {count}",
                self.t("Vernietigde opnamen", "Recordings destroyed")
            ),
            lines,
        });
        if !all.is_empty() {
            blocks.push(self.heading("Wat, en op welke grond", "What, and on which ground"));
            blocks.push(self.counted(all));
            blocks.push(self.heading("De opnamen", "The recordings"));
            blocks.push(Block::Table {
                columns: vec![
                    self.t("Opname", "Recording"),
                    self.t("Omvang", "How much"),
                    self.t("Opgenomen op", "Recorded on"),
                    self.t("Vernietigd op", "Destroyed on"),
                    self.t("Plaats in het logboek", "Place in the log"),
                ],
                rows: all.iter().map(|one| self.row(one)).collect(),
            });
        }
        if !declaration.uncertified.is_empty() {
            blocks.push(self.paragraph(
                "Van deze opnamen zegt alleen het logboek dat zij vernietigd zijn. Hun bewijs wordt nog gemaakt, of het ging verloren toen een oudere kopie van het archief werd teruggezet:",
                "Of these recordings only the log says that they are destroyed. Their certificates are still being made, or were lost when an older copy of the archive was restored:",
            ));
            let ids = declaration.uncertified.iter();
            blocks.push(Block::List(ids.map(ToString::to_string).collect()));
        }
        if let Some(one) = all.first() {
            blocks.push(self.by_all(one, all));
        }
    }

    /// How many, by purpose, scope, term and ground.
    fn counted(&self, all: &[Checked]) -> Block {
        let mut alike: BTreeMap<[String; 4], u64> = BTreeMap::new();
        for one in all {
            let scope = self.scope(one.statement().scope);
            let key = match &one.statement().was {
                Some(was) => [
                    self.purpose(was),
                    scope,
                    self.term(was),
                    self.grounds(was).join(" "),
                ],
                None => [self.unknown(), scope, self.unknown(), self.unknown()],
            };
            *alike.entry(key).or_default() += 1;
        }
        Block::Table {
            columns: vec![
                self.t("Aantal", "Count"),
                self.t("Doel", "Purpose"),
                self.t("Omvang", "How much"),
                self.t("Bewaartermijn", "Retention term"),
                self.t("Grond", "Ground"),
            ],
            rows: alike
                .into_iter()
                .map(|([purpose, scope, term, ground], count)| {
                    vec![count.to_string(), purpose, scope, term, ground]
                })
                .collect(),
        }
    }

    fn by_all(&self, one: &Checked, all: &[Checked]) -> Block {
        let asked = |one: &&Checked| {
            let was = one.statement().was.as_ref();
            was.is_some_and(|was| was.asked_by_account)
        };
        let asked = all.iter().filter(asked).count();
        let archive = format!(
            "{} {}",
            self.t("het archief", "the archive"),
            one.checkpoint.origin
        );
        let unknown = all
            .iter()
            .filter(|one| one.statement().was.is_none())
            .count();
        let mut facts = vec![
            (self.t("Door", "By"), archive),
            (
                self.t(
                    "Gevraagd door iemand met een account",
                    "Asked for by somebody with an account",
                ),
                asked.to_string(),
            ),
        ];
        if unknown > 0 {
            let name = self.t("Niet bekend wie het vroeg", "Not known who asked");
            facts.push((name, unknown.to_string()));
        }
        Block::Facts(facts)
    }

    fn row(&self, one: &Checked) -> Vec<String> {
        let statement = one.statement();
        let recorded = statement.was.as_ref();
        vec![
            statement.recording.to_string(),
            self.scope(statement.scope),
            recorded.map_or_else(|| self.unknown(), |was| self.at(was.recorded_at)),
            self.at(statement.completed_at),
            place(one),
        ]
    }
}
