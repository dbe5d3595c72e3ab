//! Storage that fails on demand, for the fault matrix of the rooms above.
//!
//! One [`Schedule`] counts the operations of all wrappers that share it, and the steps of the disk below a folder
//! ([`DiskFaults`]). Run the act once without
//! a fault to learn how many operations it has, then once for each of them and each way to fail,
//! recover, and look at the archive from outside.

mod blobs;
mod dice;
mod disk;
mod index;
mod keys;

pub use crate::blobs::cut_power;
pub use blobs::FaultyBlobs;
pub use dice::Dice;
pub(crate) use disk::step;
pub use disk::{DISK, DiskFaults};
pub use index::FaultyIndex;
pub use keys::FaultyKeys;

use crate::StoreError;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// When an operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Without effect.
    Before,
    /// After it took effect: it looks failed and is done.
    After,
}

/// What happens to the operations that follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// They work.
    GoOn,
    /// They all fail: the process is as good as dead. Objects are abandoned as they are.
    Dead,
}

#[derive(Debug, Default)]
struct Plan {
    operations: Vec<&'static str>,
    fail_at: Option<(usize, When, Then)>,
    meanwhile: Option<(&'static str, Meanwhile)>,
    is_dead: bool,
    is_down: bool,
}

/// What somebody else does in between.
struct Meanwhile(Box<dyn FnOnce() + Send>);

impl std::fmt::Debug for Meanwhile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Meanwhile")
    }
}

/// Counts operations and makes one of them fail.
#[derive(Debug, Clone, Default)]
pub struct Schedule(Arc<Mutex<Plan>>);

impl Schedule {
    /// Nothing fails; operations are counted.
    #[must_use]
    pub fn counting() -> Self {
        Self::default()
    }

    /// The operation with that number, from 1, fails.
    #[must_use]
    pub fn failing(number: usize, when: When, then: Then) -> Self {
        let schedule = Self::default();
        schedule.plan().fail_at = Some((number, when, then));
        schedule
    }

    /// Nothing fails; behind the first operation of that name, somebody else does something.
    #[must_use]
    pub fn interrupted(name: &'static str, by: impl FnOnce() + Send + 'static) -> Self {
        let schedule = Self::default();
        schedule.plan().meanwhile = Some((name, Meanwhile(Box::new(by))));
        schedule
    }

    /// From now on every operation fails without effect, until it is said that they work again.
    pub fn set_down(&self, is_down: bool) {
        self.plan().is_down = is_down;
    }

    /// The process is dead from now on: every operation fails, and objects are abandoned as they are.
    pub fn kill(&self) {
        self.plan().is_dead = true;
    }

    /// Names of the operations so far.
    #[must_use]
    pub fn operations(&self) -> Vec<&'static str> {
        self.plan().operations.clone()
    }

    /// Whether everything fails by now.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.plan().is_dead
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs an operation under the schedule. `die` is called when it is the last one.
    fn run<T>(
        &self,
        name: &'static str,
        die: impl FnOnce(),
        act: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let (number, fault) = {
            let mut plan = self.plan();
            plan.operations.push(name);
            let number = plan.operations.len();
            let fault = match plan.fail_at {
                _ if plan.is_dead => Some((When::Before, Then::Dead)),
                _ if plan.is_down => Some((When::Before, Then::GoOn)),
                Some((at, when, then)) if at == number => Some((when, then)),
                _ => None,
            };
            (number, fault)
        };
        let Some((when, then)) = fault else {
            let done = act();
            let by = self
                .plan()
                .meanwhile
                .take_if(|(awaited, _)| *awaited == name);
            if let Some((_, Meanwhile(by))) = by {
                by();
            }
            return done;
        };
        if when == When::After {
            act()?;
        }
        if then == Then::Dead {
            self.plan().is_dead = true;
            die();
        }
        Err(StoreError::Injected {
            operation: u64::try_from(number).unwrap_or(u64::MAX),
        })
    }
}

/// Implements a trait by running each verb of `inner` under the schedule.
macro_rules! forward {
    ($trait:path, $wrapper:ident, $(
        fn $name:ident(&self $(, $arg:ident: $type:ty)* $(,)?) -> $ret:ty;
    )*) => {
        impl $trait for $wrapper {
            $(fn $name(&self $(, $arg: $type)*) -> Result<$ret, StoreError> {
                self.schedule.run(
                    stringify!($name),
                    || self.die(),
                    || self.inner.$name($($arg),*),
                )
            })*
        }
    };
}
use forward;
