//! How the server is doing, for people.

use crate::view::Fact;
use crate::view::alarms::{AlarmView, RefusedView};
use crate::view::badge::{Badge, Shape};
use crate::view::page::Page;
use askama::Template;

#[derive(Debug, Template)]
#[template(path = "health.html")]
pub(crate) struct HealthPage {
    pub(crate) p: Page,
    pub(crate) badge: Badge,
    pub(crate) meaning: &'static str,
    /// What is wrong now.
    pub(crate) alarms: Vec<AlarmView>,
    pub(crate) facts: Vec<Fact>,
    /// What was turned away in the last hour.
    pub(crate) refused: Vec<RefusedView>,
}
