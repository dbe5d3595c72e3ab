//! How the law room behaves, seen from outside.

mod cases;
mod common;
mod decisions;
mod facts;
mod rules;
