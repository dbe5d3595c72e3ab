//! An honest SIPREC recording client (RFC 7866) and RTP sender: it places real calls over real
//! sockets at their real pace, and says exactly what it sent.
//!
//! The demo, the tests and the benchmarks use it, and `voicelog simulate` lets an administrator
//! try an installation with it.
//!
//! **Invariant:** shares no code with the server's rooms; only the nouns of `model`. A load that
//! had the server's mistakes could not show them.
//!
//! Design: `design/src-sim.md`.
#![deny(missing_docs)]

mod batch;
mod by_hand;
mod call;
mod coder;
mod dialect;
mod dialog;
mod error;
mod g711;
mod load;
mod message;
mod metadata;
mod notice;
mod pace;
mod pcap;
mod plan;
mod random;
mod report;
mod rtcp;
mod rtp;
mod running;
mod sdp;
mod signalling;
mod simulate;
pub mod speech;
mod srtp;
mod tls;
mod verdict;
mod weather;

pub use by_hand::CallByHand;
pub use coder::Offered;
pub use dialect::Dialect;
pub use dialog::{Side, ToldBy, Transport};
pub use error::SimError;
pub use load::{Load, LoadPayload, LoadReport, Progress, run, run_with};
pub use metadata::Participant;
pub use notice::notice_in_alaw;
pub use pace::Lateness;
pub use pcap::capture;
pub use plan::{Belongs, CallPlan, Flow, StreamPlan};
pub use report::{Answer, CallReport, FlowChange, Outcome, StreamReport};
pub use rtp::{Disturbance, Payload, Sent};
pub use running::{CallStatus, RunningCall, StreamStatus, place};
pub use sdp::{AnsweredStream, Direction};
pub use simulate::{SimulateOptions, SimulateReport, simulate, simulate_with};
pub use srtp::SrtpSuite;
pub use tls::{TlsClient, TlsOptions};
pub use verdict::{
    Advice, Because, Check, Finding, Kept, KeptStream, Unrecorded, Verdict, judge, judge_archive,
};
pub use weather::Weather;
