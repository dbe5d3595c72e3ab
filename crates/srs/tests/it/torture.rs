//! Messages of the kinds that RFC 4475 collects, written anew: odd ones that are valid must be
//! taken, broken ones must get the right answer, and what cannot be answered is counted.

use crate::client::{Request, World, sdp};
use voicelog_srs::{Counted, Event};

enum Outcome {
    /// Offered to the caller.
    Taken,
    /// Answered with this status, without a session.
    Answered(u16),
    /// Not answered, and counted here.
    Dropped(Counted),
}
use Outcome::{Answered, Dropped, Taken};

/// What it is, the message, and what must come of it.
type Case = (&'static str, String, Outcome);

fn invite() -> String {
    Request::invite().sdp(&sdp(1, "sendonly")).text()
}

/// A good INVITE with one thing changed.
fn changed(from: &str, to: &str) -> String {
    let text = invite();
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

fn with_header(line: &str) -> String {
    changed(
        "Max-Forwards: 70\r\n",
        &format!("Max-Forwards: 70\r\n{line}\r\n"),
    )
}

fn with_uri(uri: &str) -> String {
    changed("sip:sales@198.51.100.5 SIP/2.0", &format!("{uri} SIP/2.0"))
}

fn with_from(value: &str) -> String {
    let text = invite();
    let line = text.split("\r\n").find(|line| line.starts_with("From: "));
    text.replacen(line.unwrap(), &format!("From: {value}"), 1)
}

fn other_method(method: &str) -> String {
    invite()
        .replacen("INVITE sip", &format!("{method} sip"), 1)
        .replacen("1 INVITE", &format!("1 {method}"), 1)
}

/// Everything at once that the grammar allows and nobody writes.
fn tortuous() -> String {
    let body = sdp(1, "sendonly");
    format!(
        "INVITE sip:vivekg@198.51.100.5;unknownparam SIP/2.0\r\n\
         TO :\r\n sip:sales@198.51.100.5 ;   par1  = 1918181833n\r\n\
         from   : \"J Rosenberg \\\\\\\"\"       <sip:jdr@pbx.example>\r\n  ;\r\n  tag = 98asjd8\r\n\
         MaX-fOrWaRdS: 0068\r\n\
         Call-ID: wsinv.odd@192.0.2.1\r\n\
         Content-Length   : {}\r\n\
         cseq: 0009\r\n  INVITE\r\n\
         Via  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw\r\n\
         s :\r\n\
         NewFangledHeader:   newfangled value\r\n continued newfangled value\r\n\
         UnknownHeaderWithUnusualValue: ;;,,;;,;\r\n\
         Content-Type: application/sdp\r\n\
         Route:\r\n <sip:services.example;lr;unknownwith=value;unknown-no-value>\r\n\
         v:  SIP  / 2.0  / TCP     spindle.example   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239\r\n\
         Require: siprec\r\n\
         m:\"Quoted string \\\"\\\"\" <sip:jdr@192.0.2.10> ; newparam =\r\n      newvalue ;\r\n  secondparam ; q = 0.33\r\n\
         \r\n{body}",
        body.len()
    )
}

/// Valid, with names and addresses that real parsers trip over.
fn valid_names() -> Vec<Case> {
    vec![
        ("folds, cases and blanks everywhere", tortuous(), Taken),
        (
            "a method of every allowed character",
            other_method("!interesting-Method0123456789_*+`.%indeed'~"),
            Answered(405),
        ),
        (
            "a method that only looks escaped",
            other_method("IN%56ITE"),
            Answered(405),
        ),
        (
            "escapes in the Request-URI",
            with_uri("sip:sips%3Auser%40example.com@198.51.100.5;other-param=p%20q"),
            Taken,
        ),
        (
            "an escaped zero byte",
            with_uri("sip:null-%00-null@198.51.100.5"),
            Taken,
        ),
        (
            "a user part with a semicolon",
            with_uri("sip:user;par=u%40example.net@198.51.100.5"),
            Taken,
        ),
        (
            "no blank before the bracket",
            with_from("caller<sip:caller@pbx.example>;tag=323"),
            Taken,
        ),
        (
            "a display name that is long",
            with_from(&format!("\"{}\" <sip:a@b>;tag=1", "long ".repeat(300))),
            Taken,
        ),
        (
            "a name and a tag that are long",
            with_from(&format!(
                "<sip:{}@b>;tag={}",
                "u".repeat(900),
                "t".repeat(900)
            )),
            Taken,
        ),
    ]
}

/// Valid, with a way behind it, or an age, that real parsers trip over.
fn valid_surroundings() -> Vec<Case> {
    vec![
        (
            "another message behind the length",
            format!("{}{}", invite(), other_method("BYE")),
            Taken,
        ),
        (
            "transports that nobody knows, further down",
            changed(
                "Max-Forwards",
                "Via: SIP/2.0/SCTP x.example;branch=z9hG4bKa\r\nVia: SIP/2.0/NEWER y.example;branch=z9hG4bKb\r\nMax-Forwards",
            ),
            Taken,
        ),
        (
            "schemes that nobody knows, in To",
            changed("To: <sip:sales@198.51.100.5>", "To: isbn:2983792873"),
            Taken,
        ),
        (
            "a credential of an unknown kind",
            with_header("Authorization: NoOneKnowsThisScheme opaque-data=here"),
            Taken,
        ),
        ("no hop left, but it has arrived", changed("70", "0"), Taken),
        (
            "a branch that is only the cookie",
            changed("z9hG4bK-INVITE-1", "z9hG4bK"),
            Taken,
        ),
        (
            "the syntax of 1999: no branch, no tag, no length",
            invite()
                .replace(";branch=z9hG4bK-INVITE-1", "")
                .replace(";tag=src1", "")
                .replace("Content-Length", "X-Length"),
            Taken,
        ),
        ("the same value twice", with_header("CSeq: 1 INVITE"), Taken),
    ]
}

/// Broken where no guess can do harm: read all the same.
fn forgiven() -> Vec<Case> {
    vec![
        (
            "blanks inside the brackets",
            with_from("\"Watson, Thomas\" < sip:t.watson@pbx.example > ; tag = 1"),
            Taken,
        ),
        (
            "a display name that is no token",
            with_from("Bell, Alexander <sip:a.g.bell@pbx.example>;tag=43"),
            Taken,
        ),
        (
            "a quote that is never closed",
            with_from("\"Mr. J. User <sip:j.user@pbx.example>;tag=1"),
            Taken,
        ),
        (
            "several blanks in the request line",
            changed(
                "INVITE sip:sales@198.51.100.5 SIP",
                "INVITE  sip:sales@198.51.100.5  SIP",
            ),
            Taken,
        ),
        (
            "blanks behind the request line",
            changed("SIP/2.0\r\n", "SIP/2.0  \r\n"),
            Taken,
        ),
        (
            "a date in a zone that is none",
            with_header("Date: Fri, 01 Jan 2010 16:00:00 EST"),
            Taken,
        ),
        (
            "headers in the Request-URI",
            with_uri("sip:sales@198.51.100.5?Route=%3Csip:pbx.example%3E"),
            Taken,
        ),
        (
            "more hops than there can be",
            changed("Max-Forwards: 70", "Max-Forwards: 300"),
            Taken,
        ),
    ]
}

/// Broken where a recording would be lost for nothing: mended, and said.
fn mended() -> Vec<Case> {
    vec![
        (
            "a line that is no header",
            with_header("what is this"),
            Taken,
        ),
        (
            "a name with a blank",
            with_header("X-My Header: foo"),
            Taken,
        ),
        ("a control character", with_header("X-Foo: a\u{1}b"), Taken),
        ("no Contact", changed("Contact: ", "X-Contact: "), Taken),
        (
            "a blank in Contact",
            contact("<sip:John Doe@192.0.2.10>"),
            Taken,
        ),
        (
            "a telephone number as Contact",
            contact("<tel:+3120>"),
            Taken,
        ),
        (
            "a Contact with an empty port",
            contact("<sip:a@192.0.2.10:>"),
            Taken,
        ),
        (
            "a Contact of IPv6 without brackets",
            contact("<sip:a@2001:db8::1>"),
            Taken,
        ),
    ]
}

/// The same, of tags, lengths and lines of media.
fn mended_further() -> Vec<Case> {
    vec![
        (
            "option tags without a comma",
            with_header("Require: 100relsiprec"),
            Taken,
        ),
        (
            "the client's own option tag",
            with_header("Require: siprec, record-aware"),
            Taken,
        ),
        (
            "a tag that is empty",
            changed(
                "To: <sip:sales@198.51.100.5>",
                "To: <sip:sales@198.51.100.5>;tag=",
            ),
            Taken,
        ),
        (
            "a telephone number as Request-URI",
            with_uri("tel:+31-20-1234567"),
            Taken,
        ),
        (
            "a Via of IPv6 without brackets",
            changed("192.0.2.10:5060;branch", "2001:db8::1;branch"),
            Taken,
        ),
        (
            "a length that counts a line end too many",
            miscounted(2),
            Taken,
        ),
        (
            "a line of media with a port that is none",
            changed("t=0 0\r\n", "t=0 0\r\nm=image 70000 udptl t38\r\n"),
            Taken,
        ),
        (
            "brackets around the Request-URI",
            with_uri("<sip:sales@198.51.100.5>"),
            Taken,
        ),
        (
            "a blank in the Request-URI",
            with_uri("sip:sales@198.51.100.5; lr"),
            Taken,
        ),
        (
            "a Contact that is empty",
            changed("<sip:src@192.0.2.10:5060>;+sip.src", "<>;+sip.src;;;"),
            Taken,
        ),
        (
            "a Contact with a header outside brackets",
            changed(
                "<sip:src@192.0.2.10:5060>;+sip.src",
                "\"x\" sip:src@192.0.2.10?Route=x",
            ),
            Taken,
        ),
    ]
}

fn contact(value: &str) -> String {
    changed(
        "<sip:src@192.0.2.10:5060>;+sip.src",
        &format!("{value};+sip.src"),
    )
}

fn miscounted(by: usize) -> String {
    let body = sdp(1, "sendonly").len();
    changed(
        &format!("Content-Length: {body}"),
        &format!("Content-Length: {}", body + by),
    )
}

/// Broken in its numbers, or at odds with itself.
fn contradictory() -> Vec<Case> {
    let long = "Content-Length: 9999";
    vec![
        ("a body that is cut", miscounted(3), Answered(400)),
        (
            "a longer body than there is",
            invite().replace("Content-Length: ", "Content-Length: 1"),
            Answered(400),
        ),
        (
            "a length below zero",
            invite().replace("Content-Length: ", "Content-Length: -"),
            Answered(400),
        ),
        ("two lengths", with_header(long), Answered(400)),
        (
            "a number that is too large for CSeq",
            changed("CSeq: 1 ", "CSeq: 36893488147419103232 "),
            Answered(400),
        ),
        (
            "another method in CSeq",
            changed("1 INVITE", "1 OPTIONS"),
            Answered(400),
        ),
        (
            "an unknown method, and another in CSeq",
            changed("INVITE sip", "NEWMETHOD sip"),
            Answered(400),
        ),
        (
            "two different CSeq",
            with_header("CSeq: 8 INVITE"),
            Answered(400),
        ),
        (
            "two different Call-IDs",
            with_header("Call-ID: other"),
            Answered(400),
        ),
        (
            "two different From",
            with_header("From: <sip:x@y>;tag=z"),
            Answered(400),
        ),
        (
            "two different To",
            with_header("t: <sip:x@y>"),
            Answered(400),
        ),
    ]
}

/// Broken in what it asks for.
fn unacceptable() -> Vec<Case> {
    vec![
        (
            "a Request-URI of an unknown scheme",
            with_uri("nobodyKnowsThisScheme:totallyopaque"),
            Answered(416),
        ),
        (
            "a Request-URI of a known scheme",
            with_uri("soap.beep://192.0.2.103:3002"),
            Answered(416),
        ),
        (
            "a version of the future",
            changed("SIP/2.0", "SIP/7.0"),
            Answered(505),
        ),
        (
            "an extension that nobody has",
            with_header("Require: nothingSupportsThis, nothingSupportsThisEither"),
            Answered(420),
        ),
        (
            "a body of a type that nobody has",
            changed("application/sdp", "application/unknownformat"),
            Answered(415),
        ),
    ]
}

/// Nobody can be answered.
fn unanswerable() -> Vec<Case> {
    vec![
        (
            "no Via at all",
            changed("Via: ", "X-Via: "),
            Dropped(Counted::Unanswerable),
        ),
        (
            "a Via of separators",
            changed(
                "SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-INVITE-1",
                ";;,,;;,;",
            ),
            Dropped(Counted::Unanswerable),
        ),
        (
            "no Call-ID",
            changed("Call-ID", "X-Call-ID"),
            Dropped(Counted::Unanswerable),
        ),
        (
            "a request line of two words",
            changed("INVITE sip:sales@198.51.100.5 SIP/2.0", "INVITE SIP/2.0"),
            Dropped(Counted::NotSip),
        ),
        (
            "a status that is too large",
            response("4294967301 better not break the receiver"),
            Dropped(Counted::NotSip),
        ),
        (
            "a status below the first",
            response("099 Nothing"),
            Dropped(Counted::NotSip),
        ),
        (
            "a response to nobody",
            response("200 OK"),
            Dropped(Counted::StrayResponse),
        ),
        (
            "a response without a reason",
            response("200 "),
            Dropped(Counted::StrayResponse),
        ),
        (
            "a response with an unusual reason",
            response("200 = 2**3 * 5**2 \u{43d}\u{43e} \u{441}\u{442}\u{43e}"),
            Dropped(Counted::StrayResponse),
        ),
    ]
}

fn response(status: &str) -> String {
    let text = invite();
    let line = text.split("\r\n").next().unwrap();
    text.replacen(line, &format!("SIP/2.0 {status}"), 1)
}

#[test]
fn odd_messages_that_are_valid_are_taken_and_broken_ones_get_the_right_answer() {
    let all = [
        valid_names(),
        valid_surroundings(),
        forgiven(),
        mended(),
        mended_further(),
        contradictory(),
        unacceptable(),
        unanswerable(),
    ];
    for (name, text, outcome) in all.into_iter().flatten() {
        let mut world = World::new();
        world.send_bytes(text.as_bytes());
        let status = world.sent.front().map(crate::client::Seen::status);
        let is_offered = matches!(world.events.front(), Some((_, Event::Offered(_))));
        match outcome {
            Taken => assert_eq!((status, is_offered), (Some(100), true), "{name}"),
            Answered(wanted) => {
                assert_eq!((status, is_offered), (Some(wanted), false), "{name}");
            }
            Dropped(counted) => {
                assert_eq!((status, is_offered), (None, false), "{name}");
                assert_eq!(world.endpoint.counters().of(counted), 1, "{name}");
            }
        }
        assert!(world.sent.len() <= 1 && world.events.len() <= 1, "{name}");
        // Whatever it was, the next call is taken.
        world.sent.clear();
        world.events.clear();
        world.offered(&Request::invite().call("next"));
    }
}
