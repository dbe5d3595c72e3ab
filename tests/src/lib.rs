//! What the tests of the whole system share. The tests themselves are in `tests/it`.

pub mod fuzz_smoke;
