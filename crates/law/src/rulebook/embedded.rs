//! The rules that are part of the program. The folder says the instrument, the file the first day
//! of the version that it follows.

pub(super) const FILES: &[(&str, &str)] = &[];
