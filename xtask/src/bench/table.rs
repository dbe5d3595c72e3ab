//! The table, in the form in which it stands in `ref/performance.md`.

use super::{Capacity, EndedBy, Measured};

/// Share of a core that may be used for good; the rest is for what comes in bursts.
const SUSTAINED: f64 = 0.95;

pub(crate) fn print(floor: &Measured, server: &Measured) {
    let (calls, seconds) = (server.calls, server.seconds);
    println!("\n{calls} calls of {seconds} s, all at once\n");
    println!("| | server | floor | ratio |");
    println!("| --- | --- | --- | --- |");
    let (ours, least) = (server.cpu_per_call_minute(), floor.cpu_per_call_minute());
    println!(
        "| processor seconds per call-minute | {ours:.4} | {least:.4} | {:.2} |",
        ours / least
    );
    println!(
        "| packets lost of {} | {} | {} | |",
        server.sent,
        server.lost(),
        floor.lost()
    );
    let sustained = |each: f64| (SUSTAINED * 60.0 / each).floor();
    println!(
        "| calls that one core sustains (estimate: {SUSTAINED} × 60 / the first row) | {} | {} | {:.2} |",
        sustained(ours),
        sustained(least),
        least / ours
    );
    let per_byte =
        |measured: &Measured| as_f64(measured.media_bytes) / as_f64(measured.payload_bytes);
    println!(
        "| bytes of media on disk per byte of payload | {:.3} | {:.3} | {:.2} |",
        per_byte(server),
        per_byte(floor),
        per_byte(server) / per_byte(floor)
    );
    println!(
        "| all bytes in the data folder per byte of payload | {:.3} | | |",
        as_f64(server.all_bytes) / as_f64(server.payload_bytes)
    );
    let per_call = |m: &Measured| (m.peak_after - m.peak_before) / f64::from(m.calls) / 1_000.0;
    println!(
        "| memory per call, kB (peak with the calls less peak without, shared out) | {:.1} | {:.1} | |",
        per_call(server),
        per_call(floor)
    );
    println!(
        "| memory without calls, MB | {:.1} | | |",
        server.peak_before / 1e6
    );
}

/// One more row: what sealing the same calls takes by itself, as a share of what the server used.
pub(crate) fn print_sealing(server: &Measured, sealing_seconds: f64) {
    println!(
        "| processor seconds per call-minute for sealing alone (encryption, chain, trees), as a share of the server's | {:.4} | | {:.2} |",
        sealing_seconds / server.call_minutes(),
        sealing_seconds / server.cpu_seconds
    );
}

/// One more row: rtpengine under the same load.
pub(crate) fn print_rtpengine(server: &Measured, rtpengine: &Measured) {
    let (ours, theirs) = (
        server.cpu_per_call_minute(),
        rtpengine.cpu_per_call_minute(),
    );
    println!(
        "| processor seconds per call-minute, beside rtpengine (pcap, not forwarding; it lost {} of {}) | {ours:.4} | {theirs:.4} | {:.2} |",
        rtpengine.lost(),
        rtpengine.sent,
        ours / theirs
    );
}

/// One more row: the same load, protected with SRTP.
pub(crate) fn print_protected(protected: &Measured, plain: &Measured) {
    let (ours, without) = (protected.cpu_per_call_minute(), plain.cpu_per_call_minute());
    println!(
        "| processor seconds per call-minute, SRTP (AES_CM_128_HMAC_SHA1_80; {} lost), as a ratio to the server without | {ours:.4} | | {:.2} |",
        protected.lost(),
        ours / without
    );
}

/// One more row: the same number of calls, each of them short.
pub(crate) fn print_short(short: &Measured, floor: &Measured) {
    println!(
        "| processor seconds per call-minute, with calls of {} s | {:.4} | | {:.2} |",
        short.seconds,
        short.cpu_per_call_minute(),
        short.cpu_per_call_minute() / floor.cpu_per_call_minute()
    );
}

pub(crate) fn print_capacity(Capacity { most, ended_by }: Capacity) {
    let why = match ended_by {
        EndedBy::Loss => "then packets were lost",
        EndedBy::Sender => "then the sender could not keep up",
    };
    println!("| calls at once on one core without loss (measured; {why}) | {most} | | |");
}

/// Where the server's time went.
pub(crate) fn print_threads(server: &Measured) {
    println!("\n| thread of the server | processor seconds | share |\n| --- | --- | --- |");
    let all = server.cpu_seconds;
    for (name, seconds) in server.threads.iter().filter(|(_, seconds)| *seconds > 0.0) {
        println!("| {name} | {seconds:.2} | {:.0} % |", 100.0 * seconds / all);
    }
}

/// Counts below 2^53 are exact; more bytes than that nobody has.
#[expect(
    clippy::cast_precision_loss,
    reason = "a ratio of counts is told to three digits"
)]
pub(crate) fn as_f64(count: u64) -> f64 {
    count as f64
}
