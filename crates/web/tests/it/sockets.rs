//! The server on a real socket: slow clients, and stopping.

use crate::support::*;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) async fn start(site: &Site) -> (SocketAddr, oneshot::Sender<()>, JoinHandle<()>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let router = site.router.clone();
    let server = tokio::spawn(async move {
        let stopped = async { stopped.await.unwrap() };
        voicelog_web::serve(listener, router, stopped).await;
    });
    (address, stop, server)
}

async fn answer(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn the_server_answers_on_a_socket_and_stops_when_told() {
    let site = site();
    let (address, stop, server) = start(&site).await;
    let request = b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    assert!(
        answer(address, request)
            .await
            .starts_with("HTTP/1.1 200 OK\r\n")
    );
    stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(5), server)
        .await
        .unwrap()
        .unwrap();
    assert!(
        TcpStream::connect(address).await.is_err(),
        "nobody listens any more"
    );
}

#[tokio::test]
async fn an_answer_that_panics_ends_its_own_connection_and_nothing_else() {
    let site = site();
    let (address, stop, server) = start(&site).await;
    // Whoever asks the recorder how it is now meets a lock that somebody died with.
    let recorder = Arc::clone(&site.recorder);
    let dying = std::thread::spawn(move || {
        let _held = recorder.0.lock().unwrap();
        panic!("on purpose");
    });
    assert!(dying.join().is_err());
    let head = format!("host: x\r\nauthorization: Bearer {TOKEN}\r\nconnection: close\r\n\r\n");
    let request = |path: &str| format!("GET {path} HTTP/1.1\r\n{head}").into_bytes();
    for _again in 0..3 {
        assert_eq!(answer(address, &request("/v1/health")).await, "");
        let listed = answer(address, &request("/v1/recordings")).await;
        assert!(listed.starts_with("HTTP/1.1 200 OK\r\n"), "{listed}");
    }
    stop.send(()).unwrap();
    server.await.unwrap();
}

#[tokio::test]
async fn an_idle_connection_does_not_keep_the_server_from_stopping() {
    let site = site();
    let (address, stop, server) = start(&site).await;
    let mut idle = TcpStream::connect(address).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.unwrap();
    stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(5), server)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn nonsense_and_heads_that_never_end_get_no_further_than_the_door() {
    let site = site();
    let (address, _stop, _server) = start(&site).await;
    let answered = answer(address, b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n").await;
    assert!(
        answered.is_empty() || answered.starts_with("HTTP/1.1 400"),
        "{answered}"
    );
    let mut head = b"GET / HTTP/1.1\r\n".to_vec();
    for number in 0..2_000 {
        head.extend_from_slice(format!("x-{number}: {}\r\n", "y".repeat(40)).as_bytes());
    }
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The server may close before it has read everything.
    let _sent = stream.write_all(&head).await.is_ok();
    let mut bytes = Vec::new();
    let _read = stream.read_to_end(&mut bytes).await.is_ok();
    assert!(
        bytes.is_empty() || bytes.starts_with(b"HTTP/1.1 431"),
        "{}",
        String::from_utf8_lossy(&bytes)
    );
}
