//! What tests let go wrong: at a place in the code, for one recording, once.

use std::sync::{Mutex, MutexGuard, PoisonError};
use voicelog_model::RecordingId;

struct Mishap {
    id: RecordingId,
    place: &'static str,
    act: Box<dyn FnOnce() + Send>,
}

/// Of all tests of the process; each has recordings of its own.
static PLANNED: Mutex<Vec<Mishap>> = Mutex::new(Vec::new());

fn planned() -> MutexGuard<'static, Vec<Mishap>> {
    PLANNED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// When what is done for this recording next comes by this place, this is done there.
pub(crate) fn plan(id: RecordingId, place: &'static str, act: impl FnOnce() + Send + 'static) {
    let act = Box::new(act);
    planned().push(Mishap { id, place, act });
}

/// A place at which something may be planned.
pub(crate) fn mishap(id: RecordingId, place: &'static str) {
    let found = {
        let mut all = planned();
        let is_here = |mishap: &Mishap| mishap.id == id && mishap.place == place;
        let found = all.iter().position(is_here);
        found.map(|found| all.swap_remove(found))
    };
    if let Some(mishap) = found {
        (mishap.act)();
    }
}
