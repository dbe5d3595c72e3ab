use super::*;
use voicelog_evidence::TlogProof;
use voicelog_evidence::certificate::{CopyGiven, DestroyedRecording, DestructionGround};
use voicelog_evidence::note::SigningKey;
use voicelog_evidence::sheet::Block;
use voicelog_evidence::tlog::{Leaf, LeafKind, commitment, root_of};
use voicelog_law::Rulebook;
use voicelog_model::{DecisionId, DestructionId};

const AT: Timestamp = Timestamp::from_micros(1_795_000_000_000_000);

fn key() -> SigningKey {
    SigningKey::from_seed("example.com/archive", [3; 32]).unwrap()
}

fn was(recorder: &str) -> DestroyedRecording {
    DestroyedRecording {
        recorded_at: AT.plus_micros(-400 * 86_400_000_000),
        purpose: Some("klacht".to_owned()),
        retention_term: Some("P1Y".to_owned()),
        retain_until: Some(AT.plus_micros(-1)),
        recorder_type: Some(recorder.to_owned()),
        process_type: None,
        asked_by_account: false,
        grounds: vec![DestructionGround {
            rule: "avg.5.term_over".to_owned(),
            articles: vec!["AVG 5 lid 1 e".to_owned()],
        }],
        copies: vec![CopyGiven {
            at: AT.plus_micros(-1_000_000),
            decision: DecisionId::from_bytes([5; 16]),
            recipient: Some("lawyer".to_owned()),
        }],
    }
}

fn certified(number: u8, was: Option<DestroyedRecording>) -> Checked {
    let recording = RecordingId::from_bytes([number; 16]);
    let statement = DestructionStatement {
        scope: voicelog_model::Scope::Whole,
        version: DestructionStatement::VERSION,
        destruction: DestructionId::from_bytes([2; 16]),
        recording,
        decision: DecisionId::from_bytes([3; 16]),
        key_destroyed_at: AT,
        completed_at: AT,
        keys: 1,
        objects: 2,
        bytes: 1_000,
        was,
    };
    let salt = [9; 32];
    let committed = commitment(&salt, &statement.sha256().unwrap());
    let leaf = Leaf::new(LeafKind::Destroyed, AT, recording.to_string(), committed);
    let root = root_of(&[leaf.hash().unwrap()]);
    let certificate = Certificate {
        statement,
        salt,
        leaf,
        proof: TlogProof {
            index: 0,
            hashes: Vec::new(),
            checkpoint: Checkpoint::sign(1, root, &key()).unwrap(),
        },
    };
    let signed = certificate.sign(&key()).unwrap();
    checked(recording, signed, &key().verifier()).unwrap()
}

fn declaration(checked: Vec<Checked>, period: Option<(Timestamp, Timestamp)>) -> Declaration {
    Declaration {
        checked,
        period,
        uncertified: Vec::new(),
        key: key().verifier().to_string(),
        made_at: AT,
    }
}

fn said(declaration: &Declaration, lang: Language) -> String {
    let rulebook = Rulebook::embedded(AT).unwrap();
    html(&sheet::sheet(declaration, &rulebook, lang))
}

#[test]
fn a_declaration_says_what_why_when_how_which_copies_there_are_and_what_backups_mean() {
    let one = declaration(vec![certified(1, Some(was("company")))], None);
    let text = said(&one, Language::Nl);
    for part in [
        "<h1>Verklaring van vernietiging</h1>",
        "Vernietigd op 18 november 2026",
        "klacht",
        "1 jaar",
        "De bewaartermijn is voorbij",
        "AVG 5 lid 1 e",
        "Advocaat van iemand die is opgenomen",
        "vernietigingslijst",
        "voicelog certificate --check",
        "example.com/archive",
        "vanzelf, na het eind van de termijn",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("zorgdrager"), "a company has none");
    let english = said(&one, Language::En);
    assert!(
        english.contains("Declaration of destruction")
            && english.contains("The retention term is over")
    );
}

#[test]
fn a_government_body_is_told_that_it_keeps_a_copy_and_needs_no_signature() {
    let one = declaration(vec![certified(1, Some(was("government_body")))], None);
    let text = said(&one, Language::Nl);
    assert!(
        text.contains("zorgdrager") && text.contains("Archiefbesluit 1995 art. 8"),
        "{text}"
    );
}

#[test]
fn of_a_time_it_counts_by_purpose_term_and_ground_and_names_each_recording() {
    let mut early = was("company");
    early.grounds = Vec::new();
    early.asked_by_account = true;
    early.copies = Vec::new();
    let all = vec![
        certified(1, Some(was("company"))),
        certified(2, Some(was("company"))),
        certified(3, Some(early)),
        certified(4, None),
    ];
    let mut made = declaration(all, Some((AT.plus_micros(-1), AT)));
    made.uncertified = vec![RecordingId::from_bytes([7; 16])];
    let rulebook = Rulebook::embedded(AT).unwrap();
    let sheet = sheet::sheet(&made, &rulebook, Language::En);
    let tables: Vec<_> = sheet
        .blocks
        .iter()
        .filter_map(|block| match block {
            Block::Table { rows, .. } => Some(rows),
            _ => None,
        })
        .collect();
    let counts: Vec<_> = tables[0].iter().map(|row| row[0].as_str()).collect();
    assert_eq!(counts.len(), 3, "{:?}", tables[0]);
    assert!(counts.contains(&"2"));
    assert_eq!(tables[1].len(), 4);
    assert_eq!(tables[2].len(), 2, "the copies of the first two");
    let text = html(&sheet);
    assert!(text.contains("Recordings destroyed: 5"));
    assert!(text.contains("only the log says") && text.contains("can no longer be said"));
    assert!(text.contains("Somebody asked for its destruction"));
    assert!(
        text.contains("Asked for by somebody with an account</dt><dd>1</dd>"),
        "{text}"
    );
}

#[test]
fn of_a_time_in_which_nothing_was_destroyed_it_says_that_and_no_more() {
    let text = said(&declaration(Vec::new(), Some((AT, AT))), Language::En);
    assert!(text.contains("Recordings destroyed: 0"), "{text}");
    assert!(
        !text.contains("Backups") && !text.contains("<table>"),
        "{text}"
    );
}

#[test]
fn its_certificates_are_checked_from_text_and_page_and_a_changed_one_is_found_among_others() {
    let one = certified(1, Some(was("company")));
    let made = declaration(vec![one, certified(2, None)], Some((AT, AT)));
    let verifier = key().verifier();
    let rulebook = Rulebook::embedded(AT).unwrap();
    let sheet = sheet::sheet(&made, &rulebook, Language::Nl);
    for file in [made.text(), html::page(&sheet, &made.text())] {
        let found = check(&file, &verifier);
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(Result::is_ok), "{found:?}");
        let changed = file.replacen("\"objects\":2", "\"objects\":3", 1);
        let changed = changed.replacen("&#34;objects&#34;:2", "&#34;objects&#34;:3", 1);
        let found = check(&changed, &verifier);
        assert!(found[0].is_err() && found[1].is_ok(), "{found:?}");
    }
    let other = SigningKey::from_seed("example.com/other", [4; 32]).unwrap();
    let found = check(&made.text(), &other.verifier());
    assert!(found.iter().all(Result::is_err));
    assert!(check("no certificate", &verifier).is_empty());
    // As an editor saves it, and as mail brings it.
    let edited = format!("\u{feff}\n{} \r\n\r\n", made.text().trim_end());
    let found = check(&edited, &verifier);
    assert!(
        found.len() == 2 && found.iter().all(Result::is_ok),
        "{found:?}"
    );
    // One whose first line was damaged is not passed over.
    let hidden = made.text().replacen("voicelog", "voicelag", 1);
    let found = check(&hidden, &verifier);
    assert!(found[0].is_err() && found[1].is_ok(), "{found:?}");
}

#[test]
fn what_a_certificate_does_not_say_is_not_denied() {
    let one = declaration(vec![certified(1, None)], None);
    let text = said(&one, Language::En);
    assert!(!text.contains("no copy was given"), "{text}");
    assert!(
        text.contains("can no longer be said whether a copy was given"),
        "{text}"
    );
    let all = declaration(
        vec![certified(1, None), certified(2, Some(was("company")))],
        Some((AT, AT)),
    );
    let text = said(&all, Language::En);
    assert!(text.contains("Not known who asked"), "{text}");
    let mut none = declaration(Vec::new(), Some((AT, AT)));
    none.uncertified = vec![RecordingId::from_bytes([5; 16])];
    let text = said(&none, Language::En);
    assert!(
        text.contains("can no longer be said whether a copy was given"),
        "{text}"
    );
}

#[test]
fn a_government_body_destroys_by_its_selection_list() {
    let body = DestroyedRecording {
        process_type: Some("8.1".to_owned()),
        ..was("government_body")
    };
    let text = said(
        &declaration(vec![certified(1, Some(body))], None),
        Language::Nl,
    );
    assert!(
        text.contains("Selectielijst, proces 8.1 [Archiefwet"),
        "{text}"
    );
}
