//! The lists of others: call detail records of telephone systems, and the papers of a backup.

use super::{kept, smoke};
use voicelog_archive::backup::fuzzing;
use voicelog_casework::expected::Table;

const ASTERISK: &[u8] = b"calldate,src,dst,duration,billsec,disposition,uniqueid\r\n\
    2026-11-21 10:00:00,0201234567,verkoop,70,61,ANSWERED,1763715600.1\r\n\
    2026-11-21 10:05:00,\"+31 6 12345678\",\"0800,1234\",9,0,NO ANSWER,1763715900.2\r\n";
const SEMICOLONS: &[u8] = b"\xef\xbb\xbfid;answered_at;ended_at;caller;callee\n\
    a;2026-11-21T10:00:00+01:00;2026-11-21T10:01:00+01:00;tel:+31201234567;sip:a@voorbeeld.example\n";

#[test]
fn fuzz_smoke_call_detail_records() {
    smoke(
        "call_detail_records",
        &[ASTERISK.to_vec(), SEMICOLONS.to_vec()],
        |input| drop(Table::read(input)),
    );
}

/// Its samples are those of `fuzz/corpus/backup`: texts that the body signs.
#[test]
fn fuzz_smoke_backup() {
    let samples = kept("backup");
    assert!(samples.len() > 1 && samples.iter().all(|sample| fuzzing::read_papers(sample)));
    smoke("backup", &samples, |input| {
        fuzzing::read_papers(input);
    });
}
