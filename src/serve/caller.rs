//! Whom a request comes from: the other end of its connection, or whom a proxy on this machine says it stands for.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};

use super::listen::Peer;

/// The address of whoever asks; none where the router is called without a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller(pub Option<IpAddr>);

impl Caller {
    /// The last address of `X-Forwarded-For` counts if the proxy is this machine's own, and nobody else's word.
    pub fn of(extensions: &Extensions, headers: &HeaderMap) -> Self {
        let Some(Peer(peer)) = extensions.get::<Peer>().copied() else { return Self(None) };
        let said = headers.get_all("x-forwarded-for").iter().next_back();
        let said = said.and_then(|value| {
            value.to_str().ok()?.rsplit(',').next()?.trim().parse::<IpAddr>().ok()
        });
        let is_own = peer.to_canonical().is_loopback();
        Self(Some(said.filter(|_| is_own).unwrap_or(peer).to_canonical()))
    }

    /// Whose it is: a household has a whole /64 of IPv6 (RFC 6177).
    pub fn subscriber(self) -> Option<IpAddr> {
        Some(match self.0? {
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
            v4 => v4,
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.extensions, &parts.headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(peer: &str, forwarded: &[&str]) -> Caller {
        let (mut extensions, mut headers) = (Extensions::new(), HeaderMap::new());
        extensions.insert(Peer(peer.parse().expect("an address")));
        for said in forwarded {
            headers.append("x-forwarded-for", said.parse().expect("a value"));
        }
        Caller::of(&extensions, &headers)
    }

    fn from(text: &str) -> Option<IpAddr> {
        Some(text.parse().expect("an address"))
    }

    #[test]
    fn a_proxy_of_this_machine_says_for_whom_it_asks_and_nobody_else() {
        let chain = ["10.9.9.9", "203.0.113.9, 198.51.100.7"];
        assert_eq!(caller("127.0.0.1", &[]).0, from("127.0.0.1"));
        assert_eq!(caller("127.0.0.1", &chain).0, from("198.51.100.7"));
        assert_eq!(caller("::ffff:127.0.0.1", &chain).0, from("198.51.100.7"));
        assert_eq!(caller("127.0.0.1", &["unknown"]).0, from("127.0.0.1"));
        assert_eq!(caller("192.0.2.1", &chain).0, from("192.0.2.1"), "anybody can write it");
        assert_eq!(Caller::of(&Extensions::new(), &HeaderMap::new()).0, None);
    }

    #[test]
    fn a_household_is_one() {
        let subscriber = |peer: &str| caller(peer, &[]).subscriber();
        assert_eq!(subscriber("2001:db8:1:2:3:4:5:6"), from("2001:db8:1:2::"));
        assert_eq!(subscriber("::ffff:192.0.2.1"), from("192.0.2.1"));
    }
}
