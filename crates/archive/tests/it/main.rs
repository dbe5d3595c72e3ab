//! The archive as its callers see it: real files, real index, the real rulebook.
#![cfg(test)]

mod beginning;
mod checking;
mod closing;
mod consent;
mod destroying;
mod faults;
mod house;
mod notice;
mod recording;
mod recovering;
mod rules;
mod sequencing;
mod support;
mod tampering;
