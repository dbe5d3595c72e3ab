//! One file per command, or per family of commands.

pub(crate) mod check;
pub(crate) mod demo;
pub(crate) mod expected;
pub(crate) mod law;
pub(crate) mod recordings;
pub(crate) mod retention;
pub(crate) mod serve;
pub(crate) mod show;
pub(crate) mod simulate;
pub(crate) mod verify;
pub(crate) mod webhooks;
