//! The dialog of a recording session (RFC 3261 §12), seen from the side that was called.

use crate::limits::REASON_BYTES_MAX;
use crate::peer::{Peer, Transport};
use crate::sip::grammar::{Address, plain, without_empty_tag};
use crate::sip::message::HeaderName;
use crate::sip::uri::{Called, Uri, host_text};
use crate::sip::write::Writer;
use crate::sip::{Message, Method};
use std::net::SocketAddr;

/// Who talks to whom about which call, and how requests of ours find their way.
pub(crate) struct Dialog {
    pub(crate) call_id: Vec<u8>,
    pub(crate) local_tag: String,
    remote_tag: Option<String>,
    /// Our name: `To` of the INVITE with our tag, `From` of our requests.
    local: Vec<u8>,
    /// The client's name: `From` of the INVITE, `To` of our requests.
    remote: Vec<u8>,
    /// The client's `Contact` (RFC 3261 §12.2.1.1).
    target: String,
    /// The INVITE had a `Contact` that can be used.
    pub(crate) has_contact: bool,
    routes: Vec<String>,
    local_cseq: u32,
    /// The highest `CSeq` of the client so far.
    pub(crate) remote_cseq: u32,
    /// Where the client's last request came from.
    pub(crate) peer: Peer,
    /// The client said that it takes UPDATE (RFC 3311 §5.1).
    pub(crate) allows_update: bool,
    contact_uri: String,
    sent_by: String,
    product: String,
}

/// The settings that a dialog needs of the endpoint.
pub(crate) struct Ours<'a> {
    pub(crate) contact_host: Option<&'a str>,
    pub(crate) product: &'a str,
    pub(crate) local: SocketAddr,
    /// The Request-URI of the INVITE.
    pub(crate) asked: &'a Called,
}

impl Dialog {
    /// The dialog that an INVITE makes; `None` without a header that every message has, or where
    /// nothing tells by which host the client reaches us. Where `Contact` cannot be used, our requests go to where the INVITE came from.
    pub(crate) fn new(
        message: &Message<'_>,
        cseq: u32,
        from: Peer,
        local_tag: String,
        ours: &Ours<'_>,
    ) -> Option<Self> {
        let headers = &message.headers;
        let mut local = without_empty_tag(headers.first(HeaderName::To)?);
        local.extend_from_slice(b";tag=");
        local.extend_from_slice(local_tag.as_bytes());
        let host = host(ours)?;
        let port = ours.local.port();
        let given = contact(message);
        let has_contact = given.is_some();
        let target = given.unwrap_or_else(|| target_of(from));
        let routes = headers.list(HeaderName::RecordRoute);
        let contact_uri = match from.transport {
            Transport::Udp => format!("sip:{host}:{port}"),
            Transport::Tcp => format!("sip:{host}:{port};transport=tcp"),
            Transport::Tls if ours.asked.is_sips || is_sips(next_uri(&routes, &target)) => {
                format!("sips:{host}:{port}")
            }
            Transport::Tls => format!("sip:{host}:{port};transport=tls"),
        };
        Some(Self {
            call_id: message.call_id()?.to_vec(),
            local_tag,
            remote_tag: message.tag(HeaderName::From),
            local,
            remote: headers.first(HeaderName::From)?.to_vec(),
            target,
            routes,
            has_contact,
            local_cseq: 0,
            remote_cseq: cseq,
            peer: from,
            allows_update: allows_update(message).unwrap_or(false),
            contact_uri,
            sent_by: format!("{host}:{port}"),
            product: ours.product.to_owned(),
        })
    }

    /// Whether a request with our tag in `To` belongs to this dialog.
    pub(crate) fn matches(&self, message: &Message<'_>) -> bool {
        message.call_id() == Some(&self.call_id) && message.tag(HeaderName::From) == self.remote_tag
    }

    /// Whether a `Replaces` with our tag means this dialog. The tag `0` stands for none
    /// (RFC 3891 §3).
    pub(crate) fn is_named(&self, call_id: &str, remote_tag: &str) -> bool {
        self.call_id == call_id.as_bytes()
            && self.remote_tag.as_deref().unwrap_or("0") == remote_tag
    }

    /// Takes the new `Contact` and `Allow` of an INVITE, an UPDATE or the 200 to one (RFC 3261
    /// §12.2, RFC 3311 §5.1 to §5.2).
    pub(crate) fn refresh(&mut self, message: &Message<'_>) {
        if let Some(target) = contact(message) {
            self.target = target;
        }
        self.allows_update = allows_update(message).unwrap_or(self.allows_update);
    }

    /// Our `Contact`, with the tag that says we are a recording server (RFC 7866 §6.2.1).
    pub(crate) fn contact(&self) -> String {
        format!("<{}>;+sip.srs", self.contact_uri)
    }

    /// A request of ours within the dialog. `cseq` is given for an ACK only.
    pub(crate) fn request(&mut self, method: &Method, branch: &str, cseq: Option<u32>) -> Writer {
        let cseq = cseq.unwrap_or_else(|| {
            self.local_cseq = self.local_cseq.wrapping_add(1);
            self.local_cseq
        });
        let (uri, routes) = self.way();
        let mut writer = Writer::request(method, &uri);
        let via = format!(
            "SIP/2.0/{} {};rport;branch={branch}",
            self.peer.transport.via(),
            self.sent_by
        );
        writer.text("Via", &via);
        writer.text("Max-Forwards", "70");
        for route in &routes {
            writer.text("Route", route);
        }
        writer.header("From", &self.local);
        writer.header("To", &self.remote);
        writer.header("Call-ID", &self.call_id);
        writer.text("CSeq", &format!("{cseq} {}", method.as_str()));
        writer.text("User-Agent", &self.product);
        writer
    }

    /// The number of our last request.
    pub(crate) const fn last_cseq(&self) -> u32 {
        self.local_cseq
    }

    /// Request-URI and `Route` of our requests (RFC 3261 §12.2.1.1).
    fn way(&self) -> (String, Vec<String>) {
        let Some(first) = self.routes.first() else {
            return (self.target.clone(), Vec::new());
        };
        let address = Address::parse(first);
        let is_loose = Uri::parse(address.uri).is_none_or(|uri| uri.has_param("lr"));
        if is_loose {
            return (self.target.clone(), self.routes.clone());
        }
        // A strict router wants itself in the Request-URI and the target at the end.
        let mut routes: Vec<_> = self.routes.iter().skip(1).cloned().collect();
        routes.push(format!("<{}>", self.target));
        (address.uri.to_owned(), routes)
    }

    /// Where our requests are sent. An open connection is used; a host name is not looked up but
    /// replaced by where the client's last request came from.
    pub(crate) fn next_hop(&self) -> Peer {
        if self.peer.connection.is_some() {
            return self.peer;
        }
        let uri = Uri::parse(next_uri(&self.routes, &self.target));
        let mut peer = self.peer;
        if let Some(address) = uri.and_then(|uri| uri.socket_address(peer.transport)) {
            peer.address = address;
        }
        peer
    }

    /// `Reason` of a BYE (RFC 3326).
    pub(crate) fn reason(text: &str) -> String {
        let text = plain(text, REASON_BYTES_MAX);
        format!("SIP;cause=200;text=\"{text}\"")
    }
}

/// Where a request within the dialog goes next: its first route, or else the client itself.
fn next_uri<'a>(routes: &'a [String], target: &'a str) -> &'a str {
    let route = routes.first().map(|route| Address::parse(route).uri);
    route.unwrap_or(target)
}

/// Whether the other side asks for `sips` all the way, which our `Contact` then has to be as well
/// (RFC 3261 §12.1.1).
fn is_sips(uri: &str) -> bool {
    Uri::parse(uri).is_some_and(|uri| uri.is_sips)
}

/// Whether the client takes UPDATE; `None` = it does not say.
fn allows_update(message: &Message<'_>) -> Option<bool> {
    message.headers.first(HeaderName::Allow)?;
    Some(message.headers.has_token(HeaderName::Allow, "UPDATE"))
}

/// The client's `Contact`, if it can be the target of requests.
fn contact(message: &Message<'_>) -> Option<String> {
    let contacts = message.headers.list(HeaderName::Contact);
    let uri = Address::parse(contacts.first()?).uri;
    let is_whole = !uri.contains([' ', '\t', '<', '>', '"']);
    Uri::parse(uri).filter(|_| is_whole)?;
    Some(uri.to_owned())
}

/// Where requests of ours go to a client that does not say it.
fn target_of(from: Peer) -> String {
    let (host, port) = (host_text(from.address.ip()), from.address.port());
    match from.transport {
        Transport::Udp => format!("sip:{host}:{port}"),
        Transport::Tcp => format!("sip:{host}:{port};transport=tcp"),
        Transport::Tls => format!("sip:{host}:{port};transport=tls"),
    }
}

/// The host by which the client reaches us; `None` where nothing tells it.
fn host(ours: &Ours<'_>) -> Option<String> {
    if let Some(host) = ours.contact_host {
        return Some(host.to_owned());
    }
    if !ours.local.ip().is_unspecified() {
        return Some(host_text(ours.local.ip()));
    }
    let asked = ours.asked.host.as_deref()?;
    // It goes into our own `Contact`, so nothing else than a host may be in it.
    let is_host = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    match asked.parse() {
        Ok(address) => Some(host_text(address)),
        Err(_) => asked.chars().all(is_host).then(|| asked.to_owned()),
    }
}
