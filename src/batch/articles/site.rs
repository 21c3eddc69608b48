//! The pages that a sitemap lists (<https://www.sitemaps.org/protocol.html>), from hosts that somebody
//! has allowed by name.

use std::collections::{BTreeSet, VecDeque};
use std::io::Read as _;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::StreamExt as _;
use reqwest::header::{CONTENT_TYPE, LOCATION};
use reqwest::{Client, Response, Url};
use roxmltree::{Document, ParsingOptions};

use super::{Found, Kind, Origin, read_bytes, too_long};
use crate::connect::egress::{AllowList, Egress, NotPublic};

/// So many addresses a sitemap lists at most, and so many sitemaps an index.
const LISTED_MAX: usize = 50_000;
/// A sitemap, unpacked.
const SITEMAP_MAX_BYTES: u64 = 50 << 20;
const REDIRECTS_MAX: usize = 5;
/// Pages that are asked for at the same time: somebody else reads that site, too.
const AT_ONCE: usize = 4;
/// Of a page, from the question to its last byte.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads the pages of a sitemap, or of an index of sitemaps, in their order.
///
/// `hosts` are all that is ever asked, also where a page or a sitemap leads elsewhere: a name, or
/// a name and a port. A name that leads to an address inside (this machine, a private network) isn't asked unless that
/// address is in `hosts`, too. `prefix` is put before each article's id, which is the path of its address.
/// `on_progress` is told how many pages of how many are read.
///
/// # Errors
/// The sitemap itself can't be had. What is wrong with a page is told as [`Found`].
pub async fn gather_site(
    sitemap: &Url,
    hosts: &[String],
    prefix: &str,
    on_found: &mut dyn FnMut(Found),
    on_progress: &dyn Fn(usize, usize),
) -> Result<(), String> {
    let agent = concat!("backchannel/", env!("CARGO_PKG_VERSION"));
    let client = Client::builder().user_agent(agent).timeout(PATIENCE);
    let site = Site { egress: Egress::new(allowed_in(hosts), client)?, hosts };
    let pages = site.pages(sitemap, on_found).await?;
    let mut read = futures_util::stream::iter(pages.iter().map(|page| site.page(page)))
        .buffered(AT_ONCE)
        .enumerate();
    while let Some((number, outcome)) = read.next().await {
        let page = &pages[number];
        let (place, name) = (page.to_string(), format!("{prefix}{}", name(page)));
        let origin = Origin { place, name, prefix };
        match outcome {
            Ok((kind, bytes)) => {
                read_bytes(kind, &bytes, &origin, &mut |mut found| {
                    if let Ok(article) = &mut found.article {
                        article.source.get_or_insert_with(|| page.to_string());
                    }
                    on_found(found);
                });
            }
            Err(why) => {
                on_found(Found { id: Some(origin.id()), ..Found::wrong(page.as_str(), why) });
            }
        }
        on_progress(number + 1, pages.len());
    }
    Ok(())
}

struct Site<'a> {
    egress: Egress,
    hosts: &'a [String],
}

impl Site<'_> {
    /// All addresses that are listed, each once.
    async fn pages(
        &self,
        sitemap: &Url,
        on_found: &mut dyn FnMut(Found),
    ) -> Result<Vec<Url>, String> {
        let (mut pages, mut seen) = (Vec::new(), BTreeSet::new());
        let mut waiting = VecDeque::from([sitemap.clone()]);
        let mut sitemaps = BTreeSet::from([sitemap.clone()]);
        while let Some(one) = waiting.pop_front() {
            let listed = match self.sitemap(&one).await {
                Ok(listed) => listed,
                Err(why) if one == *sitemap => return Err(format!("{one} {why}")),
                Err(why) => {
                    on_found(Found::wrong(one.as_str(), why));
                    continue;
                }
            };
            for address in listed.addresses {
                let url = match one.join(&address) {
                    Ok(mut url) => {
                        url.set_fragment(None);
                        url
                    }
                    Err(error) => {
                        on_found(Found::wrong(one.as_str(), format!("lists {address:?}: {error}")));
                        continue;
                    }
                };
                let known = if listed.is_index { &mut sitemaps } else { &mut seen };
                if known.len() >= LISTED_MAX && !known.contains(&url) {
                    let why = format!("is left with more than {LISTED_MAX} addresses in all");
                    on_found(Found::wrong(one.as_str(), why));
                    break;
                }
                if known.insert(url.clone()) {
                    match listed.is_index {
                        true => waiting.push_back(url),
                        false => pages.push(url),
                    }
                }
            }
        }
        Ok(pages)
    }

    async fn sitemap(&self, url: &Url) -> Result<Listed, String> {
        let bytes = whole(self.get(url).await?, SITEMAP_MAX_BYTES).await?;
        let mut text = String::new();
        match bytes.starts_with(&[0x1f, 0x8b]) {
            true => {
                let unpacked = flate2::read::MultiGzDecoder::new(&bytes[..]);
                unpacked.take(SITEMAP_MAX_BYTES + 1).read_to_string(&mut text)
            }
            false => (&bytes[..]).read_to_string(&mut text),
        }
        .map_err(|error| format!("is no sitemap: {error}"))?;
        if text.len() as u64 > SITEMAP_MAX_BYTES {
            return Err(too_long(text.len() as u64, SITEMAP_MAX_BYTES));
        }
        listed(&text)
    }

    /// What a page is, and its bytes.
    async fn page(&self, url: &Url) -> Result<(Kind, Vec<u8>), String> {
        let response = self.get(url).await?;
        let said = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let said = said.unwrap_or_default().to_ascii_lowercase();
        let said = said.split(';').next().unwrap_or_default().trim().to_owned();
        let kind = match &*said {
            "text/html" | "application/xhtml+xml" => Kind::Html,
            "text/markdown" => Kind::Markdown,
            "text/plain" => Kind::Text,
            "application/pdf" => Kind::Pdf,
            other => return Err(format!("is {other:?}, no page, Markdown, text or PDF")),
        };
        let charset = charset(&response);
        let bytes = whole(response, kind.max_bytes()).await?;
        Ok(match (kind, charset) {
            (Kind::Pdf, _) | (_, None) => (kind, bytes),
            (_, Some(charset)) => (kind, charset.decode(&bytes).0.into_owned().into_bytes()),
        })
    }

    /// Follows where it is led, as long as that is allowed.
    async fn get(&self, url: &Url) -> Result<Response, String> {
        let mut url = url.clone();
        for _ in 0..=REDIRECTS_MAX {
            self.allow(&url)?;
            let request = self.egress.get(url.clone()).map_err(|inside| unlisted(&inside))?;
            let response = request.send().await.map_err(|error| told(&error))?;
            let status = response.status();
            if status.is_success() {
                return Ok(response);
            }
            let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok());
            match to.filter(|_| status.is_redirection()) {
                Some(to) => {
                    url = url.join(to).map_err(|error| format!("leads to {to:?}: {error}"))?;
                }
                None => return Err(format!("answers {status}")),
            }
        }
        Err(format!("leads on more than {REDIRECTS_MAX} times"))
    }

    fn allow(&self, url: &Url) -> Result<(), String> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("is {}:, only http: and https: are fetched", url.scheme()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("holds a user's name or password, which would stand in the article".into());
        }
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or_default();
        let with_port = format!("{host}:{port}");
        let is_allowed = |allowed: &String| {
            allowed.eq_ignore_ascii_case(host) || allowed.eq_ignore_ascii_case(&with_port)
        };
        match self.hosts.iter().any(is_allowed) {
            true => Ok(()),
            false => Err(format!("is on {host}, which isn't allowed: --allow-host {host} does")),
        }
    }
}

/// An address that is written out with its port is allowed as it is written, and not under a name.
fn allowed_in(hosts: &[String]) -> AllowList {
    let mut listed = AllowList::default();
    for host in hosts {
        let bare: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        let with_port = host.parse::<SocketAddr>().ok().map(|address| address.ip());
        listed.addresses.extend(bare);
        listed.hosts.extend(with_port.map(|address| match address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        }));
    }
    listed
}

fn unlisted(inside: &NotPublic) -> String {
    format!("can't be fetched: {inside}: --allow-host {} lets it", inside.address)
}

/// What a sitemap lists.
#[derive(Debug, PartialEq)]
struct Listed {
    /// Further sitemaps, not pages.
    is_index: bool,
    addresses: Vec<String>,
}

fn listed(text: &str) -> Result<Listed, String> {
    // No sitemap needs a document type, and entities can make a short text long.
    let options = ParsingOptions { allow_dtd: false, nodes_limit: 2_000_000, ..Default::default() };
    let document = Document::parse_with_options(text.trim_start_matches('\u{feff}'), options)
        .map_err(|error| format!("is no sitemap: {error}"))?;
    let root = document.root_element();
    let is_index = match root.tag_name().name() {
        "urlset" => false,
        "sitemapindex" => true,
        other => return Err(format!("is no sitemap: its root is <{other}>, no <urlset>")),
    };
    let addresses = root.children().filter_map(|entry| {
        let address = entry.children().find(|part| part.tag_name().name() == "loc")?;
        let text: String = address
            .descendants()
            .filter_map(|part| part.text().filter(|_| part.is_text()))
            .collect();
        Some(text.trim().to_owned()).filter(|address| !address.is_empty())
    });
    Ok(Listed { is_index, addresses: addresses.collect() })
}

/// In what a text is written, where the site says so; else it is UTF-8, or refused.
fn charset(response: &Response) -> Option<&'static encoding_rs::Encoding> {
    let said = response.headers().get(CONTENT_TYPE)?.to_str().ok()?.to_ascii_lowercase();
    let label = said.split_once("charset=")?.1.split(';').next()?.trim().trim_matches('"');
    encoding_rs::Encoding::for_label(label.as_bytes())
}

async fn whole(response: Response, most: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        bytes.extend_from_slice(&chunk.map_err(|error| told(&error))?);
        if bytes.len() as u64 > most {
            return Err(too_long(bytes.len() as u64, most));
        }
    }
    Ok(bytes)
}

/// The causes too: the first only says that there was one.
fn told(error: &reqwest::Error) -> String {
    use std::error::Error as _;
    let mut deepest = error.source();
    while let Some(cause) = deepest.and_then(|cause| cause.source()) {
        deepest = Some(cause);
    }
    if let Some(inside) = deepest.and_then(|cause| cause.downcast_ref::<NotPublic>()) {
        return unlisted(inside);
    }
    match deepest {
        _ if error.is_timeout() => format!("didn't answer in {} s", PATIENCE.as_secs()),
        Some(cause) => format!("can't be fetched: {cause}"),
        None => format!("can't be fetched: {error}"),
    }
}

/// The path of an address as the path of a file, from which the id is made.
fn name(url: &Url) -> String {
    let path = percent_encoding::percent_decode_str(url.path()).decode_utf8_lossy();
    let path = path.trim_matches('/');
    let path = if path.is_empty() { "index" } else { path };
    let (folder, last) = path.rsplit_once('/').map_or(("", path), |(folder, last)| (folder, last));
    let stem = match Kind::of(last).is_some() {
        true => last.rsplit_once('.').map_or(last, |(stem, _)| stem),
        false => last,
    };
    let query = url.query().map(|query| format!("-{query}")).unwrap_or_default();
    let slash = if folder.is_empty() { "" } else { "/" };
    // What is cut off again as the end of a file's name.
    format!("{folder}{slash}{stem}{query}.page")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sitemaps_and_indexes_are_told_apart_and_anything_else_is_refused() {
        let head = "<?xml version=\"1.0\"?>";
        let space = "xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\"";
        let set = format!(
            "{head}<urlset {space}><url><loc> <!-- c -->https://a.test<![CDATA[/x?a=1]]>&amp;b=2 </loc><lastmod>2026</lastmod></url><url/></urlset>"
        );
        let addresses = vec!["https://a.test/x?a=1&b=2".to_owned()];
        assert_eq!(listed(&set), Ok(Listed { is_index: false, addresses }));
        let index =
            format!("<sitemapindex {space}><sitemap><loc>/b.xml</loc></sitemap></sitemapindex>");
        assert_eq!(listed(&index), Ok(Listed { is_index: true, addresses: vec!["/b.xml".into()] }));
        for wrong in
            ["<html></html>", "nothing", "<!DOCTYPE x [<!ENTITY a 'b'>]><urlset>&a;</urlset>"]
        {
            assert!(listed(wrong).unwrap_err().starts_with("is no sitemap"), "{wrong}");
        }
    }

    #[test]
    fn an_address_becomes_an_id() {
        let id = |url: &str| {
            let name = name(&Url::parse(url).unwrap());
            Origin { place: String::new(), name, prefix: "" }.id().to_string()
        };
        assert_eq!(id("https://a.test/"), "index");
        assert_eq!(id("https://a.test/help/bill.html"), "help/bill");
        assert_eq!(id("https://a.test/help/v1.2/"), "help/v1.2");
        assert_eq!(id("https://a.test/show?id=7"), "show-id-7");
        assert_eq!(id("https://a.test/%C3%BCber/../uns%2F..%2Fx"), "uns/x");
    }

    #[test]
    fn hosts_are_allowed_by_name_or_with_their_port() {
        let hosts = ["docs.test".to_owned(), "127.0.0.1:99".to_owned()];
        let egress = Egress::new(allowed_in(&hosts), Client::builder()).unwrap();
        let site = Site { egress, hosts: &hosts };
        let allowed = |url: &str| site.allow(&Url::parse(url).unwrap()).is_ok();
        assert!(allowed("https://docs.test/a") && allowed("http://DOCS.test:8080/a"));
        assert!(allowed("http://127.0.0.1:99/") && !allowed("http://127.0.0.1:98/"));
        assert!(!allowed("https://docs.test.evil/") && !allowed("https://docs.test@evil/"));
        assert!(allowed("https://docs.test:443/") && !allowed("https://me:secret@docs.test/"));
        assert!(!allowed("file:///etc/passwd") && !allowed("ftp://docs.test/a"));
    }
}
