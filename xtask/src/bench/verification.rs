//! How fast a bundle is verified, against the plain hash of the same bytes.

pub(crate) struct Verification;

impl Verification {
    pub(crate) fn print(&self) {}
}

pub(crate) fn measure(_quick: bool) -> anyhow::Result<Verification> {
    Ok(Verification)
}
