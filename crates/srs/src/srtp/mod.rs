//! SRTP and SRTCP: what a packet was before it was protected (RFC 3711), with keys that came in the
//! session description (RFC 4568).
//!
//! The recorder takes a packet's protection off on its media thread, in the place where the packet
//! lies: nothing is copied and nothing is allocated. Which packets are kept is not decided here.
//!
//! | file | what is in it |
//! |---|---|
//! | `suite` | the crypto suites: names, lengths (RFC 4568 §6.2, RFC 6188, RFC 7714) |
//! | `key` | a master key, wiped when dropped |
//! | `sdes` | the `a=crypto` line |
//! | `derive` | session keys from a master key (RFC 3711 §4.3) |
//! | `cipher` | one packet with a known index |
//! | `replay` | which indices have come |
//! | `receive` | packets as they come: rollover, reordering, rekeying |
//! | `send` | our own RTCP |

mod cipher;
mod derive;
mod key;
mod receive;
mod replay;
pub(crate) mod sdes;
mod send;
mod suite;
#[cfg(test)]
mod tests;

pub use key::MasterKey;
pub use receive::{SrtpError, Unprotector};
pub use send::ControlProtector;
pub use suite::Suite;
