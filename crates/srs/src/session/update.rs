//! Our UPDATE (RFC 3311), always without an offer: it refreshes the session, and may ask for a
//! snapshot of the metadata (RFC 7866 §9.2). At most one is under way.

use super::client::ClientTransaction;
use super::{Session, hear};
use crate::api::{EndCause, Event};
use crate::body;
use crate::context::Context;
use crate::sip::{Message, Method};
use voicelog_model::Timestamp;

/// The request for a snapshot, as the schema of RFC 7865 has it.
const SNAPSHOT_TYPE: &str = "application/rs-metadata-request";
const SNAPSHOT_REQUEST: &[u8] = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n\
<requestsnapshot xmlns=\"urn:ietf:params:xml:ns:recording:1\">\r\n\
<requestreason xml:lang=\"en\">metadata was lost or could not be read</requestreason>\r\n\
</requestsnapshot>\r\n";

/// Our UPDATE that waits for its response.
pub(super) struct Update {
    pub(super) transaction: ClientTransaction,
    asks_snapshot: bool,
}

impl Session {
    /// Sends an UPDATE if there is a reason for one and the client takes any.
    pub(super) fn pursue_update(&mut self, cx: &mut Context, now: Timestamp) {
        let is_free = self.update.is_none() && self.unacknowledged.is_none();
        let has_reason = self.expiry.is_due() || self.metadata.needs_snapshot();
        if is_free && has_reason && self.dialog.allows_update {
            self.send_update(cx, now);
        }
    }

    fn send_update(&mut self, cx: &mut Context, now: Timestamp) {
        let branch = self.branch(cx);
        let mut writer = self.dialog.request(&Method::Update, &branch, None);
        self.describe_ourselves(now, &mut writer);
        let asks_snapshot = self.metadata.needs_snapshot();
        if asks_snapshot {
            self.metadata.snapshot_asked();
            writer.text("Content-Disposition", "recording-session");
        }
        let bytes = writer.finish(asks_snapshot.then_some((SNAPSHOT_TYPE, SNAPSHOT_REQUEST)));
        let to = self.dialog.next_hop();
        cx.transmit(to, bytes.clone());
        self.update = Some(Update {
            transaction: ClientTransaction::new(cx, now, branch, to, bytes),
            asks_snapshot,
        });
    }

    /// The final response to our UPDATE. A refusal other than 481 leaves the session as it is: a
    /// refresh is tried again while there is time.
    pub(super) fn update_response(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        update: &Update,
        status: u16,
        message: &Message<'_>,
    ) {
        match status {
            200..300 => {
                self.dialog.refresh(message);
                self.expiry.answered(now, message);
                let bodies = body::read(message);
                let has_metadata = hear(&mut self.metadata, bodies.metadata.as_ref(), message);
                self.tell_metadata(cx, has_metadata);
            }
            422 => {
                self.expiry.too_short(message);
            }
            481 => self.over(cx, EndCause::ByRecordingClient),
            _ => {}
        }
        if !(200..300).contains(&status) {
            self.update_refused(cx, update, status);
        }
    }

    /// A snapshot that is refused is not asked for again.
    pub(super) fn update_refused(&self, cx: &mut Context, update: &Update, status: u16) {
        if update.asks_snapshot && !self.is_closing() {
            cx.event(self.key, Event::SnapshotRefused { status });
        }
    }
}
