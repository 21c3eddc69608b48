//! Requests to addresses that come from data: a page's links, what an identity provider says of itself, a redirect.
//!
//! What the operator sets (a CRM, a model server, a provider) may be anywhere, often on this machine or in a private
//! network, and is asked where it is. Whoever writes data must not reach those places through us (server-side request
//! forgery): what they name is asked at public addresses only. A name is resolved once, where the connection is made, and
//! the connection goes to the addresses that were checked; so a name that means another address a moment later (rebinding)
//! wins nothing. Redirects are never followed by the client, so that each target is checked like any other address.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use http::Method;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, RequestBuilder, Url};

/// Where reqwest looks for the way out; a proxy is the operator's own.
const PROXY_VARIABLES: [&str; 6] =
    ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// IPv4 networks that aren't reached over the internet (IANA IPv4 Special-Purpose Address Registry, and multicast).
const SPECIAL_V4: [(Ipv4Addr, u32); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// How a name becomes addresses. Tests bring their own.
pub type Lookup = Arc<dyn Fn(String) -> Found + Send + Sync>;
pub type Found = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// What the operator has named, and how names are looked up.
#[derive(Clone)]
pub struct AllowList {
    /// Names and addresses, as a URL has them, that are asked wherever they are.
    pub hosts: Vec<String>,
    /// Addresses that may be asked under any name, public or not.
    pub addresses: Vec<IpAddr>,
    pub lookup: Lookup,
}

impl Default for AllowList {
    fn default() -> Self {
        Self { hosts: Vec::new(), addresses: Vec::new(), lookup: Arc::new(system_lookup) }
    }
}

impl AllowList {
    /// The host of an address that the operator has set, and nothing else.
    pub fn host_of(url: &Url) -> Self {
        let hosts = url.host_str().map(str::to_owned).into_iter().collect();
        Self { hosts, ..Self::default() }
    }

    fn has_host(&self, host: &str) -> bool {
        self.hosts.iter().any(|one| one.eq_ignore_ascii_case(host))
    }

    fn may_ask(&self, address: IpAddr) -> bool {
        is_public(address) || self.addresses.contains(&address)
    }
}

/// Why an address isn't asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{host} is at {address}, which is no public address")]
pub struct NotPublic {
    pub host: String,
    pub address: IpAddr,
}

/// A client whose every request is checked.
#[derive(Clone)]
pub struct Egress {
    client: Client,
    allowed: Arc<AllowList>,
}

impl Egress {
    /// `builder` has everything that isn't about where requests go.
    ///
    /// # Errors
    /// The client can't be made.
    pub fn new(mut allowed: AllowList, builder: ClientBuilder) -> Result<Self, String> {
        allowed.hosts.extend(PROXY_VARIABLES.iter().filter_map(|name| proxy_host(name)));
        let allowed = Arc::new(allowed);
        let checked = Checked(Arc::clone(&allowed));
        let client = builder.redirect(Policy::none()).dns_resolver(checked).build();
        Ok(Self { client: client.map_err(|error| error.to_string())?, allowed })
    }

    /// Whether a URL may be asked, as far as it says itself: addresses that are written out are never resolved. Names are
    /// checked when they are.
    ///
    /// # Errors
    /// It is an address that isn't public.
    pub fn check(&self, url: &Url) -> Result<(), NotPublic> {
        let host = url.host_str().unwrap_or_default();
        // Such as 0x7f.1 and 2130706433: `Url` has written them out by now.
        let Ok(address) = host.trim_matches(['[', ']']).parse() else { return Ok(()) };
        match self.allowed.has_host(host) || self.allowed.may_ask(address) {
            true => Ok(()),
            false => Err(NotPublic { host: host.to_owned(), address }),
        }
    }

    /// # Errors
    /// As `check`.
    pub fn request(&self, method: Method, url: Url) -> Result<RequestBuilder, NotPublic> {
        self.check(&url)?;
        Ok(self.client.request(method, url))
    }

    /// # Errors
    /// As `check`.
    pub fn get(&self, url: Url) -> Result<RequestBuilder, NotPublic> {
        self.request(Method::GET, url)
    }
}

/// Resolves names to addresses that may be asked, or to none.
struct Checked(Arc<AllowList>);

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (allowed, host) = (Arc::clone(&self.0), name.as_str().to_owned());
        Box::pin(async move {
            let found = (allowed.lookup)(host.clone()).await?;
            // One that isn't public spoils the name: no honest public name has such a one beside its others.
            let forbidden = found.iter().find(|address| !allowed.may_ask(**address));
            if let Some(address) = forbidden.filter(|_| !allowed.has_host(&host)) {
                return Err(NotPublic { host, address: *address }.into());
            }
            // The port is the URL's.
            let found = found.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(found) as Addrs)
        })
    }
}

fn system_lookup(host: String) -> Found {
    Box::pin(async move {
        let found = tokio::net::lookup_host((host, 0)).await?;
        Ok(found.map(|address| address.ip()).collect::<Vec<_>>())
    })
}

fn proxy_host(variable: &str) -> Option<String> {
    let text = std::env::var(variable).ok().filter(|text| !text.is_empty())?;
    let url = Url::parse(&text).ok().filter(Url::has_host);
    let url = url.or_else(|| Url::parse(&format!("http://{text}")).ok());
    url?.host_str().map(str::to_owned)
}

/// Whether an address is one of the internet's. An IPv4 address inside an IPv6 one (mapped, RFC 4291; by NAT64, RFC 6052; by
/// 6to4, RFC 3056) counts as what it leads to.
pub fn is_public(address: IpAddr) -> bool {
    let inner = match address {
        IpAddr::V4(address) => return is_public_v4(address),
        IpAddr::V6(address) => address,
    };
    match inner.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            is_public_v4(joined(high, low))
        }
        [0x2002, high, low, ..] => is_public_v4(joined(high, low)),
        _ => is_public_v6(inner),
    }
}

fn joined(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low))
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let is_in = |&(network, bits): &(Ipv4Addr, u32)| {
        (address.to_bits() ^ network.to_bits()) >> (32 - bits) == 0
    };
    !SPECIAL_V4.iter().any(is_in)
}

/// Global unicast without what is set aside in it: protocols and tunnels (2001::/23), documentation (2001:db8::/32 and
/// 3fff::/20). So neither ::, ::1, fc00::/7, fe80::/10 nor multicast.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let is_set_aside = match first {
        0x2001 => second < 0x200 || second == 0xdb8,
        0x3fff => second < 0x1000,
        _ => false,
    };
    first & 0xe000 == 0x2000 && !is_set_aside
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap_or_else(|_| panic!("{text}"))
    }

    #[test]
    fn only_addresses_of_the_internet_are_public() {
        for inside in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.19.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "fe80::1",
            "febf::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "2001:0:7f00:1::",
            "2001:db8::1",
            "3fff::1",
            "4000::1",
        ] {
            assert!(!is_public(address(inside)), "{inside}");
        }
        for outside in [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.1",
            "126.0.0.1",
            "128.0.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.169.0.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2600::1",
            "2001:4860::8888",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
            "2002:101:101::1",
        ] {
            assert!(is_public(address(outside)), "{outside}");
        }
    }

    /// Answers one after the other; how many were given.
    fn answers(turns: &[&[&str]]) -> (AllowList, Arc<Mutex<usize>>) {
        let turns: Vec<Vec<IpAddr>> =
            turns.iter().map(|turn| turn.iter().map(|text| address(text)).collect()).collect();
        let given = Arc::new(Mutex::new(0));
        let count = Arc::clone(&given);
        let lookup = move |_: String| -> Found {
            let mut count = count.lock().expect("no panic");
            let turn = turns[*count % turns.len()].clone();
            *count += 1;
            Box::pin(async move { Ok(turn) })
        };
        (AllowList { lookup: Arc::new(lookup), ..AllowList::default() }, given)
    }

    async fn resolved(allowed: &AllowList, name: &str) -> Result<Vec<IpAddr>, String> {
        let checked = Checked(Arc::new(allowed.clone()));
        let found = checked.resolve(name.parse().expect("a name")).await;
        let found = found.map_err(|error| error.to_string())?;
        Ok(found.map(|address| address.ip()).collect())
    }

    #[tokio::test]
    async fn what_was_checked_is_what_is_connected_to() {
        let (allowed, given) = answers(&[&["1.1.1.1"], &["127.0.0.1"]]);
        assert_eq!(resolved(&allowed, "a.test").await, Ok(vec![address("1.1.1.1")]));
        assert_eq!(*given.lock().expect("no panic"), 1, "nobody asks a second time");
        let refused = "a.test is at 127.0.0.1, which is no public address".to_owned();
        assert_eq!(resolved(&allowed, "a.test").await, Err(refused));
    }

    #[tokio::test]
    async fn one_inside_spoils_the_name_unless_it_is_listed() {
        let (mut allowed, _) = answers(&[&["1.1.1.1", "::ffff:10.0.0.5"]]);
        assert!(resolved(&allowed, "a.test").await.is_err());
        allowed.addresses = vec![address("::ffff:10.0.0.5")];
        assert_eq!(resolved(&allowed, "a.test").await.expect("allowed").len(), 2);
        allowed.addresses.clear();
        allowed.hosts = vec!["A.test".to_owned()];
        assert!(resolved(&allowed, "a.test").await.is_ok(), "the operator's own name");
        assert!(resolved(&allowed, "b.test").await.is_err());
    }

    #[test]
    fn what_is_written_out_is_checked_before_it_is_asked() {
        let own = Url::parse("http://127.0.0.1:8080/").expect("one");
        let egress = Egress::new(AllowList::host_of(&own), Client::builder()).expect("a client");
        let may = |url: &str| egress.check(&Url::parse(url).expect("one")).is_ok();
        assert!(may("http://127.0.0.1:9/") && may("http://1.1.1.1/") && may("http://a.test/"));
        for inside in
            ["http://0x7f.2/", "http://2130706434/", "http://0300.0250.1.1/", "http://[::1]/"]
        {
            assert!(!may(inside), "{inside}");
        }
    }
}
