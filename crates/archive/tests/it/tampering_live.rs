//! Every kind of byte of an archive, changed by somebody while nobody looks: `check` finds it and names it.
//! What nothing inside the archive can show is listed here, with what shows it.

use crate::backup::files_of;
use crate::support::*;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use std::path::Path;
use tempfile::TempDir;
use voicelog_archive::check::Level;
use voicelog_archive::keys::{EpochKeys, MasterKey};
use voicelog_archive::{Archive, HoldAsked, HoldGround, State, TimestampRow, Verdict};
use voicelog_model::{RecordingId, Timestamp};
use voicelog_store::{Access, Layout, LocalStore};

const DAY: i64 = 86_400;

/// What is in the archive that is tampered with.
struct Site {
    folder: TempDir,
    /// Sealed; the first is held, on the second a hold was lifted, and somebody listened.
    kept: [RecordingId; 2],
}

fn opened(store: LocalStore) -> Archive {
    let mut parts = crate::proposing::with_rule(parts_of(store), crate::proposing::NOT_ALONE);
    let master = MasterKey::from_random([0x11; 32]);
    parts.secrets.epoch_keys = EpochKeys::under(Box::new(master), None);
    Archive::open(parts)
}

fn open(folder: &Path, access: Access) -> Result<Archive, String> {
    let store = LocalStore::open(&Layout::in_folder(folder), access);
    store.map(opened).map_err(|error| error.to_string())
}

fn writing(folder: &Path) -> Archive {
    open(
        folder,
        Access::Write(voicelog_store::blobs::Options::default()),
    )
    .unwrap()
}

fn hold(archive: &Archive, id: RecordingId) -> voicelog_archive::Hold {
    let asked = HoldAsked {
        ground: HoldGround::Claim,
        owner: asker(),
        review_at: seconds(9 * DAY),
        note: None,
        by: asker(),
    };
    archive.place_hold(id, &asked, seconds(60)).unwrap()
}

/// Proposals of each kind, among accounts of each kind.
fn propose(archive: &Archive, id: RecordingId) {
    let first = first_account(archive, "beheer");
    let second = invited_account(archive, "anna", &first);
    let declined = archive.propose(id, &asker(), &first, seconds(60)).unwrap();
    archive
        .decline(declined.id, &asker(), &second, seconds(61))
        .unwrap();
    let confirmed = archive.propose(id, &asker(), &second, seconds(62)).unwrap();
    archive.confirm(confirmed.id, &first, seconds(63)).unwrap();
    let lapses = confirmed.stands_until;
    archive.propose(id, &asker(), &second, lapses).unwrap();
    archive.end_account(&second, &first, lapses).unwrap();
    let invitation = voicelog_archive::Invitation {
        id: voicelog_model::InvitationId::new(START, [9; 10]),
        hash: [9; 32],
        name: "carla".to_owned(),
        invited_by: "beheer".to_owned(),
        made_at: START,
        expires_at: lapses,
    };
    assert!(archive.accounts().invite(&invitation).unwrap());
}

fn destroy(archive: &Archive, id: RecordingId, at: Timestamp) {
    let Verdict::Permit(permit) = archive.ask_to_destroy(id, at).unwrap().verdict else {
        panic!("refused")
    };
    archive.destroy(permit, at).unwrap();
}

/// An archive that has something of everything.
fn site() -> Site {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::in_folder(folder.path());
    LocalStore::create(&layout, voicelog_store::ArchiveId([7; 16]), START).unwrap();
    let archive = writing(folder.path());
    archive.ensure_epoch(START).unwrap();
    archive.introduce(START).unwrap();
    let sheets = archive.new_recovery_set(START).unwrap().sheets;
    archive
        .confirm_recovery_set(&sheets[0], &sheets[1], b"secrets", START)
        .unwrap();
    let kept = [0, 1].map(|_| record(&archive).id);
    archive.new_epoch(START).unwrap();
    let gone = record(&archive).id;
    let with_sound = [0, 1].map(|_| crate::sound::record_on(&archive, "short_sound"));
    hold(&archive, kept[0]);
    let lifted = hold(&archive, kept[1]);
    archive
        .release(lifted.id, &asker(), &asker(), seconds(90))
        .unwrap();
    crate::backup::opens(&archive, kept[1]);
    propose(&archive, kept[1]);
    let refused = open_call(&archive, "covert");
    archive.ask_to_record(refused.id, START).unwrap();
    let over = (
        START,
        voicelog_archive::journal::JournalEvent::CallStarted {},
    );
    archive
        .finish_unrecorded(refused.id, &[over], seconds(9))
        .unwrap();
    crate::sound::end_sound(&archive, with_sound[1]);
    destroy(&archive, gone, seconds(370 * DAY));
    let (_read, note) = archive.newest_checkpoint().unwrap().unwrap();
    archive.keep_cosigned(&note).unwrap();
    let stamped = TimestampRow {
        size: archive.log_size().unwrap(),
        at: seconds(371 * DAY),
        checkpoint: note.into_bytes(),
        token: b"a token".to_vec(),
    };
    archive.keep_timestamp(&stamped).unwrap();
    archive.settle().unwrap();
    drop(archive);
    let site = Site { folder, kept };
    assert_eq!(found(site.folder.path()), [""; 0]);
    site
}

/// What a check from outside finds; where the archive does not open, why. Ids are in it.
fn found(folder: &Path) -> Vec<String> {
    let archive = match open(folder, Access::Read) {
        Ok(archive) => archive,
        Err(error) => return vec![error],
    };
    match archive.check(Level::Hash) {
        Ok(findings) => findings
            .wrong
            .into_iter()
            .map(|one| format!("{:?} {}", one.recording, one.what))
            .collect(),
        Err(error) => vec![voicelog_model::error::chain(&error).to_string()],
    }
}

impl Site {
    /// The same once more, to be spoilt.
    fn copy(&self) -> TempDir {
        let copy = tempfile::tempdir().unwrap();
        copy_folder(self.folder.path(), copy.path());
        copy
    }
}

/// What a finding about a file must say.
enum Kind {
    /// This: an id, or a name.
    Named(String),
    /// Locked while somebody works. Nothing in it counts.
    Lock,
    /// The index, which the next test is about.
    Index,
    /// Of a recovery set, which only its sheets open.
    Sheets,
}

/// Every file is of a kind that is known here; a new one asks what finds its damage.
fn kind(name: &str) -> Kind {
    let named = |text: &str| Kind::Named(text.to_owned());
    let parts: Vec<&str> = name.split('/').collect();
    match parts[..] {
        ["index.db"] => Kind::Index,
        ["keys", "meta"] => named("keys"),
        ["blobs", "meta"] => named("blobs"),
        ["keys", "lock" | "keys.lock"] | ["blobs", "spool", "lock"] => Kind::Lock,
        ["keys", "records", "recovery-secrets"] => Kind::Sheets,
        ["keys", "records", record] => named(record),
        ["keys", key] => {
            let name = key.strip_suffix(".key").unwrap().parse().unwrap();
            named(&voicelog_evidence::key::owner_of_key(name).0.to_string())
        }
        ["blobs", "objects", "rec", id, segment] if segment.ends_with(".seg") => named(id),
        _ => panic!("`{name}` is a new kind of file: say here what finds its damage"),
    }
}

/// What somebody does to one file.
const SPOILT: [&str; 5] = ["flipped", "cut", "emptied", "longer", "removed"];

fn spoil(path: &Path, how: &str, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    match how {
        "flipped" => bytes[at] ^= 4,
        "cut" => bytes.truncate(bytes.len() - 1),
        "emptied" => bytes.clear(),
        "longer" => bytes.push(7),
        _ => return std::fs::remove_file(path).unwrap(),
    }
    crate::backup::write(path, &bytes);
}

#[test]
fn every_file_of_an_archive_that_is_flipped_cut_emptied_longer_or_removed_is_named() {
    let site = site();
    for path in files_of(site.folder.path()) {
        let name = path.strip_prefix(site.folder.path()).unwrap();
        let text = name.display().to_string();
        let Kind::Named(told) = kind(&text) else {
            continue;
        };
        let len = std::fs::read(&path).unwrap().len();
        for how in SPOILT {
            // Of a recovery set the key counts, and not when it was made.
            let bytes = std::fs::read(&path).unwrap();
            let key = bytes.windows(13).position(|at| at == b"\"public_key\":");
            let places = match key.filter(|_| told == "recovery") {
                Some(key) => vec![0, key + 14, key + 20, len - 1],
                None => vec![0, 5, len / 3, len / 2, len - 2, len - 1],
            };
            for at in places
                .into_iter()
                .take(if how == "flipped" { 6 } else { 1 })
            {
                let copy = site.copy();
                spoil(&copy.path().join(name), how, at);
                let found = found(copy.path());
                // An epoch that nothing is under any more can go; it is not kept after `keys rewrap`.
                let is_named = found.iter().any(|what| what.contains(&told));
                let is_lost = how == "removed" || how == "emptied";
                let is_named =
                    is_named || (is_lost && told.starts_with("epoch") && !found.is_empty());
                assert!(
                    is_named || is_lost && told == "recovery",
                    "{text} {how} at {at}: {found:?}"
                );
            }
        }
    }
}

#[test]
fn files_in_each_others_place_and_files_of_before_are_named() {
    let site = site();
    let [one, two] = site.kept;
    for pattern in ["keys/ID.key", "blobs/objects/rec/ID/000001.seg"] {
        let copy = site.copy();
        let paths = [one, two].map(|id| copy.path().join(pattern.replace("ID", &id.to_string())));
        let bytes = [0, 1].map(|at| std::fs::read(&paths[at]).unwrap());
        crate::backup::write(&paths[0], &bytes[1]);
        crate::backup::write(&paths[1], &bytes[0]);
        let found = found(copy.path());
        for id in [one, two] {
            assert!(
                found.iter().any(|what| what.contains(&id.to_string())),
                "{pattern}: {found:?}"
            );
        }
    }
    // The wrapped key from before an epoch went, put back.
    let copy = site.copy();
    let key = copy.path().join(format!("keys/{one}.key"));
    let before = std::fs::read(&key).unwrap();
    let archive = writing(copy.path());
    assert_eq!(archive.rewrap(seconds(371 * DAY)).unwrap().destroyed, [1]);
    archive.settle().unwrap();
    drop(archive);
    assert_eq!(found(copy.path()), [""; 0]);
    crate::backup::write(&key, &before);
    let found = found(copy.path());
    assert!(
        found.iter().any(|what| what.contains(&one.to_string())),
        "{found:?}"
    );
}

#[test]
fn frames_of_a_segment_in_another_order_or_left_out_are_named() {
    let site = site();
    let id = site.kept[0];
    let name = format!("blobs/objects/rec/{id}/000001.seg");
    let bytes = std::fs::read(site.folder.path().join(&name)).unwrap();
    // Header, then frames of a length, its check, and as many bytes.
    let mut ends = vec![96];
    while let Some(length) = bytes[ends[ends.len() - 1]..].first_chunk() {
        ends.push(ends[ends.len() - 1] + 8 + u32::from_be_bytes(*length) as usize);
    }
    let frames: Vec<&[u8]> = ends
        .windows(2)
        .map(|pair| &bytes[pair[0]..pair[1]])
        .collect();
    assert!(frames.len() > 3);
    let mut swapped = frames.clone();
    swapped.swap(1, 2);
    let mut without = frames.clone();
    without.remove(1);
    let twice = [&frames[..2], &frames[1..]].concat();
    let shorter = frames[..frames.len() - 1].to_vec();
    for frames in [swapped, without, twice, shorter] {
        let copy = site.copy();
        let changed = [&bytes[..96], &frames.concat()].concat();
        crate::backup::write(&copy.path().join(&name), &changed);
        let found = found(copy.path());
        assert!(
            found.iter().any(|what| what.contains(&id.to_string())),
            "{found:?}"
        );
    }
}

/// Values of the index that a check does not find changed, and why that harms nobody or what shows it.
/// `*` is a row that is taken away; a tombstone is what stays of a destroyed recording.
const NOT_FOUND: [(&str, &[&str], &str); 12] = [
    (
        "accounts",
        &["password_hash", "signed_in_at"],
        "who can write in the index can set a password; what is done with the account names it",
    ),
    (
        "decisions of a tombstone",
        &["document"],
        "the salt of its leaf went with the recording",
    ),
    (
        "destructions",
        &["begun_at"],
        "the order in which destructions are continued",
    ),
    (
        "invitations",
        &[
            "id",
            "hash",
            "name",
            "invited_by",
            "made_at",
            "expires_at",
            "*",
        ],
        "no account yet; one that is made by it is in the log",
    ),
    (
        "leaves",
        &["id"],
        "of one that no row refers to: how a row finds its entry",
    ),
    ("log_cosigned", &["*"], "witnesses have it, and sign again"),
    (
        "log_marks",
        &["name", "value", "*"],
        "what the log was told last; it is told once more",
    ),
    (
        "log_timestamps",
        &["seq", "at", "token", "*"],
        "who has the authority's certificates checks the token, and has it in bundles",
    ),
    (
        "recordings of a tombstone",
        &["started_at", "ended_at", "retain_until", "leaf"],
        "nothing is decided by them any more",
    ),
    (
        "recordings",
        &["line's value", "sound_ask_again_at"],
        "the name of the line in lists; what the law was told is in the facts; when it is asked again",
    ),
    (
        "schema_history",
        &["applied_at", "program"],
        "when the program was brought up to date",
    ),
    (
        "settings",
        &["name", "value", "*"],
        "of a destruction: what its certificate says by now",
    ),
];

fn is_known(table: &str, column: &str) -> bool {
    let mut known = NOT_FOUND.iter();
    known.any(|(of, columns, _why)| *of == table && columns.contains(&column))
}

/// Another value of the same type.
fn other(value: &Value) -> Option<Value> {
    Some(match value {
        Value::Null => return None,
        Value::Integer(number) => Value::Integer(number - 200 * DAY * 1_000_000),
        Value::Real(number) => Value::Real(number + 1.0),
        Value::Text(text) => Value::Text(text.replace(|c: char| c.is_ascii_alphanumeric(), "x")),
        Value::Blob(bytes) => {
            let mut bytes = bytes.clone();
            *bytes.last_mut()? ^= 1;
            Value::Blob(bytes)
        }
    })
}

fn names(index: &Connection, query: &str) -> Vec<String> {
    let mut statement = index.prepare(query).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

/// A row of the index.
struct Row<'a> {
    table: &'a str,
    columns: &'a [String],
    values: Vec<Value>,
}

impl Row<'_> {
    fn value(&self, column: &str) -> &Value {
        let place = self.columns.iter().position(|name| name == column);
        &self.values[place.unwrap()]
    }

    /// The table, with whether the row is of something destroyed.
    fn kind(&self) -> String {
        let is_tombstone = match self.table {
            "recordings" => *self.value("state") == Value::Text("destroyed".to_owned()),
            "decisions" => *self.value("facts") == Value::Null,
            _ => false,
        };
        let table = self.table;
        match is_tombstone {
            true => format!("{table} of a tombstone"),
            false => table.to_owned(),
        }
    }

    /// Every way to change it: what is changed, with the statement and its values.
    fn changes(&self, index: &Connection) -> Vec<(String, String, Vec<Value>)> {
        let table = self.table;
        let of_table = |query: &str| names(index, &query.replace("('T')", &format!("('{table}')")));
        let key = of_table("SELECT name FROM pragma_table_info('T') WHERE pk > 0 ORDER BY pk");
        let wiped = of_table(
            "SELECT \"from\" FROM pragma_foreign_key_list('T') WHERE \"table\" = 'erasable'",
        );
        let is_row: Vec<_> = key.iter().map(|name| format!("{name} IS ?")).collect();
        let is_row = is_row.join(" AND ");
        let at: Vec<Value> = key.iter().map(|name| self.value(name).clone()).collect();
        let delete = format!("DELETE FROM {table} WHERE {is_row}");
        let mut changes = vec![("*".to_owned(), delete, at.clone())];
        for (column, value) in self.columns.iter().zip(&self.values) {
            if let Some(other) = other(value) {
                let update = format!("UPDATE {table} SET {column} = ? WHERE {is_row}");
                changes.push((column.clone(), update, [&[other], &at[..]].concat()));
            }
            if wiped.contains(column) && *value != Value::Null {
                // An encrypted value ends in any byte, in an `x` too.
                let update = "UPDATE erasable SET bytes = CAST(substr(bytes, 1, length(bytes) - 1)
                    || CASE substr(bytes, -1) WHEN x'78' THEN 'y' ELSE 'x' END AS BLOB)
                    WHERE seq = ?";
                changes.push((
                    format!("{column}'s value"),
                    update.to_owned(),
                    vec![value.clone()],
                ));
            }
        }
        changes
    }
}

/// The rows of a table. What is erasable is changed with the rows that refer to it.
fn rows<'a>(index: &Connection, table: &'a str, columns: &'a [String]) -> Vec<Row<'a>> {
    let all = format!("SELECT {} FROM {table}", columns.join(", "));
    let mut statement = index.prepare(&all).unwrap();
    let values = statement.query_map([], |row| {
        let values = (0..columns.len()).map(|at| row.get(at));
        values.collect::<Result<Vec<Value>, _>>()
    });
    let row = |values: Result<Vec<Value>, _>| Row {
        table,
        columns,
        values: values.unwrap(),
    };
    values.unwrap().map(row).collect()
}

#[test]
fn every_value_and_every_row_of_the_index_that_is_changed_or_taken_away_is_found() {
    let site = site();
    let index = Connection::open(site.folder.path().join("index.db")).unwrap();
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
        AND name <> 'erasable'";
    let (mut silent, mut changed) = (Vec::new(), 0);
    for table in names(&index, tables) {
        let columns = format!("SELECT name FROM pragma_table_info('{table}')");
        let columns = names(&index, &columns);
        for row in rows(&index, &table, &columns) {
            for (column, statement, values) in row.changes(&index) {
                let copy = site.copy();
                let spoilt = Connection::open(copy.path().join("index.db")).unwrap();
                spoilt.pragma_update(None, "foreign_keys", "OFF").unwrap();
                // What storage itself refuses cannot be.
                if spoilt
                    .execute(&statement, params_from_iter(&values))
                    .is_err()
                {
                    continue;
                }
                drop(spoilt);
                changed += 1;
                if found(copy.path()).is_empty() && !is_known(&row.kind(), &column) {
                    silent.push(format!("{} {column}: {:?}", row.kind(), row.values[0]));
                }
            }
        }
    }
    assert!(changed > 200, "{changed}");
    assert!(silent.is_empty(), "a check finds nothing of {silent:#?}");
}

#[test]
fn an_archive_as_a_whole_of_yesterday_passes_its_own_check_and_a_checkpoint_from_outside_shows_it()
{
    let site = site();
    let yesterday = site.copy();
    let archive = writing(site.folder.path());
    destroy(&archive, site.kept[1], seconds(372 * DAY));
    archive.settle().unwrap();
    let (seen, note) = archive.newest_checkpoint().unwrap().unwrap();
    drop(archive);
    // Nothing inside can tell: it is what it was.
    assert_eq!(found(yesterday.path()), [""; 0]);
    let back = open(yesterday.path(), Access::Read).unwrap();
    assert_eq!(back.summary(site.kept[1]).unwrap().state, State::Sealed);
    let shown = back.own_checkpoint(note.as_bytes()).unwrap_err();
    assert!(
        matches!(shown, voicelog_archive::ArchiveError::RolledBack { seen: size, .. } if size == seen.size),
        "{shown}"
    );
}

#[test]
fn a_spool_that_is_changed_costs_nothing_that_the_objects_have_and_one_of_another_form_is_refused()
{
    for at in [3, 20, 40, 100, 2_000] {
        let made = fixture();
        let call = open_call(&made.archive, "announced");
        std::mem::forget(write_media(&made.archive, &call, 75));
        let after = tempfile::tempdir().unwrap();
        copy_folder(made.folder.path(), after.path());
        let all = files_of(&after.path().join("blobs/spool"));
        let spool = all
            .iter()
            .find(|path| path.extension().is_some_and(|end| end == "spool"));
        spoil(spool.unwrap(), "flipped", at);
        let writing = Access::Write(voicelog_store::blobs::Options::default());
        let store = LocalStore::open(&Layout::in_folder(after.path()), writing);
        if at < 16 {
            let refused = store.unwrap_err().to_string();
            assert!(refused.contains(".spool"), "{refused}");
            continue;
        }
        let archive = Archive::open(parts_of(store.unwrap()));
        assert_eq!(archive.recover(seconds(30)).unwrap().damaged, []);
        let timeline = archive.detail(call.id).unwrap().timeline.unwrap();
        assert_eq!(timeline.streams[0].packets, 75, "flipped at {at}");
        assert_eq!(archive.check(Level::Hash).unwrap().wrong, []);
    }
}

#[test]
fn a_journal_of_the_index_that_is_changed_is_named_or_a_checkpoint_from_outside_shows_it() {
    let made = fixture();
    let ids = [0, 1, 2].map(|_| record(&made.archive).id);
    made.archive.sequence().unwrap();
    let (seen, note) = made.archive.newest_checkpoint().unwrap().unwrap();
    let name = "index.db-wal";
    let len = std::fs::read(made.folder.path().join(name)).unwrap().len();
    let mut shown = 0;
    for at in (0..len).step_by(len / 12).chain([len - 1]) {
        let copy = tempfile::tempdir().unwrap();
        copy_folder(made.folder.path(), copy.path());
        // What reads it first makes this again.
        std::fs::remove_file(copy.path().join("index.db-shm")).unwrap();
        spoil(&copy.path().join(name), "flipped", at);
        let Ok(store) = LocalStore::open(&Layout::in_folder(copy.path()), Access::Read) else {
            shown += 1;
            continue;
        };
        let archive = Archive::open(parts_of(store));
        let is_named = archive
            .check(Level::Hash)
            .map_or(true, |found| !found.wrong.is_empty());
        let is_back = archive.own_checkpoint(note.as_bytes()).is_err();
        let is_same = archive.log_size().is_ok_and(|size| size == seen.size)
            && ids.iter().all(|id| archive.summary(*id).is_ok());
        assert!(is_named || is_back || is_same, "flipped at {at}");
        shown += usize::from(is_named || is_back);
    }
    assert!(shown > 3, "{shown}");
}
