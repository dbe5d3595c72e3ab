//! What a declaration of destruction says, in blocks.

use super::{Checked, Declaration};
use crate::disclosure::Recipient;
use crate::moment::moment;
use serde_json::Value;
use voicelog_evidence::certificate::{DestroyedRecording, DestructionGround};
use voicelog_evidence::digest::Digest;
use voicelog_evidence::sheet::{Block, Sheet, Tone};
use voicelog_law::{FactWords, Rulebook, in_brackets};
use voicelog_model::{Language, Scope, Timestamp};

/// Who recorded, where the Archiefwet asks for this document.
const GOVERNMENT: &str = "government_body";
/// The rule that asks for it.
const DECLARATION_RULE: &str = "archiefwet.declaration";

/// The rule of the list that a government body destroys by.
const SELECTION_RULE: &str = "archiefwet.selection_list";

/// What the document is called.
pub(super) const fn title(lang: Language) -> &'static str {
    lang.pick("Verklaring van vernietiging", "Declaration of destruction")
}

/// In which words things are said.
pub(super) struct Words<'a> {
    lang: Language,
    rulebook: &'a Rulebook,
    facts: Option<FactWords>,
}

pub(super) fn sheet(declaration: &Declaration, rulebook: &Rulebook, lang: Language) -> Sheet {
    let words = Words {
        lang,
        rulebook,
        facts: FactWords::load(lang, declaration.made_at).ok(),
    };
    let mut blocks = vec![Block::Title(title(lang).to_owned())];
    match (declaration.period, declaration.checked.as_slice()) {
        (None, [only]) => words.one(only, &mut blocks),
        _ => words.several(declaration, &mut blocks),
    }
    // Of nothing there is no more to say.
    if !declaration.checked.is_empty() {
        words.how(declaration, &mut blocks);
    }
    if !declaration.checked.is_empty() || !declaration.uncertified.is_empty() {
        words.not_proven(declaration, &mut blocks);
        words.backups(&mut blocks);
    }
    if !declaration.checked.is_empty() {
        words.check(declaration, &mut blocks);
    }
    words.kept(declaration, &mut blocks);
    Sheet {
        language: lang,
        blocks,
    }
}

impl Words<'_> {
    pub(super) fn t(&self, nl: &str, en: &str) -> String {
        self.lang.pick(nl, en).to_owned()
    }

    pub(super) fn heading(&self, nl: &str, en: &str) -> Block {
        Block::Heading(self.t(nl, en))
    }

    pub(super) fn paragraph(&self, nl: &str, en: &str) -> Block {
        Block::Paragraph(self.t(nl, en))
    }

    pub(super) fn at(&self, at: Timestamp) -> String {
        moment(at, self.lang)
    }

    pub(super) fn unknown(&self) -> String {
        self.t("niet bekend", "not known")
    }

    fn fact(&self, name: &str, word: &str) -> String {
        let said = self.facts.as_ref();
        said.map_or_else(
            || word.to_owned(),
            |facts| facts.value(name, &Value::from(word)),
        )
    }

    pub(super) fn purpose(&self, was: &DestroyedRecording) -> String {
        let word = was.purpose.as_deref();
        let known = word.and_then(voicelog_law::purpose);
        match (known, word) {
            (Some(purpose), _) => purpose.called.pick(self.lang).to_owned(),
            (None, Some(word)) => word.to_owned(),
            (None, None) => self.unknown(),
        }
    }

    pub(super) fn term(&self, was: &DestroyedRecording) -> String {
        match was.retention_term.as_deref() {
            Some(term) => self.fact("retention_term", term),
            None => self.t("geen gekozen", "none chosen"),
        }
    }

    /// How much was destroyed.
    pub(super) fn scope(&self, scope: Scope) -> String {
        match scope {
            Scope::Whole => self.t("gehele opname", "whole recording"),
            Scope::Sound => self.t("geluid", "sound"),
        }
    }

    /// Why it could not be kept any longer, with the articles.
    fn ground(&self, ground: &DestructionGround) -> String {
        let rule = self.rulebook.rule(&ground.rule);
        let text = rule.map_or_else(
            || ground.rule.clone(),
            |rule| self.lang.pick(&rule.text_nl, &rule.text_en).to_owned(),
        );
        format!("{text}{}", in_brackets(&ground.articles))
    }

    pub(super) fn grounds(&self, was: &DestroyedRecording) -> Vec<String> {
        let nobody_forbade = match (was.grounds.is_empty(), was.asked_by_account) {
            (false, _) => None,
            (true, true) => Some(self.t(
                "De wet liet toe haar nog te bewaren. Iemand vroeg om vernietiging, en geen wet en geen vernietigingsstop verbood die.",
                "The law would have let it be kept. Somebody asked for its destruction, and no statute and no hold forbade that.",
            )),
            (true, false) => Some(self.t(
                "De termijn die voor haar gekozen was, is voorbij. Geen wet en geen vernietigingsstop verbood de vernietiging.",
                "The term that was chosen for it is over. No statute and no hold forbade the destruction.",
            )),
        };
        if let Some(text) = nobody_forbade {
            return vec![text];
        }
        was.grounds.iter().map(|one| self.ground(one)).collect()
    }

    /// The same, with what a government body destroys by.
    fn grounds_of_body(&self, was: &DestroyedRecording) -> Vec<String> {
        let mut grounds = self.grounds(was);
        let is_government = was.recorder_type.as_deref() == Some(GOVERNMENT);
        if let (true, Some(process)) = (is_government, &was.process_type) {
            let rule = self.rulebook.rule(SELECTION_RULE);
            let articles = rule.map_or_else(String::new, |rule| in_brackets(&rule.articles));
            grounds.push(format!(
                "{} {process}{articles}",
                self.t("Selectielijst, proces", "Selection list, process"),
            ));
        }
        grounds
    }

    /// When it ended, and what nobody can do any more.
    fn ended(&self, scope: Scope, when: &str) -> Block {
        let (title, line) = match scope {
            Scope::Whole => (
                self.t("Vernietigd op", "Destroyed on"),
                self.t(
                    "Vanaf dat moment kan niemand de opname nog beluisteren of lezen.",
                    "From that moment on nobody can listen to the recording or read it.",
                ),
            ),
            Scope::Sound => (
                self.t("Geluid vernietigd op", "Sound destroyed on"),
                self.t(
                    "Vanaf dat moment kan niemand de opname nog beluisteren. Wat van het gesprek bekend is (wanneer, wie, tijdlijn, besluiten) is niet vernietigd.",
                    "From that moment on nobody can listen to the recording. What is known of the call (when, who, timeline, decisions) is not destroyed.",
                ),
            ),
        };
        Block::Frame {
            tone: Tone::Good,
            title: format!("{title} {when}"),
            lines: vec![line],
        }
    }

    /// Of one recording: what it was, why and when it went.
    fn one(&self, one: &Checked, blocks: &mut Vec<Block>) {
        let statement = one.statement();
        let when = self.at(statement.key_destroyed_at);
        blocks.push(self.ended(statement.scope, &when));
        blocks.push(self.heading("Wat is vernietigd", "What was destroyed"));
        let mut facts = vec![
            (
                self.t("Opname", "Recording"),
                statement.recording.to_string(),
            ),
            (self.t("Omvang", "How much"), self.scope(statement.scope)),
        ];
        if let Some(was) = &statement.was {
            facts.push((
                self.t("Opgenomen op", "Recorded on"),
                self.at(was.recorded_at),
            ));
            facts.push((self.t("Doel", "Purpose"), self.purpose(was)));
            facts.push((self.t("Bewaartermijn", "Retention term"), self.term(was)));
            if let Some(until) = was.retain_until {
                facts.push((
                    self.t("De termijn liep tot", "The term ran until"),
                    self.at(until),
                ));
            }
            if let Some(recorder) = &was.recorder_type {
                let name = self.t("Wie opnam", "Who recorded");
                facts.push((name, self.fact("recorder_type", recorder)));
            }
            if let Some(process) = &was.process_type {
                let name = self.t(
                    "Proces in de selectielijst",
                    "Process in the selection list",
                );
                facts.push((name, process.clone()));
            }
        }
        blocks.push(Block::Facts(facts));
        blocks.push(self.heading("Op welke grond", "On which ground"));
        blocks.push(match &statement.was {
            Some(was) => Block::List(self.grounds_of_body(was)),
            None => self.paragraph(
                "De gegevens waaruit dat bleek, staan niet in het bewijs. De wet is wel gevraagd: het besluit staat hieronder.",
                "The data that told it are not in the certificate. The law was asked: the decision is named below.",
            ),
        });
        blocks.push(self.heading("Wanneer en door wie", "When and by whom"));
        blocks.push(Block::Facts(vec![
            (self.t("Sleutel vernietigd", "Key destroyed"), when),
            (
                self.t("Al het andere gewist", "All else deleted"),
                self.at(statement.completed_at),
            ),
            (self.t("Door", "By"), self.by(one)),
            (
                self.t("Op grond van besluit", "On decision"),
                statement.decision.to_string(),
            ),
            (
                self.t("Vernietiging", "Destruction"),
                statement.destruction.to_string(),
            ),
        ]));
    }

    fn by(&self, one: &Checked) -> String {
        let origin = &one.checkpoint.origin;
        let asked = match one.statement().was.as_ref().map(|was| was.asked_by_account) {
            Some(true) => self.t(
                "gevraagd door iemand met een account; namen van medewerkers blijven hierbij niet bewaard",
                "asked for by somebody with an account; names of staff are not kept with it",
            ),
            Some(false) => self.t(
                "vanzelf, na het eind van de termijn",
                "by itself, after the end of the term",
            ),
            None => self.t("wie het vroeg is niet bekend", "who asked is not known"),
        };
        format!("{} {origin}; {asked}", self.t("het archief", "the archive"))
    }

    fn how(&self, declaration: &Declaration, blocks: &mut Vec<Block>) {
        let of = |count: fn(&Checked) -> u64| {
            let each = declaration.checked.iter().map(count);
            each.fold(0, u64::saturating_add)
        };
        let (keys, files, bytes) = (
            of(|one| u64::from(one.statement().keys)),
            of(|one| one.statement().objects),
            of(|one| one.statement().bytes),
        );
        blocks.push(self.heading("Op welke wijze", "How"));
        blocks.push(Block::List(vec![
            match self.lang {
                Language::Nl => format!(
                    "Eerst de sleutel waarmee de opname versleuteld was (aantal: {keys}): overschreven en gewist. Zonder die sleutel is elke kopie van de bestanden onleesbaar."
                ),
                Language::En => format!(
                    "First the key that the recording was encrypted with (count: {keys}): overwritten and deleted. Without that key every copy of the files is unreadable."
                ),
            },
            match self.lang {
                Language::Nl => format!(
                    "Dan de bestanden (aantal: {files}, samen {bytes} bytes). Daarna is gekeken of er geen over was."
                ),
                Language::En => format!(
                    "Then the files (count: {files}, together {bytes} bytes). Then it was looked whether none was left."
                ),
            },
            self.t(
                "Is de gehele opname vernietigd, dan in de database: lijn, deelnemers, tijdlijn, manifest, kenmerken waarmee gesprekken aan elkaar hangen, de gegevens waarmee de wet is gevraagd, en wie luisterde of een kopie kreeg. Oude bladzijden van de database zijn overschreven.",
                "Where the whole recording was destroyed, then in the database: line, participants, timeline, manifest, the marks that tie conversations together, the facts that the law was asked with, and who listened or got a copy. Old pages of the database were overwritten.",
            ),
            self.t(
                "Andere bestanden van de opname zijn er niet: geluid dat iemand beluistert of als kopie krijgt, wordt elke keer gemaakt en niet bewaard.",
                "There are no other files of the recording: sound that somebody listens to or gets as a copy is made each time, and not kept.",
            ),
            self.t(
                "Wat van een gehele opname blijft: nummers, momenten, besluiten met hun redenen, en dit bewijs. Daar staat niets in over wie er spraken.",
                "What stays of a whole recording: ids, moments, decisions with their reasons, and this proof. Nothing in it is about who spoke.",
            ),
        ]));
    }

    fn not_proven(&self, declaration: &Declaration, blocks: &mut Vec<Block>) {
        blocks.push(self.heading("Wat dit niet bewijst", "What this does not prove"));
        blocks.push(self.paragraph(
            "Dat er buiten het archief geen kopie meer is. Kopieën die eerder zijn gegeven, zijn hiermee niet vernietigd. Wie er een kreeg, moet het zelf doen. Ook niet dat een schijf, of een momentopname van een schijf die buiten het archief is gemaakt, geen oude blokken meer heeft.",
            "That there is no copy outside the archive. Copies that were given before are not destroyed by this. Whoever got one has to do that. Nor that a disk, or a snapshot of a disk that was made outside the archive, has no old blocks any more.",
        ));
        let mut rows = Vec::new();
        let mut is_known = declaration.uncertified.is_empty();
        for one in &declaration.checked {
            let statement = one.statement();
            let Some(was) = &statement.was else {
                is_known = false;
                continue;
            };
            rows.extend(was.copies.iter().map(|copy| {
                vec![
                    statement.recording.to_string(),
                    self.at(copy.at),
                    self.recipient(copy.recipient.as_deref()),
                    copy.decision.to_string(),
                ]
            }));
        }
        if rows.is_empty() && is_known {
            blocks.push(self.paragraph(
                "Volgens het archief is er geen kopie gegeven.",
                "By the archive no copy was given.",
            ));
        }
        if !rows.is_empty() {
            blocks.push(Block::Table {
                columns: vec![
                    self.t("Opname", "Recording"),
                    self.t("Kopie gegeven op", "Copy given on"),
                    self.t("Voor wie", "For whom"),
                    self.t("Besluit", "Decision"),
                ],
                rows,
            });
        }
        if !is_known {
            blocks.push(self.paragraph(
                "Van een of meer opnamen is niet meer te zeggen of er een kopie is gegeven.",
                "Of one recording or more it can no longer be said whether a copy was given.",
            ));
        }
    }

    fn recipient(&self, word: Option<&str>) -> String {
        let known = word.and_then(|word| word.parse::<Recipient>().ok());
        match (known, word) {
            (Some(recipient), _) => recipient.text(self.lang).to_owned(),
            (None, Some(word)) => self.fact("requester_role", word),
            (None, None) => self.unknown(),
        }
    }

    fn backups(&self, blocks: &mut Vec<Block>) {
        blocks.push(self.heading("Back-ups", "Backups"));
        blocks.push(self.paragraph(
            "In een back-up van vóór de vernietiging kan de opname nog versleuteld liggen, met haar sleutel, die met de sleutel van de back-ups verzegeld is. Zodra er daarna een back-up is gemaakt met een nieuwe sleutel van de back-ups, en de oude sleutel nergens meer is, gaat die oude back-up niet meer open. Bij het terugzetten van een back-up houdt de vernietigingslijst de opname tegen.",
            "In a backup from before the destruction the recording can still lie encrypted, with its key, which is sealed with the key of backups. Once a backup was made after it with a new key of backups, and the old key is nowhere any more, that old backup opens no longer. When a backup is restored, the list of destructions keeps the recording from coming back.",
        ));
    }

    fn check(&self, declaration: &Declaration, blocks: &mut Vec<Block>) {
        blocks.push(self.heading("Zelf nakijken", "Check it yourself"));
        blocks.push(self.paragraph(
            "Elke vernietiging staat in het logboek van het archief, dat alleen kan groeien, en heeft een ondertekend bewijs met haar plaats daarin. Alles wat hierboven over een opname staat, komt uit dat bewijs; van een grond staan daarin de regel en de artikelen, en de zin is die van de regels van nu. Zo kijkt u de bewijzen na, zonder het archief:",
            "Each destruction is in the archive’s log, which can only grow, and has a signed certificate with its place in it. All that is said above of a recording comes from that certificate; of a ground it has the rule and the articles, and the sentence is that of the rules of now. To check the certificates without the archive:",
        ));
        let text = declaration.text();
        let mut facts = vec![
            (
                self.t("Opdracht", "Command"),
                format!(
                    "voicelog certificate --check FILE --log-key \"{}\"",
                    declaration.key
                ),
            ),
            (
                self.t(
                    "Bestand met de bewijzen (SHA-256)",
                    "File of certificates (SHA-256)",
                ),
                Digest::of(text.as_bytes()).to_string(),
            ),
        ];
        if let [only] = declaration.checked.as_slice() {
            facts.push((
                self.t("Plaats in het logboek", "Place in the log"),
                place(only),
            ));
            facts.push((
                self.t("Het logboek telde toen", "The log then had"),
                format!(
                    "{} {}",
                    only.checkpoint.size,
                    self.t("vermeldingen", "entries")
                ),
            ));
        }
        blocks.push(Block::Facts(facts));
        blocks.push(self.paragraph(
            "FILE is het tekstbestand met de bewijzen dat bij deze verklaring hoort, of deze verklaring als webpagina. Vraag de sleutel (log-key) ook aan iemand anders dan wie u deze verklaring gaf.",
            "FILE is the text file of certificates that goes with this declaration, or this declaration as a web page. Ask for the key (log-key) of somebody else as well than who gave you this declaration.",
        ));
    }

    fn kept(&self, declaration: &Declaration, blocks: &mut Vec<Block>) {
        blocks.push(self.heading("Opgemaakt", "Drawn up"));
        let at = self.at(declaration.made_at);
        blocks.push(Block::Facts(vec![(self.t("Op", "On"), at)]));
        let mut recorders = declaration.checked.iter().filter_map(|one| {
            let was = one.statement().was.as_ref();
            was.and_then(|was| was.recorder_type.as_deref())
        });
        let Some(rule) = self.rulebook.rule(DECLARATION_RULE) else {
            return;
        };
        if recorders.any(|recorder| recorder == GOVERNMENT) {
            let articles = in_brackets(&rule.articles);
            blocks.push(Block::Paragraph(format!(
                "{}{articles}",
                self.t(
                    "De zorgdrager bewaart een exemplaar van deze verklaring. Een handtekening vraagt de wet niet.",
                    "The body that is responsible for the archives keeps a copy of this declaration. The law asks no signature.",
                )
            )));
        }
    }
}

/// Counted from one, as people do; the proof counts from zero.
pub(super) fn place(one: &Checked) -> String {
    one.certificate.proof.index.saturating_add(1).to_string()
}
