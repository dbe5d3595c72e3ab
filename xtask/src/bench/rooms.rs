//! Talks in a room: many at once, each of two devices that record, over HTTP.
//!
//! Each device hands over a chunk a second, as a browser does: 50 packets of 80 bytes (Opus at 32 kbit/s). Another connection of
//! it waits for the state. How old a chunk is counts from the moment in which its last packet was captured until its
//! acknowledgement was read.

use super::server::Server;
use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Talks at once.
const ROOMS: usize = 500;
/// A stack for a thread that only sends and reads.
const STACK_BYTES: usize = 256 * 1_024;
const PACKETS: u32 = 50;
const PAYLOAD_BYTES: usize = 80;
const PASSWORD: &str = "a long sentence for a benchmark";

/// What talks at once cost.
pub(crate) struct Seen {
    seconds: u32,
    /// Ages of chunks when they were acknowledged, in order.
    ages: Vec<Duration>,
    refused: usize,
    bytes_a_room: f64,
    cpu_seconds: f64,
    load: String,
}

impl Seen {
    pub(crate) fn print(&self) {
        let minutes = ROOMS as f64 * f64::from(self.seconds) / 60.0;
        let age = |part: usize| {
            let place = (self.ages.len() * part / 1_000).min(self.ages.len().saturating_sub(1));
            self.ages.get(place).map_or(0.0, Duration::as_secs_f64) * 1_000.0
        };
        println!(
            "\n| {ROOMS} talks of two devices at once, {} s, load {} | seen |",
            self.seconds, self.load
        );
        println!("| --- | --- |");
        println!(
            "| chunks acknowledged; not taken at first | {}; {} |",
            self.ages.len(),
            self.refused
        );
        println!(
            "| age of a chunk when it was acknowledged: half, 99 of 100, the oldest, ms | {:.0}, {:.0}, {:.0} |",
            age(500),
            age(990),
            age(1_000)
        );
        println!(
            "| memory a talk, at the peak, kB | {:.1} |",
            self.bytes_a_room / 1_000.0
        );
        println!(
            "| processor time a talk-minute, s | {:.4} |",
            self.cpu_seconds / minutes
        );
        println!(
            "| share of one core | {:.2} |",
            self.cpu_seconds / f64::from(self.seconds)
        );
    }
}

/// One connection, which keeps its cookies.
struct Browser {
    address: SocketAddr,
    stream: BufReader<TcpStream>,
    cookies: BTreeMap<String, String>,
}

struct Answer {
    status: u16,
    location: String,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_slice(&self.body).context("the server answered no JSON")
    }

    fn is(self, status: u16) -> anyhow::Result<Self> {
        if self.status != status {
            bail!(
                "{} and not {status}: {}",
                self.status,
                String::from_utf8_lossy(&self.body)
            );
        }
        Ok(self)
    }
}

impl Browser {
    fn new(address: SocketAddr, cookies: BTreeMap<String, String>) -> anyhow::Result<Self> {
        Ok(Self {
            address,
            stream: connect(address)?,
            cookies,
        })
    }

    fn send(
        &mut self,
        method: &str,
        path: &str,
        fields: &str,
        body: &[u8],
    ) -> anyhow::Result<Answer> {
        let cookies = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let cookies: Vec<String> = cookies.collect();
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncookie: {}\r\nsec-fetch-site: same-origin\r\ncontent-length: {}\r\n{fields}\r\n",
            self.address, cookies.join("; "), body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.stream
            .get_mut()
            .write_all(&request)
            .context("the server hung up")?;
        self.read()
    }

    fn read(&mut self) -> anyhow::Result<Answer> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|word| word.parse().ok());
        let (mut location, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            match name {
                "location" => value.clone_into(&mut location),
                "content-length" => length = value.parse().context("no length")?,
                "set-cookie" => {
                    let pair = value
                        .split(';')
                        .next()
                        .and_then(|pair| pair.split_once('='));
                    let (name, value) = pair.context("no cookie")?;
                    self.cookies.insert(name.to_owned(), value.to_owned());
                }
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        let status = status.context("the server gave no status")?;
        Ok(Answer {
            status,
            location,
            body,
        })
    }

    fn get(&mut self, path: &str) -> anyhow::Result<Answer> {
        self.send("GET", path, "", &[])
    }

    fn say(&mut self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        let fields = "content-type: application/json\r\n";
        self.send("POST", path, fields, body.to_string().as_bytes())
    }

    /// Sends a form, with the token of that page of ours.
    fn form(&mut self, from: &str, path: &str, fields: &str) -> anyhow::Result<Answer> {
        let page = self.get(from)?.is(200)?;
        let page = String::from_utf8_lossy(&page.body).into_owned();
        let token = page.split_once("name=\"form_token\" value=\"");
        let token = token.and_then(|(_, rest)| rest.split('"').next());
        let token = token.context("a page without form")?;
        let body = format!("form_token={token}&{fields}");
        let kind = "content-type: application/x-www-form-urlencoded\r\n";
        self.send("POST", path, kind, body.as_bytes())
    }
}

fn connect(address: SocketAddr) -> anyhow::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(address).context("cannot connect")?;
    stream.set_nodelay(true)?;
    Ok(BufReader::with_capacity(2_048, stream))
}

/// What one device needs to go on.
struct Device {
    cookies: BTreeMap<String, String>,
    /// Path of the talk.
    talk: String,
    track: u64,
    began: Instant,
}

/// The first account, signed in.
fn host_of(server: &Server) -> anyhow::Result<Browser> {
    let mut host = Browser::new(server.http, BTreeMap::new())?;
    let setup = server.setup_path()?;
    let password = PASSWORD.replace(' ', "+");
    let fields = format!("name=bench&password={password}&again={password}");
    host.form(&setup, &setup, &fields)?.is(303)?;
    Ok(host)
}

/// Opens the talks, and gives the devices of all.
fn open_all(server: &Server, mut host: Browser) -> anyhow::Result<Vec<Device>> {
    let mut devices = Vec::new();
    for _ in 0..ROOMS {
        let talk = host
            .form("/rooms", "/rooms", "kind=room&name=Anna")?
            .is(303)?
            .location;
        let state = host.get(&format!("{talk}/state"))?.is(200)?.json()?;
        let code = state
            .get("code")
            .and_then(Value::as_str)
            .context("no code")?;
        let mut guest = Browser::new(server.http, BTreeMap::new())?;
        let join = format!("/join/{code}");
        guest.form(&join, &join, "name=Bram")?.is(303)?;
        let choice = json!({ "choice": "records_too" });
        guest.say(&format!("{talk}/choice"), &choice)?.is(200)?;
        host.say(&format!("{talk}/acts"), &json!({ "act": "start" }))?
            .is(200)?;
        for browser in [&mut host, &mut guest] {
            let track = json!({ "codec": "opus/48000/2", "payload_type": 111 });
            let opened = browser.say(&format!("{talk}/tracks"), &track)?.is(201)?;
            let began = now();
            let track = opened.json()?.get("track").and_then(Value::as_u64);
            let track = track.context("no track")?;
            let (cookies, talk) = (browser.cookies.clone(), talk.clone());
            devices.push(Device {
                cookies,
                talk,
                track,
                began,
            });
        }
    }
    Ok(devices)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark measures how long things take"
)]
fn now() -> Instant {
    Instant::now()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a device captures at the pace of the clock"
)]
fn wait_until(at: Instant) {
    std::thread::sleep(at.saturating_duration_since(now()));
}

/// A second of sound from that moment of the track on.
fn chunk(number: u32, chain: &[u8; 32], from_us: i64) -> Vec<u8> {
    let mut chunk = b"VLRC\x01".to_vec();
    chunk.extend_from_slice(&number.to_be_bytes());
    chunk.extend_from_slice(chain);
    for place in 1..=PACKETS {
        let count = number * PACKETS + place;
        let low = u16::try_from(count & 0xffff).unwrap_or_default();
        chunk.push(1);
        chunk.extend_from_slice(&(from_us + i64::from(place) * 20_000).to_be_bytes());
        chunk.extend_from_slice(&92_u16.to_be_bytes());
        chunk.extend_from_slice(&[0x80, 111]);
        chunk.extend_from_slice(&low.to_be_bytes());
        chunk.extend_from_slice(&count.wrapping_mul(960).to_be_bytes());
        chunk.extend_from_slice(&7_u32.to_be_bytes());
        let mut noise = [0; PAYLOAD_BYTES];
        for (at, byte) in (0_u32..).zip(&mut noise) {
            *byte = low.to_be_bytes()[1].wrapping_mul(31) ^ at.to_be_bytes()[3].wrapping_mul(97);
        }
        chunk.extend_from_slice(&noise);
    }
    chunk
}

/// Records until that moment; the age of each chunk when it was acknowledged, and how many were not taken at first.
fn record(
    address: SocketAddr,
    device: &Device,
    start: Instant,
    seconds: u32,
) -> anyhow::Result<(Vec<Duration>, usize)> {
    let mut browser = Browser::new(address, device.cookies.clone())?;
    let (mut ages, mut refused, mut chain) = (Vec::new(), 0, [0; 32]);
    for number in 0..seconds {
        let captured = start + Duration::from_secs(u64::from(number) + 1);
        wait_until(captured);
        let from = captured - Duration::from_secs(1);
        let from_us = i64::try_from(from.saturating_duration_since(device.began).as_micros())?;
        let chunk = chunk(number, &chain, from_us);
        chain = Sha256::digest(&chunk).into();
        let path = format!("{}/tracks/{}/chunks/{number}", device.talk, device.track);
        let fields = format!(
            "content-type: application/octet-stream\r\ncontent-digest: sha-256=:{}:\r\n",
            STANDARD.encode(chain)
        );
        loop {
            let answer = browser.send("PUT", &path, &fields, &chunk)?;
            if answer.status == 200 {
                break;
            }
            if answer.status != 503 {
                answer.is(200)?;
            }
            refused += 1;
            wait_until(now() + Duration::from_millis(200));
        }
        ages.push(now().saturating_duration_since(captured));
    }
    Ok((ages, refused))
}

/// Waits for the state again and again, as the page does.
fn watch(address: SocketAddr, device: &Device, is_over: &AtomicBool) -> anyhow::Result<()> {
    let mut browser = Browser::new(address, device.cookies.clone())?;
    let mut version = 0;
    while !is_over.load(Ordering::Relaxed) {
        let state = browser.get(&format!("{}/state?after={version}", device.talk))?;
        let state = state.is(200)?.json()?;
        version = state.get("version").and_then(Value::as_u64).unwrap_or(0);
    }
    Ok(())
}

type Recorder = JoinHandle<anyhow::Result<(Vec<Duration>, usize)>>;

/// Lets all talks record so long.
pub(crate) fn measure(server: &Server, seconds: u32) -> anyhow::Result<Seen> {
    // A password costs memory of its own, once.
    let host = host_of(server)?;
    let before = server.usage()?;
    let devices: Vec<Arc<Device>> = open_all(server, host)?.into_iter().map(Arc::new).collect();
    let load = std::fs::read_to_string("/proc/loadavg")?;
    let load = load.split(' ').next().unwrap_or_default().to_owned();
    let is_over = Arc::new(AtomicBool::new(false));
    let address = server.http;
    let thread = || std::thread::Builder::new().stack_size(STACK_BYTES);
    let mut watchers = Vec::new();
    for device in &devices {
        let (device, is_over) = (Arc::clone(device), Arc::clone(&is_over));
        watchers.push(thread().spawn(move || watch(address, &device, &is_over))?);
    }
    let open = server.usage()?;
    let first = now() + Duration::from_secs(2);
    let mut recorders: Vec<Recorder> = Vec::new();
    for (place, device) in (0_u64..).zip(&devices) {
        // Devices are not in step with each other.
        let start = first + Duration::from_micros(place * 7_919 % 1_000 * 1_000);
        let device = Arc::clone(device);
        recorders.push(thread().spawn(move || record(address, &device, start, seconds))?);
    }
    let (mut ages, mut refused) = (Vec::new(), 0);
    for recorder in recorders {
        let Ok(seen) = recorder.join() else {
            bail!("a device fell over");
        };
        let (of_it, not_taken) = seen?;
        ages.extend(of_it);
        refused += not_taken;
    }
    let after = server.usage()?;
    is_over.store(true, Ordering::Relaxed);
    ages.sort_unstable();
    // Those that watch end by themselves, within the time that a question waits.
    drop(watchers);
    Ok(Seen {
        seconds,
        ages,
        refused,
        bytes_a_room: (after.peak_bytes - before.peak_bytes) / ROOMS as f64,
        cpu_seconds: after.cpu_seconds - open.cpu_seconds,
        load,
    })
}
