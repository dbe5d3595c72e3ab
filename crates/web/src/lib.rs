//! The room for people and programs: accessible pages made on the server, and the HTTP API, over
//! the same verbs of `casework` and `archive`.
//!
//! Every page works without script, in Dutch and in English, loads nothing from elsewhere, and
//! answers nobody who is not signed in, but for the one-time set-up link, the sign-in page, the
//! style sheet and `/healthz`.
//!
//! **Invariant:** handlers hold no rules, no SQL and no keys. What may be done, the gate decides;
//! a refusal is shown whole. Names and addresses of people stand on one page only, that of a
//! recording opened to listen.
//!
//! Design: `design/web.md`.
#![deny(missing_docs)]

mod accounts;
mod api;
mod app;
mod assets;
mod cookie;
mod diary;
mod frame;
mod lang;
mod pages;
mod password;
mod patient;
mod playing;
mod proxy;
mod range;
mod routes;
mod secret;
mod serve;
mod sounding;
mod throttle;
mod tiles;
mod trouble;
mod view;
mod visitor;
mod wishes;

pub use accounts::{SetupError, new_setup_token};
pub use app::{
    Alarm, App, Metrics, NotPaused, OwnAuthority, Pause, Paused, Pauses, Status, StatusSource,
    WebConfig,
};
pub use routes::{Audience, router, table};
pub use serve::{PagesTls, serve, serve_over_tls};
pub use view::words::{question, state};
pub use wishes::{Kept, NotHeard, Private, Wishes};
