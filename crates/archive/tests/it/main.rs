//! The archive as its callers see it: real files, real index, the real rulebook.
#![cfg(test)]

mod checking;
mod destroying;
mod faults;
mod recording;
mod recovering;
mod support;
