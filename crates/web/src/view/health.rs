//! How the server is doing, for people.

use crate::view::Fact;
use crate::view::badge::{Badge, Shape};
use crate::view::page::Page;
use askama::Template;

#[derive(Debug, Template)]
#[template(path = "health.html")]
pub(crate) struct HealthPage {
    pub(crate) p: Page,
    pub(crate) badge: Badge,
    pub(crate) meaning: &'static str,
    pub(crate) facts: Vec<Fact>,
}
