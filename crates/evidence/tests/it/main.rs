//! The formats as a stranger meets them: bytes in, answers out.

#[cfg(test)]
mod codecs;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod journey;
#[cfg(test)]
mod tamper;
