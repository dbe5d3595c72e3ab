//! Behaviour of the stores on a real disk.
#![cfg(test)]

mod conformance;
mod disk_full;
mod fixture;
mod migrating;
mod power_cut;
mod processes;
mod wiping;
