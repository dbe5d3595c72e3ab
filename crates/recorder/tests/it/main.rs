//! Behaviour of the recorder over real sockets.
