//! Calls over real sockets on the loopback address, against a small responder.

#[cfg(test)]
mod calls;
#[cfg(test)]
mod responder;
