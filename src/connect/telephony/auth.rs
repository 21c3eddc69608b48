//! Who may open a media socket without our key: vendors prove themselves in their own ways.
//!
//! `serve` asks here when a request to one of these addresses brings no key of ours. The answer is
//! whose calls they are, or nothing; what was wrong is never told.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::{HeaderMap, Uri, header};
use reqwest::Url;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::acs;
use super::audiohook::signature::{ApiKey, Signatures, Target};
use super::twilio::signature;
use crate::domain::TenantId;

pub const TWILIO_PATH: &str = "/v1/media/twilio";
pub const ACS_PATH: &str = "/v1/media/acs";
pub const AUDIOHOOK_PATH: &str = "/v1/media/audiohook";
/// Event Grid's webhook; its secret is in the query.
pub const EVENT_GRID_PATH: &str = "/v1/hooks/eventgrid";

/// The credentials of all vendors. The default knows none and lets nobody in.
#[derive(Default)]
pub struct MediaAuth {
    public: Option<PublicUrl>,
    twilio: Vec<(String, TenantId)>,
    audiohook: Signatures,
    acs: Vec<(acs::Tokens, TenantId)>,
    event_grid: Vec<([u8; 32], TenantId)>,
}

/// The address under which vendors reach the service; what the `Host` header says is no proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    secure: bool,
    /// With its port, where that isn't the scheme's own.
    authority: String,
    /// Without a slash at the end.
    path: String,
}

impl PublicUrl {
    /// # Errors
    /// A sentence that says what it must be.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "must be an http or https address without query".to_owned();
        let url = Url::parse(text).map_err(|_| wrong())?;
        let secure = match url.scheme() {
            "https" | "wss" => true,
            "http" | "ws" => false,
            _ => return Err(wrong()),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
        let plain = url.query().is_none() && url.fragment().is_none();
        if !plain || !url.username().is_empty() || url.password().is_some() {
            return Err(wrong());
        }
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        Ok(Self { secure, authority, path: url.path().trim_end_matches('/').to_owned() })
    }

    /// The address with a path of ours behind it.
    pub fn http(&self, path: &str) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}{}{path}", self.authority, self.path)
    }

    fn websocket(&self, path_and_query: &str) -> String {
        let scheme = if self.secure { "wss" } else { "ws" };
        format!("{scheme}://{}{}{path_and_query}", self.authority, self.path)
    }
}

impl MediaAuth {
    pub fn new(public: Option<PublicUrl>) -> Self {
        Self { public, ..Self::default() }
    }

    /// Requests that are signed with this account's token bring this tenant's calls.
    pub fn add_twilio(&mut self, auth_token: impl Into<String>, tenant: TenantId) {
        self.twilio.push((auth_token.into(), tenant));
    }

    pub fn set_audiohook(&mut self, keys: Vec<ApiKey>) {
        self.audiohook = Signatures::new(keys);
    }

    pub fn add_acs(&mut self, tokens: acs::Tokens, tenant: TenantId) {
        self.acs.push((tokens, tenant));
    }

    pub fn add_event_grid(&mut self, secret: &str, tenant: TenantId) {
        self.event_grid.push((Sha256::digest(secret).into(), tenant));
    }

    /// Whose calls or events a request brings, if it proves it in the way of its address.
    pub async fn tenant_of(&self, uri: &Uri, headers: &HeaderMap) -> Option<TenantId> {
        match uri.path() {
            TWILIO_PATH => self.by_twilio(uri, headers),
            ACS_PATH => self.by_acs(headers).await,
            AUDIOHOOK_PATH => self.by_audiohook(uri, headers),
            EVENT_GRID_PATH => self.by_event_grid(uri),
            _ => None,
        }
    }

    fn by_twilio(&self, uri: &Uri, headers: &HeaderMap) -> Option<TenantId> {
        let url = self.public.as_ref()?.websocket(path_and_query(uri));
        let given = headers.get("x-twilio-signature")?.to_str().ok()?;
        let mut found = None;
        for (auth_token, tenant) in &self.twilio {
            if signature::signs(auth_token, &url, &[], given) {
                found = Some(tenant.clone());
            }
        }
        found
    }

    fn by_audiohook(&self, uri: &Uri, headers: &HeaderMap) -> Option<TenantId> {
        let public = self.public.as_ref()?;
        let path_and_query = format!("{}{}", public.path, path_and_query(uri));
        let authority = public.authority.to_ascii_lowercase();
        let target = Target { path_and_query: &path_and_query, authority: &authority };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
        self.audiohook.accept(&target, headers, now)
    }

    async fn by_acs(&self, headers: &HeaderMap) -> Option<TenantId> {
        let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = value.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        for (tokens, tenant) in &self.acs {
            if tokens.accept(token.trim()).await {
                return Some(tenant.clone());
            }
        }
        None
    }

    fn by_event_grid(&self, uri: &Uri) -> Option<TenantId> {
        // Url decodes the query; where it is doesn't matter.
        let mut url = Url::parse("http://localhost/").ok()?;
        url.set_query(uri.query());
        let (_, secret) = url.query_pairs().find(|(name, _)| name == "secret")?;
        let given: [u8; 32] = Sha256::digest(secret.as_bytes()).into();
        let mut found = None;
        for (known, tenant) in &self.event_grid {
            if bool::from(known.ct_eq(&given)) {
                found = Some(tenant.clone());
            }
        }
        found
    }
}

fn path_and_query(uri: &Uri) -> &str {
    uri.path_and_query().map_or(uri.path(), |both| both.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let header = |(name, value): &(&'static str, &str)| {
            (name.parse().expect("a name"), value.parse().expect("a value"))
        };
        pairs.iter().map(header).collect()
    }

    async fn whose(
        auth: &MediaAuth,
        address: &str,
        pairs: &[(&'static str, &str)],
    ) -> Option<String> {
        let uri: Uri = address.parse().expect("an address");
        let tenant = auth.tenant_of(&uri, &headers(pairs)).await;
        tenant.map(|tenant| tenant.as_str().to_owned())
    }

    #[test]
    fn a_public_address_is_where_vendors_go() {
        let check = |text: &str, http: &str, websocket: &str| {
            let public = PublicUrl::parse(text).expect("an address");
            assert_eq!(public.http("/v1/x"), http);
            assert_eq!(public.websocket("/v1/x?y=1"), websocket);
        };
        check("https://a.example", "https://a.example/v1/x", "wss://a.example/v1/x?y=1");
        check("https://A.example:443/", "https://a.example/v1/x", "wss://a.example/v1/x?y=1");
        check("http://[::1]:8080/b/", "http://[::1]:8080/b/v1/x", "ws://[::1]:8080/b/v1/x?y=1");
        for bad in
            ["", "a.example", "ftp://a.example", "https://a.example?x=1", "https://u:p@a.example"]
        {
            assert!(PublicUrl::parse(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn twilio_signs_the_public_address() {
        let public = PublicUrl::parse("https://copilot.example.com").expect("an address");
        let mut auth = MediaAuth::new(Some(public));
        auth.add_twilio("another", "other".into());
        auth.add_twilio("12345", "demo".into());
        // HMAC-SHA1 with the key 12345 of wss://copilot.example.com/v1/media/twilio
        let signed = [("x-twilio-signature", "2aYan4l6L2BSldvxaJBlBZdbsCs=")];
        assert_eq!(whose(&auth, TWILIO_PATH, &signed).await.as_deref(), Some("demo"));
        let elsewhere = [("x-twilio-signature", signed[0].1), ("host", "copilot.example.com")];
        for (auth, address, pairs) in [
            (&auth, "/v1/media/twilio?x=1", &signed[..]),
            (&auth, "/v1/media/pcm", &signed),
            (&auth, "/v1/media/acs", &signed),
            (&auth, TWILIO_PATH, &[]),
            (&MediaAuth::default(), TWILIO_PATH, &elsewhere),
        ] {
            assert_eq!(whose(auth, address, pairs).await, None, "{address}");
        }
    }

    #[tokio::test]
    async fn the_event_grid_secret_is_in_the_query() {
        let mut auth = MediaAuth::default();
        auth.add_event_grid("a+b c&d", "demo".into());
        let good = "/v1/hooks/eventgrid?x=1&secret=a%2Bb+c%26d";
        assert_eq!(whose(&auth, good, &[]).await.as_deref(), Some("demo"));
        for bad in [
            "/v1/hooks/eventgrid",
            "/v1/hooks/eventgrid?secret=",
            "/v1/hooks/eventgrid?secret=a",
            "/v1/hooks/eventgrid?code=a%2Bb+c%26d",
            "/v1/media/twilio?secret=a%2Bb+c%26d",
        ] {
            assert_eq!(whose(&auth, bad, &[]).await, None, "{bad}");
        }
    }
}
