//! How the law room behaves, seen from outside.
#![cfg(test)]

mod cases;
mod common;
mod decisions;
mod facts;
mod rules;
