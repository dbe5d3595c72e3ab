//! The formats as a stranger meets them: bytes in, answers out.

mod fixture;
mod golden;
mod journey;
mod tamper;
