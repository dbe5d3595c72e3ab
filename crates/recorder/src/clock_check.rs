//! Holding the machine's clock against another one (SNTP: RFC 5905 §14, §8).
//!
//! One question, one answer, over UDP. Nobody's clock is set here: what was found is told in the journal
//! of each call, so that whoever reads its times knows how far they can be wrong.

use std::io;
use std::net::{ToSocketAddrs, UdpSocket};
use std::time::Duration;
use voicelog_model::{Clock, Timestamp};

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// Seconds from 1900, which NTP counts from, to 1970.
const SECONDS_TO_1970: i64 = 2_208_988_800;
/// Length of a message without extensions.
const MESSAGE_BYTES: usize = 48;
/// Leap indicator 0, version 4, mode 3 (client).
const CLIENT: u8 = 0b00_100_011;
/// NTP counts seconds in 32 bits; the next era begins in 2036.
const ERA_SECONDS: i64 = 1 << 32;

/// How far the machine's clock was from another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockCheck {
    /// The other one, as configured.
    pub source: String,
    /// When, by our clock.
    pub checked_at: Timestamp,
    /// By how many microseconds ours was behind.
    pub offset_us: i64,
    /// How far that may be wrong, in microseconds: half of the way there and back, and what the other
    /// says of its own way to its reference.
    pub uncertainty_us: u64,
}

/// Why there is no answer to go by.
#[derive(Debug, thiserror::Error)]
pub enum ClockCheckError {
    /// The name cannot be found, or nothing came back.
    #[error("the time server `{server}` does not answer")]
    NoAnswer {
        /// Which one.
        server: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// What came back is no answer to what was asked.
    #[error("the time server `{server}` answers wrongly: {what}")]
    Wrong {
        /// Which one.
        server: String,
        /// What is wrong.
        what: &'static str,
    },
}

/// Asks a time server once; `server` is `HOST` or `HOST:PORT`, `nonce` random.
pub fn check_clock(
    server: &str,
    clock: &dyn Clock,
    nonce: [u8; 8],
) -> Result<ClockCheck, ClockCheckError> {
    let no_answer = |source| ClockCheckError::NoAnswer {
        server: server.to_owned(),
        source,
    };
    let (socket, question) = (connect(server).map_err(no_answer)?, question(nonce));
    let asked_at = clock.now();
    socket.send(&question).map_err(no_answer)?;
    let mut answer = [0; 512];
    let length = socket.recv(&mut answer).map_err(no_answer)?;
    let answered_at = clock.now();
    let answer = answer.get(..length).unwrap_or_default();
    read(answer, nonce, asked_at, answered_at)
        .map(|(offset_us, uncertainty_us)| ClockCheck {
            source: server.to_owned(),
            checked_at: answered_at,
            offset_us,
            uncertainty_us,
        })
        .map_err(|what| ClockCheckError::Wrong {
            server: server.to_owned(),
            what,
        })
}

/// A socket that hears nobody else.
fn connect(server: &str) -> io::Result<UdpSocket> {
    let has_port = server
        .rsplit_once(':')
        .is_some_and(|(host, port)| port.parse::<u16>().is_ok() && !host.ends_with(':'));
    let address = if has_port {
        server.to_owned()
    } else {
        format!("{server}:123")
    };
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in address.to_socket_addrs()? {
        let any = if address.is_ipv4() {
            "0.0.0.0:0"
        } else {
            "[::]:0"
        };
        let socket = UdpSocket::bind(any)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        match socket.connect(address) {
            Ok(()) => return Ok(socket),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The moment of sending is random: it only has to come back, and tells nobody our time.
fn question(nonce: [u8; 8]) -> [u8; MESSAGE_BYTES] {
    let mut message = [0; MESSAGE_BYTES];
    let (head, moment) = message.split_at_mut(40);
    if let Some(first) = head.first_mut() {
        *first = CLIENT;
    }
    moment.copy_from_slice(&nonce);
    message
}

/// Offset and uncertainty, in microseconds.
fn read(
    message: &[u8],
    nonce: [u8; 8],
    asked_at: Timestamp,
    answered_at: Timestamp,
) -> Result<(i64, u64), &'static str> {
    let Some(message) = message.first_chunk::<MESSAGE_BYTES>() else {
        return Err("it is too short");
    };
    let [first, stratum, ..] = *message;
    if first & 0b111 != 4 {
        return Err("it is no server's answer");
    }
    let word = |at: usize| {
        let bytes = message.get(at..at + 4).unwrap_or_default();
        bytes.try_into().map_or(0, u32::from_be_bytes)
    };
    if message.get(24..32) != Some(&nonce[..]) {
        return Err("it answers another question");
    }
    // Stratum 0 is a kiss of death: it asks us to go away.
    if first >> 6 == 3 || !(1..=15).contains(&stratum) {
        return Err("its own clock is not set");
    }
    let moment = |at: usize| unix_micros(word(at), word(at + 4), asked_at);
    let (received, sent) = (moment(32), moment(40));
    if word(40) == 0 || sent < received {
        return Err("its moments are not in order");
    }
    let there = received - asked_at.micros();
    let back = sent - answered_at.micros();
    let away = (answered_at.micros_since(asked_at) - (sent - received)).max(0);
    // Root delay and dispersion are seconds with 16 bits of fraction.
    let short = |at: usize| i64::from(word(at)) * 1_000_000 / 65_536;
    let uncertainty = away / 2 + short(4) / 2 + short(8);
    let uncertainty = u64::try_from(uncertainty).unwrap_or(0);
    Ok((
        there / 2 + back / 2 + (there % 2 + back % 2) / 2,
        uncertainty,
    ))
}

/// Seconds since 1900 of the era nearest to ours, with a fraction of 32 bits.
fn unix_micros(seconds: u32, fraction: u32, near: Timestamp) -> i64 {
    let seconds = i64::from(seconds) - SECONDS_TO_1970;
    let eras = (near.micros() / 1_000_000 - seconds + ERA_SECONDS / 2).div_euclid(ERA_SECONDS);
    let fraction = (i64::from(fraction) * 1_000_000) >> 32;
    (seconds + eras * ERA_SECONDS) * 1_000_000 + fraction
}

#[cfg(test)]
mod tests {
    use super::*;
    use voicelog_model::SimClock;

    const NOW: i64 = 1_795_255_320_000_000;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    fn ntp(micros: i64) -> [u8; 8] {
        let seconds = micros.div_euclid(1_000_000) + SECONDS_TO_1970;
        let fraction = (micros.rem_euclid(1_000_000) << 32) / 1_000_000;
        let mut moment = [0; 8];
        moment[..4].copy_from_slice(&u32::try_from(seconds % ERA_SECONDS).unwrap().to_be_bytes());
        moment[4..].copy_from_slice(&u32::try_from(fraction).unwrap().to_be_bytes());
        moment
    }

    fn answer(nonce: [u8; 8], received: i64, sent: i64) -> Vec<u8> {
        let mut message = vec![0; MESSAGE_BYTES];
        message[0] = 0b00_100_100;
        message[1] = 2;
        message[4..8].copy_from_slice(&(65_536_u32 / 100).to_be_bytes());
        message[8..12].copy_from_slice(&(65_536_u32 / 1_000).to_be_bytes());
        message[24..32].copy_from_slice(&nonce);
        message[32..40].copy_from_slice(&ntp(received));
        message[40..48].copy_from_slice(&ntp(sent));
        message
    }

    #[test]
    fn a_clock_that_is_behind_is_told_by_how_much_and_how_surely() {
        // 10 ms there, 2 ms in between, 10 ms back; ours is 250 ms behind.
        let ours = (at(NOW), at(NOW + 22_000));
        let message = answer([7; 8], NOW + 260_000, NOW + 262_000);
        let (offset, uncertainty) = read(&message, [7; 8], ours.0, ours.1).unwrap();
        assert!((offset - 250_000).abs() <= 2, "{offset}");
        assert!((15_900..=16_100).contains(&uncertainty), "{uncertainty}");
    }

    #[test]
    fn an_answer_that_is_none_is_not_gone_by() {
        let good = answer([7; 8], NOW, NOW);
        let wrong = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut message = good.clone();
            change(&mut message);
            read(&message, [7; 8], at(NOW), at(NOW)).unwrap_err()
        };
        assert!(read(&good, [7; 8], at(NOW), at(NOW)).is_ok());
        assert_eq!(wrong(&|m| m.truncate(47)), "it is too short");
        assert_eq!(wrong(&|m| m[0] = 0b00_100_011), "it is no server's answer");
        assert_eq!(wrong(&|m| m[24] = 8), "it answers another question");
        assert_eq!(wrong(&|m| m[1] = 0), "its own clock is not set");
        assert_eq!(wrong(&|m| m[0] = 0b11_100_100), "its own clock is not set");
        assert_eq!(
            wrong(&|m| m[40..48].fill(0)),
            "its moments are not in order"
        );
    }

    #[test]
    fn time_goes_on_after_the_year_2036() {
        let later = 2_200_000_000_000_000;
        let message = answer([7; 8], later + 5_000, later + 5_000);
        let (offset, _) = read(&message, [7; 8], at(later), at(later)).unwrap();
        assert!((offset - 5_000).abs() <= 2, "{offset}");
    }

    #[test]
    fn a_server_on_the_network_is_asked_and_one_that_is_not_there_is_named() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr().unwrap().to_string();
        let answers = std::thread::spawn(move || {
            let mut question = [0; 64];
            let (length, from) = server.recv_from(&mut question).unwrap();
            assert_eq!((length, question[0]), (48, CLIENT));
            let nonce = question[40..48].try_into().unwrap();
            let message = answer(nonce, NOW + 1_000_000, NOW + 1_000_000);
            server.send_to(&message, from).unwrap();
        });
        let clock = SimClock::new(at(NOW));
        let found = check_clock(&address, &clock, [9; 8]).unwrap();
        answers.join().unwrap();
        assert_eq!((found.source, found.checked_at), (address.clone(), at(NOW)));
        assert!((found.offset_us - 1_000_000).abs() <= 2);
        let refused = check_clock(&address, &clock, [9; 8]).unwrap_err();
        assert!(refused.to_string().contains(&address), "{refused}");
    }
}
