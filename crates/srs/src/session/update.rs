//! Our UPDATE (RFC 3311), always without an offer: it refreshes the session, and may ask for a
//! snapshot of the metadata (RFC 7866 §9.2). At most one is under way.

use super::Session;
use super::client::ClientTransaction;
use crate::api::EndCause;
use crate::context::Context;
use crate::sip::{Message, Method};
use voicelog_model::Timestamp;

/// Our UPDATE that waits for its response.
pub(super) struct Update {
    pub(super) transaction: ClientTransaction,
}

impl Session {
    /// Sends an UPDATE if there is a reason for one and the client takes any.
    pub(super) fn pursue_update(&mut self, cx: &mut Context, now: Timestamp) {
        let is_free = self.update.is_none() && self.unacknowledged.is_none();
        if is_free && self.dialog.allows_update && self.expiry.is_due() {
            self.send_update(cx, now);
        }
    }

    fn send_update(&mut self, cx: &mut Context, now: Timestamp) {
        let branch = self.branch(cx);
        let mut writer = self.dialog.request(&Method::Update, &branch, None);
        self.describe_ourselves(now, &mut writer);
        let bytes = writer.finish(None);
        let to = self.dialog.next_hop();
        cx.transmit(to, bytes.clone());
        self.update = Some(Update {
            transaction: ClientTransaction::new(cx, now, branch, to, bytes),
        });
    }

    /// The final response to our UPDATE. A refusal other than 481 leaves the session as it is: a
    /// refresh is tried again while there is time.
    pub(super) fn update_response(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        status: u16,
        message: &Message<'_>,
    ) {
        match status {
            _ if self.is_closing() => {}
            200..300 => {
                self.dialog.refresh(message);
                self.expiry.answered(now, message);
            }
            422 => {
                self.expiry.too_short(message);
            }
            481 => self.over(cx, EndCause::ByRecordingClient),
            _ => {}
        }
    }
}
