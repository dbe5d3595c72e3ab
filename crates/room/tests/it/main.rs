//! Talks on a real archive.
#![cfg(test)]
