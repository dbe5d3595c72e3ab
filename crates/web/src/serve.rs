//! Accepting connections, with a limit on each: how many, how long a head may take, how large it
//! may be, and how long open ones have when the server stops. Over TLS where there is a certificate.

use crate::patient::Patient;
use crate::visitor::Peer;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tower::ServiceExt;
use voicelog_tls::{TlsAcceptor, handshake};

/// Connections at once at most; the next one waits. 500 talks of two devices, each with a question that waits and up to two
/// chunks under way, are 3,000.
const CONNECTIONS_MAX: usize = 4_096;
/// Of these, those of one address at most, so that no one address can take all; one more is closed at once. A proxy, or the
/// one address of a whole office, counts as one.
const ONE_ADDRESS_MAX: usize = 3_072;
/// How long the head of a request may take to arrive; also how long an idle connection is kept.
const HEAD_MAX: Duration = Duration::from_secs(15);
/// Largest head of a request, in bytes.
const HEAD_BYTES_MAX: usize = 32 * 1_024;
/// Pause after a failure to accept (no more file descriptors, say), so that it does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// How long answers under way have to finish when the server stops.
const DRAIN_MAX: Duration = Duration::from_secs(10);

/// What a TLS connection begins with: the type of a handshake record (RFC 8446 §5.1).
const HANDSHAKE_RECORD: u8 = 22;

/// TLS for the pages.
#[derive(Clone)]
#[expect(
    missing_debug_implementations,
    reason = "the library's acceptor has none"
)]
pub struct PagesTls {
    /// Where people reach the pages: whoever comes without TLS is sent there.
    pub public_url: String,
    /// The certificate in use; it may become another while the server runs.
    pub acceptor: watch::Receiver<TlsAcceptor>,
}

/// Answers requests on `listener` until `shutdown` is ready, then finishes what is under way.
///
/// An error on one connection ends that connection and nothing else.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send,
) {
    serve_by(listener, None, router, shutdown).await;
}

/// The same over TLS alone.
pub async fn serve_over_tls(
    listener: TcpListener,
    tls: PagesTls,
    router: Router,
    shutdown: impl Future<Output = ()> + Send,
) {
    serve_by(listener, Some(tls), router, shutdown).await;
}

async fn serve_by(
    listener: TcpListener,
    tls: Option<PagesTls>,
    router: Router,
    shutdown: impl Future<Output = ()> + Send,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let addresses = Addresses::default();
    let (stop, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        // Finished connections are let go of, so that the set does not grow.
        while connections.try_join_next().is_some() {}
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await.ok()?;
            accept(&listener)
                .await
                .map(|(stream, peer)| (stream, peer, place))
        };
        tokio::select! {
            () = &mut shutdown => break,
            accepted = next => {
                let Some((stream, peer, place)) = accepted else { continue };
                let Some(counted) = addresses.count(peer.ip(), ONE_ADDRESS_MAX) else { continue };
                let (router, tls, stopped) = (router.clone(), tls.clone(), stopped.clone());
                connections.spawn(async move {
                    match tls {
                        None => converse(TokioIo::new(stream), peer.ip(), router, stopped).await,
                        Some(tls) => converse_safely(stream, peer.ip(), tls, router, stopped).await,
                    }
                    drop((place, counted));
                });
            }
        }
    }
    drop(listener);
    stop.send_replace(true);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN_MAX, drained).await.is_err() {
        tracing::warn!(
            "answers under way were cut off after {} s",
            DRAIN_MAX.as_secs()
        );
    }
}

/// How many connections each address has.
#[derive(Debug, Clone, Default)]
struct Addresses(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One connection of an address, until it is dropped.
#[derive(Debug)]
struct Counted {
    addresses: Addresses,
    of: IpAddr,
}

impl Addresses {
    /// Counts one more, unless it would be one too many.
    fn count(&self, peer: IpAddr, most: usize) -> Option<Counted> {
        let of = network(peer);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(of).or_default();
        if *count >= most {
            tracing::debug!("an address has as many connections as it may");
            return None;
        }
        *count += 1;
        drop(counts);
        let addresses = self.clone();
        Some(Counted { addresses, of })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = self
            .addresses
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.of) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.of);
            }
        }
    }
}

/// Who has one address of IPv6 has all of its network of 64 bits.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(six) => Ipv6Addr::from_bits(six.to_bits() >> 64 << 64).into(),
        four @ IpAddr::V4(_) => four,
    }
}

async fn accept(listener: &TcpListener) -> Option<(TcpStream, SocketAddr)> {
    match listener.accept().await {
        Ok(accepted) => Some(accepted),
        Err(error) => {
            tracing::warn!(%error, "cannot accept a connection for the pages");
            pause().await;
            None
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the pause is the job: accept has no event to wait on"
)]
async fn pause() {
    tokio::time::sleep(ACCEPT_PAUSE).await;
}

/// One connection over TLS. Browsers try without first where somebody types an address: those are sent on.
async fn converse_safely(
    stream: TcpStream,
    peer: IpAddr,
    tls: PagesTls,
    router: Router,
    stopped: watch::Receiver<bool>,
) {
    let mut first = [0];
    match tokio::time::timeout(HEAD_MAX, stream.peek(&mut first)).await {
        Ok(Ok(1)) if first == [HANDSHAKE_RECORD] => {}
        Ok(Ok(1)) => return send_on(stream, &tls.public_url).await,
        _nothing_came => return,
    }
    let acceptor = tls.acceptor.borrow().clone();
    match handshake(&acceptor, stream).await {
        Ok(stream) => converse(TokioIo::new(stream), peer, router, stopped).await,
        Err(why) => tracing::debug!(why, "a TLS handshake failed"),
    }
}

/// Says to whoever came without TLS where the pages are: the same page, by an address that is ours and not theirs.
async fn send_on(stream: TcpStream, public_url: &str) {
    let service = service_fn(|request: Request<Incoming>| {
        let wanted = request.uri().path_and_query();
        let wanted = wanted.map_or("/", |wanted| wanted.as_str());
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
        if let Ok(address) = HeaderValue::try_from(format!("{public_url}{wanted}")) {
            response.headers_mut().insert(header::LOCATION, address);
        }
        std::future::ready(Ok::<_, std::convert::Infallible>(response))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// One connection, request after request.
async fn converse(
    stream: impl Read + Write + Unpin,
    peer: IpAddr,
    router: Router,
    mut stopped: watch::Receiver<bool>,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(Patient::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => {
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended early");
            }
        }
        () = stop_of(&mut stopped) => {
            connection.as_mut().graceful_shutdown();
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
        }
    }
}

/// Ready when the server stops.
async fn stop_of(stopped: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which is a stop as well.
    let _gone = stopped.wait_for(|stopped| *stopped).await.is_err();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_one_address_takes_all_connections_and_each_that_ends_makes_room() {
        let addresses = Addresses::default();
        let peer = |text: &str| text.parse::<IpAddr>().unwrap();
        let first = addresses.count(peer("192.0.2.1"), 2).unwrap();
        // The same address as IPv6 writes it.
        let second = addresses.count(peer("::ffff:192.0.2.1"), 2).unwrap();
        assert!(addresses.count(peer("192.0.2.1"), 2).is_none());
        let other = addresses.count(peer("192.0.2.2"), 2);
        assert!(other.is_some());
        drop(first);
        let third = addresses.count(peer("192.0.2.1"), 2);
        assert!(third.is_some());
        drop((second, third, other));
        assert!(addresses.0.lock().unwrap().is_empty());
        let _six = addresses.count(peer("2001:db8::1"), 1).unwrap();
        assert!(addresses.count(peer("2001:db8::2"), 1).is_none());
        assert!(addresses.count(peer("2001:db8:0:1::2"), 1).is_some());
    }
}
