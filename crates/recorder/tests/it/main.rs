//! The recorder over real sockets: a recording client on one side, an archive on the other.
#![cfg(test)]

mod admission;
mod alarms;
mod answers;
mod carried;
mod changing;
mod codecs;
mod conversations;
mod disk;
mod ending;
mod holding;
mod index;
mod keeping;
mod keys;
mod late;
mod meanwhile;
mod notices;
mod offers;
mod pausing;
mod people;
mod permission;
mod pki;
mod private;
mod raw;
mod recording;
mod rtcp;
mod rules;
mod srtp;
mod support;
mod tls;
mod tls_files;
mod told;
