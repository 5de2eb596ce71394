//! From which address a request comes, and which address of the site it was sent to. A proxy is believed about both where it is
//! configured, and nobody else is.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use ipnet::IpNet;

use super::ApiState;

/// LIMIT: proxies in a row whose word is followed.
const PROXIES_MAX: usize = 16;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// In which header proxies say whom they speak for. Only that one is read: what they do not write themselves, they pass on from
/// whoever asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Forwarding {
    /// `X-Forwarded-For`, and `X-Forwarded-Host`.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239): `for` and `host`.
    Forwarded,
}

/// The proxies that are believed.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    /// Where they are.
    pub trusted: Vec<IpNet>,
    /// Where they write what they say.
    pub forwarding: Forwarding,
}

/// What one proxy said of the request that it was sent.
#[derive(Default)]
struct Hop<'a> {
    /// From where; `None` where it does not say, or hides it.
    from: Option<IpAddr>,
    /// To which host.
    host: Option<&'a str>,
}

impl Proxies {
    /// Whether what comes from here is believed.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted.iter().any(|network| network.contains(&address))
    }

    /// Puts what is known in its place, before anything reads the request: the address of the client into `ConnectInfo`, and the
    /// host that people asked for into `Host`.
    pub(super) fn settle(&self, request: &mut Request) {
        let Some(peer) = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0) else { return };
        if !self.trusts(peer.ip()) {
            return;
        }
        let (client, host) = self.follow(peer.ip(), request.headers());
        let host = host.and_then(|host| HeaderValue::from_str(host).ok());
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(client, 0)));
        if let Some(host) = host {
            request.headers_mut().insert(header::HOST, host);
        }
    }

    /// From the proxy next to us outwards: each that is trusted says who was before it. Whatever stands before the first that is
    /// not is what somebody claims.
    fn follow<'a>(&self, peer: IpAddr, headers: &'a HeaderMap) -> (IpAddr, Option<&'a str>) {
        let (mut at, mut host) = (peer, None);
        for hop in self.hops(headers).into_iter().take(PROXIES_MAX) {
            if !self.trusts(at) {
                break;
            }
            host = host.or(hop.host);
            let Some(from) = hop.from else { break };
            at = from.to_canonical();
        }
        if self.forwarding == Forwarding::XForwardedFor {
            host = headers.get(X_FORWARDED_HOST).and_then(|host| host.to_str().ok());
        }
        (at, host)
    }

    /// What proxies said, the last first.
    fn hops<'a>(&self, headers: &'a HeaderMap) -> Vec<Hop<'a>> {
        let name = match self.forwarding {
            Forwarding::XForwardedFor => X_FORWARDED_FOR,
            Forwarding::Forwarded => header::FORWARDED,
        };
        // What is no text says nothing, and nothing that stands before it counts.
        let values = headers.get_all(name).into_iter().map(|value| value.to_str().unwrap_or("?"));
        let hops = values.flat_map(|value| split(value, ',')).map(|hop| match self.forwarding {
            Forwarding::XForwardedFor => Hop { from: node(hop), host: None },
            Forwarding::Forwarded => forwarded(hop),
        });
        let mut hops: Vec<_> = hops.collect();
        hops.reverse();
        hops
    }
}

/// One element of `Forwarded`: `for=192.0.2.60;proto=http;host=chat.example`.
fn forwarded(element: &str) -> Hop<'_> {
    let mut hop = Hop::default();
    for (name, value) in split(element, ';').filter_map(|pair| pair.split_once('=')) {
        let value = value.trim().trim_matches('"');
        match name.trim() {
            name if name.eq_ignore_ascii_case("for") => hop.from = node(value),
            name if name.eq_ignore_ascii_case("host") => hop.host = Some(value),
            _ => {}
        }
    }
    hop
}

/// An address, with a port or without: `192.0.2.43`, `192.0.2.43:47011`, `2001:db8::17`, `[2001:db8::17]`, `[2001:db8::17]:4711`.
fn node(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = || text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    text.parse().ok().or_else(with_port).or_else(|| bare()?.parse().ok())
}

/// Splits where it is not quoted.
fn split(text: &str, at: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |char| {
        quoted ^= char == '"';
        char == at && !quoted
    })
}

/// The address of the client, as far as it is known.
pub struct ClientAddress(pub IpAddr);

impl FromRequestParts<ApiState> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Infallible> {
        let known = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
        Ok(Self(known.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))))
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    /// The client and the host of a request that came from here with these headers.
    fn seen(forwarding: Forwarding, peer: &str, headers: &[(&'static str, &str)]) -> (String, String) {
        let trusted =
            ["10.0.0.0/8", "127.0.0.1/32", "2001:db8:1::/48"].map(|network| network.parse().unwrap()).to_vec();
        let mut request = Request::new(Body::empty());
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 4711)));
        request.headers_mut().insert(header::HOST, HeaderValue::from_static("node"));
        for (name, value) in headers {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        Proxies { trusted, forwarding }.settle(&mut request);
        let client = request.extensions().get::<ConnectInfo<SocketAddr>>().unwrap().0.ip();
        (client.to_string(), request.headers()["host"].to_str().unwrap().to_owned())
    }

    fn client(forwarding: Forwarding, peer: &str, header: (&'static str, &str)) -> String {
        seen(forwarding, peer, &[header]).0
    }

    #[test]
    fn a_stranger_is_believed_nothing() {
        let lies = [
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-host", "evil.example"),
            ("forwarded", "for=192.0.2.1;host=evil.example"),
        ];
        for forwarding in [Forwarding::XForwardedFor, Forwarding::Forwarded] {
            assert_eq!(seen(forwarding, "198.51.100.9", &lies), ("198.51.100.9".to_owned(), "node".to_owned()));
        }
    }

    #[test]
    fn what_a_trusted_proxy_saw_counts_and_what_was_claimed_before_does_not() {
        let x = |value: &str| client(Forwarding::XForwardedFor, "10.1.2.3", ("x-forwarded-for", value));
        assert_eq!(x("192.0.2.7"), "192.0.2.7");
        assert_eq!(x("6.6.6.6, 192.0.2.7"), "192.0.2.7");
        assert_eq!(x("6.6.6.6, 192.0.2.7, 10.9.9.9, 127.0.0.1"), "192.0.2.7");
        assert_eq!(x("10.0.0.1, 192.0.2.7"), "192.0.2.7", "nobody makes themselves one of our proxies");
        assert_eq!(x("[2001:db8::1]:4711"), "2001:db8::1");
        assert_eq!(x("192.0.2.7:4711"), "192.0.2.7");
        assert_eq!(x("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(x("6.6.6.6, unknown"), "10.1.2.3", "whom a proxy does not know is counted with it");
        let two = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "1.1.1.1, 192.0.2.7")];
        assert_eq!(seen(Forwarding::XForwardedFor, "::ffff:10.1.2.3", &two).0, "192.0.2.7");
    }

    #[test]
    fn only_the_header_that_is_configured_is_read() {
        let both = [("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=192.0.2.2")];
        assert_eq!(seen(Forwarding::XForwardedFor, "10.0.0.1", &both).0, "192.0.2.1");
        assert_eq!(seen(Forwarding::Forwarded, "10.0.0.1", &both).0, "192.0.2.2");
        let forged = [("forwarded", "for=1.1.1.1;host=evil.example, for=192.0.2.2")];
        assert_eq!(seen(Forwarding::Forwarded, "10.0.0.1", &forged), ("192.0.2.2".to_owned(), "node".to_owned()));
        let host = [("x-forwarded-host", "chat.example"), ("forwarded", "for=192.0.2.2;host=chat.test")];
        assert_eq!(seen(Forwarding::XForwardedFor, "10.0.0.1", &host).1, "chat.example");
        assert_eq!(seen(Forwarding::Forwarded, "10.0.0.1", &host).1, "chat.test");
    }

    #[test]
    fn forwarded_is_read_as_rfc_7239_has_it() {
        let read = |value: &str| client(Forwarding::Forwarded, "127.0.0.1", ("forwarded", value));
        assert_eq!(read("For=\"[2001:db8:cafe::17]:4711\""), "2001:db8:cafe::17");
        assert_eq!(read("for=192.0.2.43, for=\"[2001:db8:1::17]\";proto=https"), "192.0.2.43");
        assert_eq!(read("for=6.6.6.6, for=192.0.2.60; proto=http;by=203.0.113.43"), "192.0.2.60");
        assert_eq!(read("for=\"6.6.6.6, for=6.6.6.6\", for=192.0.2.43"), "192.0.2.43");
        for hidden in ["for=_secret", "for=unknown", "for=", "proto=https", "", ";;", "\"", "for=\"1.2.3"] {
            assert_eq!(read(&format!("for=6.6.6.6, {hidden}")), "127.0.0.1", "{hidden}");
        }
    }
}
