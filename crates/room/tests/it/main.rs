//! Talks on a real archive, with devices that send what browsers send.
#![cfg(test)]

mod chunks;
mod copies;
mod ending;
mod gaps;
mod minutes;
mod notice;
mod recording;
mod support;
