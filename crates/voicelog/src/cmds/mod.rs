//! One file per command, or per family of commands.

pub(crate) mod backup;
pub(crate) mod certificate;
pub(crate) mod check;
pub(crate) mod demo;
pub(crate) mod expected;
pub(crate) mod holds;
pub(crate) mod import;
pub(crate) mod keys;
pub(crate) mod law;
pub(crate) mod log;
pub(crate) mod receipt;
pub(crate) mod recordings;
pub(crate) mod retention;
pub(crate) mod serve;
pub(crate) mod show;
pub(crate) mod simulate;
pub(crate) mod site;
pub(crate) mod verify;
pub(crate) mod verify_vcon;
pub(crate) mod webhooks;
pub(crate) mod witness;
