//! The writes of many threads in one transaction.
//!
//! A commit waits for the disk, however much is in it. So a thread that has written, while another
//! already waits for its turn, leaves the commit to that one; the last of them commits for all. Alone, a
//! thread commits at once. The act of each is a savepoint of its own: what one of them got wrong takes
//! nothing from the others. What touches all of them (no room on the disk) is told to all.

use super::values::Fail;
use crate::StoreError;
use rusqlite::{Connection, Savepoint, ffi};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most acts in one transaction, so that the first of them does not wait for ever.
const ACTS_MAX: usize = 64;
/// Begins a transaction that writes.
const BEGIN: &str = "BEGIN IMMEDIATE";
const COMMIT: &str = "COMMIT";
const ROLLBACK: &str = "ROLLBACK";

/// What came of the commit.
type Committed = Result<(), Arc<rusqlite::Error>>;

/// The one connection that writes.
pub(super) struct Group {
    /// Threads that wait for their turn and will certainly take it.
    waiting: AtomicUsize,
    turn: Mutex<Turn>,
}

/// Held for one act, and by the last of a group for the commit.
struct Turn {
    connection: Connection,
    /// Those whose acts are in the open transaction and who wait for its commit.
    acted: Vec<Sender<Committed>>,
}

impl Group {
    pub(super) fn new(connection: Connection) -> Self {
        Self {
            waiting: AtomicUsize::new(0),
            turn: Mutex::new(Turn {
                connection,
                acted: Vec::new(),
            }),
        }
    }

    /// Runs one act. It is durable when this returns `Ok`, and nothing of it is there when this
    /// returns an error.
    pub(super) fn write<T>(
        &self,
        doing: &'static str,
        act: impl FnOnce(&Savepoint<'_>) -> Result<T, Fail>,
    ) -> Result<T, StoreError> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let mut turn = self.take_turn();
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        // A panic in the act must not leave the others waiting.
        let acted = catch_unwind(AssertUnwindSafe(|| turn.act(act)));
        if turn.connection.is_autocommit() {
            // Undone by the database, and the act did not come to say so.
            turn.tell(&Err(Arc::new(undone())));
        }
        let (waits, told) = channel();
        if matches!(acted, Ok(Ok(_))) {
            turn.acted.push(waits);
        }
        // Whoever waits sees to the commit.
        if self.waiting.load(Ordering::SeqCst) == 0 || turn.acted.len() >= ACTS_MAX {
            turn.commit();
        }
        drop(turn);
        let done = acted
            .unwrap_or_else(|panic| resume_unwind(panic))
            .map_err(|fail| fail.into_error(doing))?;
        match told.recv() {
            Ok(Ok(())) => Ok(done),
            Ok(Err(source)) => Err(StoreError::Sql { doing, source }),
            // Only a panic in the commit itself comes here.
            Err(_gone) => Err(StoreError::corrupt("the index", "its writer was lost")),
        }
    }

    /// Runs something on the connection outside of any transaction.
    pub(super) fn alone<T>(&self, act: impl FnOnce(&Connection) -> T) -> T {
        let mut turn = self.take_turn();
        turn.commit();
        act(&turn.connection)
    }

    fn take_turn(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// Runs an act in the open transaction, or begins one.
    fn act<T>(&mut self, act: impl FnOnce(&Savepoint<'_>) -> Result<T, Fail>) -> Result<T, Fail> {
        if self.acted.is_empty() && !self.connection.is_autocommit() {
            // Only acts that were told to have failed are in it.
            self.connection.execute_batch(ROLLBACK)?;
        }
        if self.connection.is_autocommit() {
            self.connection.execute_batch(BEGIN)?;
        }
        let done = self.act_apart(act);
        // Some errors (no room, a broken disk) end the whole transaction in SQLite itself.
        if self.connection.is_autocommit() {
            let source = match &done {
                Err(Fail::Sql(source)) => Arc::clone(source),
                Ok(_) | Err(Fail::Store(_)) => Arc::new(undone()),
            };
            self.tell(&Err(Arc::clone(&source)));
            return Err(Fail::Sql(source));
        }
        done
    }

    /// Dropped without its commit, a savepoint is rolled back.
    fn act_apart<T>(
        &mut self,
        act: impl FnOnce(&Savepoint<'_>) -> Result<T, Fail>,
    ) -> Result<T, Fail> {
        let savepoint = self.connection.savepoint()?;
        let done = act(&savepoint)?;
        savepoint.commit()?;
        Ok(done)
    }

    /// Commits what was done and tells those who wait.
    fn commit(&mut self) {
        if self.connection.is_autocommit() {
            return;
        }
        let ending = if self.acted.is_empty() {
            // Nobody waits: what is in it failed.
            ROLLBACK
        } else {
            COMMIT
        };
        let committed = self.connection.execute_batch(ending).map_err(Arc::new);
        self.tell(&committed);
        // Where undoing fails too, the next act tries again before it begins.
        if committed.is_err() && !self.connection.is_autocommit() {
            self.connection.execute_batch(ROLLBACK).unwrap_or_default();
        }
    }

    fn tell(&mut self, committed: &Committed) {
        for waits in self.acted.drain(..) {
            // One that panicked meanwhile does not listen.
            if waits.send(committed.clone()).is_err() {}
        }
    }
}

/// The transaction was undone by the database, and it did not say why.
fn undone() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_ABORT_ROLLBACK), None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;
    use tempfile::TempDir;
    use voicelog_model::Kind;

    const INSERT: &str = "INSERT INTO t (a) VALUES (?1)";

    fn group() -> (TempDir, Group) {
        let folder = tempfile::tempdir().unwrap();
        let connection = Connection::open(folder.path().join("db")).unwrap();
        let journal = "PRAGMA journal_mode = WAL";
        connection.query_row(journal, [], |_| Ok(())).unwrap();
        let tables = "PRAGMA foreign_keys = ON;
            CREATE TABLE t (a INTEGER PRIMARY KEY, b REFERENCES t DEFERRABLE INITIALLY DEFERRED)";
        connection.execute_batch(tables).unwrap();
        (folder, Group::new(connection))
    }

    fn insert(savepoint: &Savepoint<'_>, number: u32) -> Result<u32, Fail> {
        savepoint.execute(INSERT, [number])?;
        Ok(number)
    }

    /// What another connection sees.
    fn rows(folder: &TempDir) -> Vec<u32> {
        let other = Connection::open(folder.path().join("db")).unwrap();
        let mut all = other.prepare("SELECT a FROM t ORDER BY a").unwrap();
        let rows = all.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    type Act = Box<dyn FnOnce(&Savepoint<'_>) -> Result<u32, Fail> + Send>;

    /// Runs acts that all wait for their turn before the first may begin; their answers in the same order.
    fn together(group: &Group, acts: Vec<Act>) -> Vec<thread::Result<Result<u32, StoreError>>> {
        let turn = group.take_turn();
        let count = acts.len();
        thread::scope(|scope| {
            let begin = |act| scope.spawn(move || group.write("try", act));
            let all: Vec<_> = acts.into_iter().map(begin).collect();
            while group.waiting.load(Ordering::SeqCst) < count {
                thread::yield_now();
            }
            drop(turn);
            all.into_iter()
                .map(thread::ScopedJoinHandle::join)
                .collect()
        })
    }

    fn inserts(numbers: std::ops::Range<u32>) -> Vec<Act> {
        let one = |number| Box::new(move |at: &Savepoint<'_>| insert(at, number)) as Act;
        numbers.map(one).collect()
    }

    #[test]
    fn one_alone_is_committed_at_once_and_a_crowd_in_turn() {
        let (folder, group) = group();
        assert_eq!(group.write("try", |at| insert(at, 7)).unwrap(), 7);
        assert_eq!(rows(&folder), [7]);
        let numbers = 10..10 + 2 * u32::try_from(ACTS_MAX).unwrap();
        for (answer, number) in together(&group, inserts(numbers.clone()))
            .into_iter()
            .zip(numbers.clone())
        {
            assert_eq!(answer.unwrap().unwrap(), number);
        }
        assert_eq!(
            rows(&folder),
            [7].into_iter().chain(numbers).collect::<Vec<_>>()
        );
    }

    #[test]
    fn an_act_that_fails_or_panics_takes_nothing_from_the_others() {
        let (folder, group) = group();
        let mut acts = inserts(0..9);
        acts.push(Box::new(|at| {
            insert(at, 100)?;
            insert(at, 100)
        }));
        acts.push(Box::new(|at| {
            insert(at, 200)?;
            panic!("as a test asked")
        }));
        let answers = together(&group, acts);
        let (kept, lost) = answers.split_at(9);
        assert!(kept.iter().all(|answer| matches!(answer, Ok(Ok(_)))));
        assert!(
            matches!(lost, [Ok(Err(StoreError::Sql { .. })), Err(_panic)]),
            "{lost:?}"
        );
        assert_eq!(rows(&folder), (0..9).collect::<Vec<_>>());
        group.write("try", |at| insert(at, 100)).unwrap();
    }

    #[test]
    fn nobody_is_told_yes_when_the_commit_they_share_fails() {
        let (folder, group) = group();
        let mut acts = inserts(0..5);
        // Only the commit finds that this refers to nothing.
        acts.push(Box::new(|at| {
            at.execute("INSERT INTO t (a, b) VALUES (5, 99)", [])?;
            Ok(5)
        }));
        for answer in together(&group, acts) {
            let error = answer.unwrap().unwrap_err();
            assert_eq!(error.kind(), Kind::Conflict, "{error}");
        }
        assert!(rows(&folder).is_empty());
        group.write("try", |at| insert(at, 0)).unwrap();
        assert_eq!(rows(&folder), [0]);
    }

    #[test]
    fn when_the_database_undoes_all_everyone_is_told() {
        let (folder, group) = group();
        let mut acts = inserts(0..5);
        acts.push(Box::new(|at| {
            at.execute_batch("PRAGMA max_page_count = 3")?;
            at.execute_batch("CREATE TABLE large AS SELECT zeroblob(100000) AS z")?;
            Ok(5)
        }));
        let answers: Vec<_> = together(&group, acts)
            .into_iter()
            .map(Result::unwrap)
            .collect();
        // Whoever came after it began anew.
        let (kept, undone): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.is_ok());
        let undone = undone
            .into_iter()
            .filter_map(|answer| answer.as_ref().err());
        for error in undone {
            assert_eq!(error.kind(), Kind::Exhausted, "{error}");
        }
        let mut kept: Vec<_> = kept
            .into_iter()
            .filter_map(|answer| answer.as_ref().ok().copied())
            .collect();
        kept.sort_unstable();
        assert_eq!(rows(&folder), kept);
        assert!(!kept.contains(&5));
    }
}
