//! The formats as a stranger meets them: bytes in, answers out.

#[cfg(test)]
mod authority;
#[cfg(test)]
mod codecs;
#[cfg(test)]
mod differential;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod journey;
#[cfg(test)]
mod networks;
#[cfg(test)]
mod others;
#[cfg(test)]
mod part;
#[cfg(test)]
mod part_lies;
#[cfg(test)]
mod receipts;
#[cfg(test)]
mod recipe;
#[cfg(test)]
mod stamped;
#[cfg(test)]
mod tamper;
#[cfg(test)]
mod timestamps;
#[cfg(test)]
mod vcon;
#[cfg(test)]
mod vcon_import;
#[cfg(test)]
mod vouched;
#[cfg(test)]
mod words;
