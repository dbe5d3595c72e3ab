//! The archive as its callers see it: real files, real index, the real rulebook.
#![cfg(test)]

mod backup;
mod beginning;
mod checking;
mod closing;
mod consent;
mod destroying;
mod faults;
mod holding;
mod house;
mod importing;
mod key_store;
mod keys;
mod notice;
mod proposing;
mod recording;
mod recovering;
mod restoring;
mod rules;
mod sequencing;
mod simulation;
mod sound;
mod sound_keeping;
mod support;
mod surviving;
mod tampering;
mod tampering_live;
mod telling;
mod terms;
mod vcon;
mod watching;
