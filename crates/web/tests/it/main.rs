//! The pages and the API as a browser and a program see them: the real router over a real
//! archive, called without a socket.
#![cfg(test)]

mod accounts;
mod api;
mod asking;
mod calls;
mod copies_later;
mod declaration;
mod expected;
#[expect(dead_code, reason = "the example uses the rest of it")]
mod fixture;
mod guard;
mod holds;
mod imports;
mod interview;
mod law;
mod minutes;
mod pages;
mod proposals;
mod requests;
mod rooms;
mod rooms_pages;
mod signing_in;
mod sockets;
mod sound;
mod support;
mod tiles;
mod told;
