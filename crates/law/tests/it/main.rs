//! How the law room behaves, seen from outside.
#![cfg(test)]

mod any;
mod cases;
mod common;
mod coverage;
mod decisions;
mod facts;
mod matrix;
mod properties;
mod rules;
