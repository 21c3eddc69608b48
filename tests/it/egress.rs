//! Addresses that stand in data lead to no connection inside: not to this machine, not to a private network, in whatever
//! form they are written, under whatever name, and wherever a redirect leads. A trap on every address of this machine counts
//! who comes.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Path;
use axum::http::header::LOCATION;
use axum::routing::{get, post};
use backchannel::batch::articles::gather_site;
use backchannel::connect::channels::teams::{BotTokens, Caller};
use backchannel::connect::egress::{AllowList, Egress, Found, NotPublic};
use backchannel::connect::identity::{ClaimMapping, SignIn, SignInError, SignInSettings};
use jsonwebtoken::Algorithm;
use rand::Rng as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use reqwest::{Client, StatusCode, Url};
use serde_json::json;
use tokio::net::TcpListener;

use crate::seed;

/// Addresses of the short form; `BACKCHANNEL_ADDRESSES=20000` is a long one.
const ADDRESSES: u32 = 300;
/// The one address of this machine that an operator lists here.
const LISTED: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
/// A token that makes whoever checks it ask for the key `k`.
const TOKEN: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.e30.AA";

/// Counts connections to all addresses of this machine, by the address that was meant.
struct Trap {
    port: u16,
    seen: Arc<Mutex<BTreeMap<IpAddr, usize>>>,
}

impl Trap {
    async fn set() -> Self {
        // Where there is no IPv6, nothing can come by it.
        let listener = match TcpListener::bind((Ipv6Addr::UNSPECIFIED, 0)).await {
            Ok(listener) => listener,
            Err(_) => TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await.expect("a free port"),
        };
        let port = listener.local_addr().expect("bound").port();
        let seen: Arc<Mutex<BTreeMap<IpAddr, usize>>> = Arc::default();
        let count = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                if let Ok(meant) = socket.local_addr() {
                    let meant = meant.ip().to_canonical();
                    *count.lock().expect("no panic").entry(meant).or_default() += 1;
                }
            }
        });
        Self { port, seen }
    }

    /// Connections to any address but the listed one.
    fn caught(&self) -> usize {
        let seen = self.seen.lock().expect("no panic");
        seen.iter().filter(|(address, _)| **address != LISTED).map(|(_, count)| count).sum()
    }

    fn let_in(&self) -> usize {
        self.seen.lock().expect("no panic").get(&LISTED).copied().unwrap_or(0)
    }

    /// Every form of an address inside, as people write it, at this trap's port.
    fn urls(&self) -> Vec<String> {
        let hosts = [
            "127.0.0.3",
            "127.3",
            "0x7f.3",
            "2130706435",
            "017700000003",
            "127.0.0.3.",
            "0.0.0.0",
            "localhost",
            "LOCALHOST",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.3]",
            "[::ffff:7f00:3]",
            "[64:ff9b::7f00:3]",
            "[2002:7f00:3::]",
            "169.254.169.254",
            "[fe80::1]",
            "[fd00:ec2::254]",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.0.1",
            "100.64.0.1",
            "[::ffff:169.254.169.254]",
        ];
        hosts.iter().map(|host| format!("http://{host}:{}/latest/meta-data", self.port)).collect()
    }
}

/// An address inside, in the narrow sense: mostly this machine's, where the trap is.
fn inside(random: &mut StdRng) -> IpAddr {
    let low: [u8; 3] = random.random();
    let four = match random.random_range(0..8) {
        0 => Ipv4Addr::new(10, low[0], low[1], low[2]),
        1 => Ipv4Addr::new(172, 16 + low[0] % 16, low[1], low[2]),
        2 => Ipv4Addr::new(192, 168, low[1], low[2]),
        3 => Ipv4Addr::new(169, 254, low[1], low[2]),
        _ => Ipv4Addr::new(127, low[0], low[1], low[2].max(3)),
    };
    let (a, b) = ((four.to_bits() >> 16) as u16, four.to_bits() as u16);
    match random.random_range(0..8) {
        0 => Ipv6Addr::LOCALHOST.into(),
        1 => four.to_ipv6_mapped().into(),
        2 => Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, a, b).into(),
        3 => Ipv6Addr::new(0x2002, a, b, 0, 0, 0, 0, 1).into(),
        4 => Ipv6Addr::new(0xfe80 | (a & 0x3f), 0, 0, 0, 0, 0, a, b).into(),
        5 => Ipv6Addr::new(0xfc00 | (a & 0x1ff), a, b, 0, 0, 0, 0, 1).into(),
        _ => four.into(),
    }
}

/// One of the ways to write a host.
fn written(address: IpAddr, random: &mut StdRng) -> String {
    let four = match address {
        IpAddr::V6(address) => return format!("[{address}]"),
        IpAddr::V4(address) => address,
    };
    let [a, b, c, d] = four.octets();
    match random.random_range(0..5) {
        0 => format!("{:#x}", four.to_bits()),
        1 => four.to_bits().to_string(),
        2 => format!("0{a:o}.{b:#x}.{}", (u32::from(c) << 8) | u32::from(d)),
        3 => format!("{a}.{b}.{c}.{d}."),
        _ => four.to_string(),
    }
}

/// What a request came to, as far as it matters here.
async fn is_refused(egress: &Egress, url: &str) -> bool {
    let request = match egress.get(url.parse().expect("an address")) {
        Ok(request) => request,
        Err(NotPublic { .. }) => return true,
    };
    let Err(error) = request.send().await else { return false };
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(one) = cause {
        if one.is::<NotPublic>() {
            return true;
        }
        cause = one.source();
    }
    false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_form_of_an_address_inside_is_connected_to() {
    let mut random = seed::random();
    let trap = Trap::set().await;
    let plain = || Client::builder().no_proxy();
    let written_out = Egress::new(AllowList::default(), plain()).expect("a client");
    for url in trap.urls() {
        assert!(is_refused(&written_out, &url).await, "{url}");
    }
    let many = seed::count("BACKCHANNEL_ADDRESSES", ADDRESSES);
    let named: Arc<Mutex<IpAddr>> = Arc::new(Mutex::new(LISTED));
    let lookup = {
        let named = Arc::clone(&named);
        move |_: String| -> Found {
            let address = *named.lock().expect("no panic");
            Box::pin(async move { Ok(vec![address]) })
        }
    };
    let listed = AllowList { lookup: Arc::new(lookup), ..AllowList::default() };
    let by_name = Egress::new(listed, plain()).expect("a client");
    for _ in 0..many {
        let address = inside(&mut random);
        let url = format!("http://{}:{}/", written(address, &mut random), trap.port);
        assert!(is_refused(&written_out, &url).await, "{address}: {url}");
        *named.lock().expect("no panic") = address;
        let url = format!("http://help.test:{}/", trap.port);
        assert!(is_refused(&by_name, &url).await, "a name that leads to {address}");
    }
    assert_eq!(trap.caught(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_changes_its_mind_gets_nobody_inside() {
    let mut random = seed::random();
    let trap = Trap::set().await;
    let turns: Vec<IpAddr> = (0..100)
        .map(|_| if random.random() { LISTED } else { Ipv4Addr::LOCALHOST.into() })
        .collect();
    let asked = Arc::new(AtomicUsize::new(0));
    let lookup = {
        let (asked, turns) = (Arc::clone(&asked), turns.clone());
        move |_: String| -> Found {
            let address = turns[asked.fetch_add(1, Ordering::SeqCst) % turns.len()];
            Box::pin(async move { Ok(vec![address]) })
        }
    };
    let listed =
        AllowList { addresses: vec![LISTED], lookup: Arc::new(lookup), ..AllowList::default() };
    let egress = Egress::new(listed, Client::builder().no_proxy().pool_max_idle_per_host(0));
    let egress = egress.expect("a client");
    let url = format!("http://rebinding.test:{}/", trap.port);
    for (number, address) in turns.iter().enumerate() {
        assert_eq!(is_refused(&egress, &url).await, *address != LISTED);
        assert_eq!(asked.load(Ordering::SeqCst), number + 1, "each is looked up once");
    }
    let good = turns.iter().filter(|address| **address == LISTED).count();
    assert_eq!((trap.caught(), trap.let_in()), (0, good));
}

/// A site on this machine: a sitemap of pages that lead to each of `targets`, and of the targets themselves.
async fn site(targets: Vec<String>) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let led = (0..targets.len()).map(|number| format!("http://{address}/to/{number}"));
    let pages = led.chain(targets.iter().cloned());
    let urls: String = pages.map(|page| format!("<url><loc>{page}</loc></url>")).collect();
    let to = move |Path(number): Path<usize>| {
        let target = targets[number].clone();
        async move { (StatusCode::FOUND, [(LOCATION, target)]) }
    };
    let app = Router::new()
        .route("/sitemap.xml", get(|| async move { format!("<urlset>{urls}</urlset>") }))
        .route("/to/{number}", get(to));
    tokio::spawn(async move { axum::serve(listener, app).await.expect("it serves") });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sitemap_leads_nobody_inside() {
    let trap = Trap::set().await;
    let address = site(trap.urls()).await;
    let sitemap: Url = format!("http://{address}/sitemap.xml").parse().expect("an address");
    let gather = async |hosts: &[String]| {
        let mut told = Vec::new();
        let mut on_found = |found: backchannel::batch::articles::Found| {
            told.push(found.article.expect_err("the trap has no page"));
        };
        gather_site(&sitemap, hosts, "", &mut on_found, &|_, _| ()).await.expect("it is read");
        told
    };
    // By name, `localhost` is allowed; where it is, isn't.
    let mut hosts = vec![address.to_string(), "localhost".to_owned()];
    let told = gather(&hosts).await;
    assert_eq!(told.len(), 2 * trap.urls().len() - repeated(&trap.urls()));
    assert_eq!(trap.caught(), 0, "{told:?}");
    let by_name = told.iter().filter(|why| why.contains("which is no public address")).count();
    assert!(by_name >= 2, "{told:?}");
    // The trap isn't deaf: who lists its address gets there.
    hosts.extend(["127.0.0.1".to_owned(), "::1".to_owned()]);
    gather(&hosts).await;
    assert!(trap.caught() > 0);
}

/// How many of these are another's address in another form: a page that is listed twice is read once.
fn repeated(urls: &[String]) -> usize {
    let all = urls.iter().map(|url| Url::parse(url).expect("an address"));
    urls.len() - all.collect::<std::collections::BTreeSet<_>>().len()
}

/// An identity provider on this machine that says of itself whatever it is told to.
async fn provider(keys: &str, tokens: Option<&str>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let issuer = format!("http://{}", listener.local_addr().expect("bound"));
    let own = format!("{issuer}/token");
    let about = json!({"issuer": issuer, "authorization_endpoint": format!("{issuer}/auth"), "jwks_uri": keys,
        "token_endpoint": tokens.unwrap_or(&own)});
    let app = Router::new()
        .route("/.well-known/openid-configuration", get(move || async move { about.to_string() }))
        .route("/token", post(|| async { json!({"id_token": TOKEN}).to_string() }));
    tokio::spawn(async move { axum::serve(listener, app).await.expect("it serves") });
    issuer
}

async fn sign_in(issuer: &str) -> SignInError {
    let settings = SignInSettings {
        issuer: issuer.to_owned(),
        client_id: "pages".to_owned(),
        client_secret: None,
        scopes: Vec::new(),
        redirect_url: "http://127.0.0.1:9/cb".to_owned(),
        algorithms: vec![Algorithm::RS256],
        claims: ClaimMapping {
            name: "email".to_owned(),
            role: "groups".to_owned(),
            roles: BTreeMap::new(),
            tenant_claim: None,
            tenant: "demo".into(),
        },
    };
    let sign_in = SignIn::new(settings).expect("an address");
    match sign_in.begin().await {
        Ok((_, attempt)) => sign_in.finish(&attempt, "code", None).await.expect_err("nobody"),
        Err(error) => error,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_leads_nobody_inside() {
    let mut random = seed::random();
    let trap = Trap::set().await;
    let caller = Caller { service_url: "https://smba.example/", channel: "msteams" };
    let mut urls = trap.urls();
    // Keys and codes go over TLS to anybody but this machine.
    urls.extend(trap.urls().iter().map(|url| url.replacen("http", "https", 1)));
    for _ in 0..10 {
        let address = inside(&mut random);
        urls.push(format!("https://{}:{}/", written(address, &mut random), trap.port));
    }
    for url in &urls {
        for (keys, tokens) in [(url.as_str(), None), ("https://keys.invalid/", Some(url.as_str()))]
        {
            let error = sign_in(&provider(keys, tokens).await).await;
            assert!(matches!(error, SignInError::Provider(_) | SignInError::Token(_)), "{error}");
        }
        let issuer = provider(url, None).await;
        let metadata = format!("{issuer}/.well-known/openid-configuration");
        let tokens = BotTokens::new(&metadata, "app").expect("an address");
        assert!(!tokens.accept(TOKEN, caller).await);
    }
    assert_eq!(trap.caught(), 0);
    // The provider's own host is the operator's choice; and the trap hears it.
    let own = format!("http://127.0.0.1:{}/keys", trap.port);
    sign_in(&provider(&own, None).await).await;
    assert_eq!(trap.caught(), 1);
    let some = urls.choose(&mut random).expect("some");
    println!("{} addresses in both places, such as {some}", urls.len());
}
