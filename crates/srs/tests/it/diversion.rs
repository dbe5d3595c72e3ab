//! Whom a diverted conversation was for first, by the two headers that tell it.

use crate::client::{Request, World};

fn called_before(request: &Request) -> Vec<String> {
    let (_, offer) = World::new().offered(request);
    let addresses = offer.called_before.iter();
    addresses.map(|address| address.expose().clone()).collect()
}

#[test]
fn rfc5806_section_4_the_newest_diversion_stands_first_so_the_last_is_whom_the_call_was_for() {
    let request = Request::invite()
        .header("Diversion: \"Desk, 2\" <sip:2002@pbx.example>;reason=no-answer;counter=1")
        .header("Diversion: <tel:+31881234599>;reason=unconditional, <sip:+31880000000@pbx.example;user=phone>");
    assert_eq!(
        called_before(&request),
        [
            "sip:+31880000000@pbx.example;user=phone",
            "tel:+31881234599",
            "sip:2002@pbx.example"
        ]
    );
}

#[test]
fn rfc7044_section_5_the_index_tells_the_order_of_a_history_and_what_stands_behind_the_address_is_left_out()
 {
    let request = Request::invite().header(
        "History-Info: <sip:2001@pbx.example?Reason=SIP%3Bcause%3D302>;index=1.10;mp=1, \
         <sip:queue@pbx.example?Privacy=history>;index=1, <sip:2000@pbx.example>;index=1.2;rc=1",
    );
    assert_eq!(
        called_before(&request),
        [
            "sip:queue@pbx.example",
            "sip:2000@pbx.example",
            "sip:2001@pbx.example"
        ]
    );
}

#[test]
fn our_own_address_in_the_history_of_the_recording_session_is_nobody_who_was_called() {
    let request = Request::invite().header(
        "History-Info: <sip:SALES@198.51.100.5>;index=1, <sip:sales@198.51.100.6>;index=1.1",
    );
    assert_eq!(called_before(&request), [""; 0]);
    assert_eq!(called_before(&Request::invite()), [""; 0]);
}

#[test]
fn headers_that_are_broken_or_endless_stop_nothing_and_stay_bounded() {
    let endless = (0..500).map(|n| format!("<sip:{n}@pbx.example>"));
    let endless = endless.collect::<Vec<_>>().join(", ");
    let request = Request::invite()
        .header(&format!("Diversion: {endless}"))
        .header("History-Info: ;;;, <>, \"<sip:x@y, <sip:a@pbx.example>;index=1.x.99999999999");
    let told = called_before(&request);
    assert_eq!(told.len(), 16);
    assert!(told.iter().all(|address| !address.is_empty()));
}
