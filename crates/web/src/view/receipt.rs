//! What a party keeps of a recording.

use crate::view::page::Page;
use askama::Template;
use voicelog_casework::receipt::Receipt;

#[derive(Debug, Template)]
#[template(path = "receipt.html")]
pub(crate) struct ReceiptPage {
    pub(crate) p: Page,
    pub(crate) id: String,
    /// None as long as the log does not have the recording.
    pub(crate) receipt: Option<Receipt>,
}
