//! Whole-system tests: the release binary as a user runs it, real SIP and RTP, other people's
//! tools. `cargo xtask test` builds the binary and installs the tools first.
#![cfg(test)]

mod acme;
mod backups;
mod bad_input;
mod baresip;
mod crash;
mod damaged;
mod demo;
mod disk_full;
mod erasure;
mod expected;
mod floods;
mod importing;
mod keys;
mod keys_token;
mod lifecycle;
mod log;
mod pains;
mod pausing;
mod retention;
mod second_person;
mod simulate;
mod simulate_tls;
mod sipp;
mod support;
mod uploading;
mod verdicts;
mod webhooks;
