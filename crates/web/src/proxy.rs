//! Who is at the other end, behind a proxy that terminates TLS.

use axum::http::HeaderMap;
use std::net::{IpAddr, SocketAddr};

/// The address of the one who asks: that of the connection, or, if a trusted proxy made the
/// connection, the last address in `X-Forwarded-For` that is not a trusted proxy's own. What
/// stands before it anybody could have written.
pub(crate) fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.contains(address);
    let mut client = peer.to_canonical();
    let forwarded = headers.get_all("x-forwarded-for");
    for field in forwarded.iter().rev() {
        for name in field.to_str().unwrap_or_default().rsplit(',') {
            if !is_trusted(&client) {
                return client;
            }
            match address(name.trim()) {
                Some(before) => client = before,
                None => return client,
            }
        }
    }
    client
}

/// An address as proxies write it: alone, or with a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.parse::<IpAddr>();
    let address = bare.or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn client_of(peer: &str, fields: &[&'static str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append("x-forwarded-for", HeaderValue::from_static(field));
        }
        let trusted: Vec<IpAddr> = trusted.iter().map(|text| text.parse().unwrap()).collect();
        client(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let said = ["203.0.113.9"];
        assert_eq!(client_of("192.0.2.1", &said, &[]), "192.0.2.1");
        assert_eq!(client_of("192.0.2.1", &said, &["192.0.2.2"]), "192.0.2.1");
        assert_eq!(client_of("192.0.2.1", &said, &["192.0.2.1"]), "203.0.113.9");
        assert_eq!(client_of("192.0.2.1", &[], &["192.0.2.1"]), "192.0.2.1");
    }

    #[test]
    fn what_a_visitor_writes_himself_stands_before_the_address_that_counts() {
        let proxy = ["192.0.2.1"];
        let lied = ["127.0.0.1, 10.0.0.1, 203.0.113.9"];
        assert_eq!(client_of("192.0.2.1", &lied, &proxy), "203.0.113.9");
        let two_fields = ["127.0.0.1", "203.0.113.9"];
        assert_eq!(client_of("192.0.2.1", &two_fields, &proxy), "203.0.113.9");
        let chain = ["203.0.113.9, 192.0.2.7"];
        assert_eq!(
            client_of("192.0.2.1", &chain, &["192.0.2.1", "192.0.2.7"]),
            "203.0.113.9"
        );
        assert_eq!(client_of("192.0.2.1", &["nonsense"], &proxy), "192.0.2.1");
    }

    #[test]
    fn an_address_may_have_a_port_or_be_mapped() {
        let said = ["[2001:db8::1]:4711"];
        let proxy = ["192.0.2.1"];
        assert_eq!(client_of("::ffff:192.0.2.1", &said, &proxy), "2001:db8::1");
        assert_eq!(
            client_of("192.0.2.1", &["203.0.113.9:80"], &proxy),
            "203.0.113.9"
        );
    }
}
