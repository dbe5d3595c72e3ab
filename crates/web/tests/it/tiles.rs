//! The log over HTTP, read by a client that knows C2SP tlog-tiles and nothing of ours.

use crate::support::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use voicelog_store::index::{LogRows as _, PendingLeaf};
use voicelog_store::{Access, Layout, LocalStore};

type Hash = [u8; 32];

/// An answer: status, head in lower case, body.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

async fn get(address: SocketAddr, path: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let end = bytes
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8(bytes[..end].to_vec())
        .unwrap()
        .to_lowercase();
    Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head,
        body: bytes[end + 4..].to_vec(),
    }
}

async fn serve(site: &Site) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = site.router.clone();
    tokio::spawn(voicelog_web::serve(
        listener,
        router,
        std::future::pending(),
    ));
    address
}

fn hash(parts: &[&[u8]]) -> Hash {
    Sha256::digest(parts.concat()).into()
}

/// The tree hash of RFC 6962 section 2.1, word for word.
fn tree(leaves: &[Hash]) -> Hash {
    match leaves {
        [one] => *one,
        _ => {
            let mut k = 1;
            while k * 2 < leaves.len() {
                k *= 2;
            }
            hash(&[&[1], &tree(&leaves[..k]), &tree(&leaves[k..])])
        }
    }
}

fn number(n: usize) -> String {
    if n < 1_000 {
        format!("{n:03}")
    } else {
        format!("x{:03}/{:03}", n / 1_000, n % 1_000)
    }
}

/// The address of a tile of a level that has so many hashes.
fn address_of(level: &str, n: usize, at_level: usize) -> String {
    let width = at_level - n * 256;
    let partial = if width < 256 {
        format!(".p/{width}")
    } else {
        String::new()
    };
    format!("/log/tile/{level}/{}{partial}", number(n))
}

fn grow(site: &Site, count: u32) {
    let layout = Layout::in_folder(site.folder.path());
    let store = LocalStore::open(&layout, Access::Read).unwrap();
    for number in 0..count {
        let mut id = [0xee; 16];
        id[..4].copy_from_slice(&number.to_be_bytes());
        let bytes = format!("leaf {number}").into_bytes();
        store.index.queue_leaf(&PendingLeaf { id, bytes }).unwrap();
    }
    site.archive.sequence().unwrap();
}

#[tokio::test]
async fn a_stranger_rebuilds_the_root_from_tiles_and_finds_each_entry_in_it() {
    let site = site();
    grow(&site, 700);
    let address = serve(&site).await;
    let checkpoint = get(address, "/log/checkpoint").await;
    assert_eq!(checkpoint.status, 200);
    assert!(
        checkpoint
            .head
            .contains("content-type: text/plain; charset=utf-8")
    );
    assert!(checkpoint.head.contains("cache-control: no-cache"));
    let text = String::from_utf8(checkpoint.body).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let size: usize = lines[1].parse().unwrap();
    assert!(size > 700, "{size}");
    let root = STANDARD.decode(lines[2]).unwrap();

    let mut leaves = Vec::new();
    for n in 0..size.div_ceil(256) {
        let tile = get(address, &address_of("0", n, size)).await;
        assert_eq!(tile.status, 200);
        assert!(tile.head.contains("content-type: application/octet-stream"));
        assert!(
            tile.head
                .contains("cache-control: public, max-age=31536000, immutable")
        );
        assert!(!tile.head.contains("set-cookie"), "{}", tile.head);
        let hashes: Vec<Hash> = tile.body.as_chunks::<32>().0.to_vec();
        assert_eq!(hashes.len(), 256.min(size - n * 256));
        let entries = get(address, &address_of("entries", n, size)).await;
        let mut rest = &entries.body[..];
        for expected in &hashes {
            let length = usize::from(u16::from_be_bytes([rest[0], rest[1]]));
            assert_eq!(hash(&[&[0], &rest[2..2 + length]]), *expected);
            rest = &rest[2 + length..];
        }
        assert!(rest.is_empty());
        leaves.extend(hashes);
    }
    assert_eq!(tree(&leaves).as_slice(), root);
    // The level above is the hashes of the full tiles.
    let ones = get(address, &address_of("1", 0, size / 256)).await;
    let expected: Vec<Hash> = leaves.chunks_exact(256).map(tree).collect();
    assert_eq!(ones.body, expected.concat());
}

#[tokio::test]
async fn what_is_no_tile_of_the_log_is_not_found() {
    let site = site();
    let address = serve(&site).await;
    for path in [
        "/log/tile/0/000",
        "/log/tile/1/000.p/1",
        "/log/tile/64/000",
        "/log/tile/entries/0",
        "/log/tile/0/000.p/256",
        "/log/tile/0/..%2f000",
        "/log/tile/0/x000/000.p/1",
        "/log/tile/0/x999/x999/x999/x999/x999/x999/x999/999",
    ] {
        let answer = get(address, path).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.head);
        assert!(!answer.head.contains("immutable"), "{path}");
    }
}
