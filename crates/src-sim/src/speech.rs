//! A short sales call in Dutch, spoken by a synthesiser: the two sides as G.711 A-law.
//!
//! Origin, text and the commands that make it again: `assets/README.md`.

/// The seller's side: raw A-law, 8 kHz, one byte a sample. It begins with the notice.
pub const AGENT: &[u8] = include_bytes!("../assets/agent.al");

/// The customer's side, as long as [`AGENT`].
pub const CUSTOMER: &[u8] = include_bytes!("../assets/customer.al");

/// Bytes (samples) at the start of [`AGENT`] that hold the notice "Dit gesprek wordt opgenomen als
/// bewijs van onze afspraak."; the customer is silent during them.
pub const NOTICE_BYTES: usize = 25_920;

/// One sample of silence in A-law.
pub const SILENCE: u8 = 0xd5;

/// Both sides of the call from after the notice: the same call without it.
#[must_use]
pub fn without_notice() -> (&'static [u8], &'static [u8]) {
    (
        AGENT.get(NOTICE_BYTES..).unwrap_or_default(),
        CUSTOMER.get(NOTICE_BYTES..).unwrap_or_default(),
    )
}

const _: () = assert!(AGENT.len() == CUSTOMER.len());
const _: () = assert!(AGENT.len().is_multiple_of(160));
const _: () = assert!(NOTICE_BYTES < AGENT.len() && NOTICE_BYTES.is_multiple_of(160));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sides_take_turns() {
        let spoken = |side: &[u8]| side.iter().filter(|sample| **sample != SILENCE).count();
        assert!(spoken(AGENT) > 40_000 && spoken(CUSTOMER) > 10_000);
        let both = AGENT
            .iter()
            .zip(CUSTOMER)
            .filter(|(agent, customer)| **agent != SILENCE && **customer != SILENCE)
            .count();
        assert_eq!(both, 0);
    }

    #[test]
    fn the_notice_is_spoken_before_the_customer_says_anything() {
        let before = &CUSTOMER[..NOTICE_BYTES];
        assert!(before.iter().all(|sample| *sample == SILENCE));
        assert!(
            AGENT[..NOTICE_BYTES]
                .iter()
                .any(|sample| *sample != SILENCE)
        );
        let (agent, customer) = without_notice();
        assert_eq!(agent.len(), customer.len());
        assert_ne!(customer[160], SILENCE);
    }
}
