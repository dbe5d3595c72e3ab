//! The one door through which random bytes enter the archive.

/// The operating system gave no random bytes. Without them no key may be made.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gives no random bytes")]
pub struct RandomError(#[source] getrandom::Error);

/// Random bytes from the operating system.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the door that the lint points to"
)]
pub fn bytes<const N: usize>() -> Result<[u8; N], RandomError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(RandomError)?;
    Ok(bytes)
}
