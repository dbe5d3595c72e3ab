//! Call flows of the recording server, in simulated time.
#![cfg(test)]

mod clauses;
mod client;
mod dialects;
mod diversion;
mod hostile;
mod invite;
mod keys;
mod labels;
mod late;
mod offers;
mod privacy;
mod progress;
mod reinvite;
mod replaces;
mod rules;
mod snapshots;
mod timers;
mod torture;
mod transport;
mod vendor_calls;
mod vendors;
