//! The recorder over real sockets: a recording client on one side, an archive on the other.

mod admission;
mod ending;
mod permission;
mod recording;
mod support;
