//! How the law room behaves, seen from outside.
#![cfg(test)]

mod any;
mod cases;
mod common;
mod coverage;
mod decisions;
mod documents;
mod facts;
mod house;
mod matrix;
mod preview;
mod properties;
mod rules;
