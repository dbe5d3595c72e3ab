//! What sessions share: settings, ids, counters, transactions, timers, and the way out.

use crate::api::{Config, Event, Output, SessionKey};
use crate::counters::{Counted, Counters};
use crate::ids::IdSource;
use crate::limits::REASON_BYTES_MAX;
use crate::peer::Peer;
use crate::sdp::Secrecy;
use crate::sip::grammar::plain;
use crate::sip::write::ReplyTo;
use crate::timers::Timers;
use crate::transaction::{TransactionKey, Transactions};
use std::collections::VecDeque;
use voicelog_model::Timestamp;

/// Everything but the sessions themselves, so that a session can use it while it is borrowed.
pub(crate) struct Context {
    pub(crate) config: Config,
    pub(crate) ids: IdSource,
    pub(crate) counters: Counters,
    pub(crate) outputs: VecDeque<Output>,
    pub(crate) transactions: Transactions,
    pub(crate) timers: Timers,
}

/// A response in the making.
pub(crate) struct Response {
    pub(crate) status: u16,
    tag: Option<String>,
    headers: Vec<(&'static str, String)>,
    sdp: Option<Vec<u8>>,
}

impl Response {
    pub(crate) const fn new(status: u16) -> Self {
        Self {
            status,
            tag: None,
            headers: Vec::new(),
            sdp: None,
        }
    }

    /// The `To` tag of a dialog; without it a fresh one is made.
    pub(crate) fn tag(mut self, tag: &str) -> Self {
        self.tag = Some(tag.to_owned());
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// A text for the administrator of the other side (RFC 3261 §20.43).
    pub(crate) fn warning(self, code: u16, text: &str) -> Self {
        let text = plain(text, REASON_BYTES_MAX);
        self.header("Warning", format!("{code} voicelog \"{text}\""))
    }

    pub(crate) fn retry_after(self, seconds: u64) -> Self {
        self.header("Retry-After", seconds.to_string())
    }

    pub(crate) fn sdp(mut self, sdp: Vec<u8>) -> Self {
        self.sdp = Some(sdp);
        self
    }
}

impl Context {
    /// Whether a message of this peer may carry keys.
    pub(crate) fn secrecy(&self, from: Peer) -> Secrecy {
        Secrecy::of(from.transport, self.config.srtp_keys_without_tls)
    }

    /// Answers a request that has a transaction. A second final answer does nothing.
    pub(crate) fn respond(&mut self, now: Timestamp, key: TransactionKey, response: Response) {
        let fresh = self.ids.token();
        let Some(reply) = self.transactions.reply(&key) else {
            return;
        };
        let to = reply.peer;
        let status = response.status;
        let bytes = write(reply, response, &fresh, &self.config.product);
        self.transactions
            .responded(now, key, status, &bytes, &self.config, &mut self.timers);
        self.transmit(to, bytes);
    }

    /// Answers a request that has none.
    pub(crate) fn respond_once(&mut self, reply: &ReplyTo, response: Response) {
        let fresh = self.ids.token();
        let bytes = write(reply, response, &fresh, &self.config.product);
        self.transmit(reply.peer, bytes);
    }

    pub(crate) fn transmit(&mut self, to: Peer, bytes: Vec<u8>) {
        self.outputs.push_back(Output::Transmit { to, bytes });
    }

    pub(crate) fn event(&mut self, session: SessionKey, event: Event) {
        match event {
            Event::Offered(_) => self.count(Counted::Offered),
            Event::Ended { .. } => self.count(Counted::Ended),
            _ => {}
        }
        self.outputs.push_back(Output::Event(session, event));
    }

    pub(crate) fn count(&mut self, what: Counted) {
        self.counters.count(what);
    }
}

fn write(reply: &ReplyTo, response: Response, fresh: &str, product: &str) -> Vec<u8> {
    let Response {
        status,
        tag,
        headers,
        sdp,
    } = response;
    // RFC 3261 §8.2.6.2: 100 makes no dialog and needs no tag.
    let tag = (status > 100).then(|| tag.unwrap_or_else(|| fresh.to_owned()));
    let mut writer = reply.response(status, tag.as_deref());
    for (name, value) in headers {
        writer.text(name, &value);
    }
    writer.text("Server", product);
    writer.finish(sdp.as_deref().map(|sdp| ("application/sdp", sdp)))
}
