//! The running service, as commands reach it.

use std::time::Duration;

use reqwest::{Client, ClientBuilder, Url};

const CONNECT_PATIENCE: Duration = Duration::from_secs(10);

/// The service's address, and a client that isn't built yet. A proxy of the environment is asked for
/// other machines only.
///
/// # Errors
/// Why it is no address of a service.
pub fn client_of(url: &str) -> Result<(Url, ClientBuilder), String> {
    let parsed = Url::parse(url).map_err(|error| error.to_string())?;
    if !matches!(parsed.scheme(), "http" | "https") || parsed.host().is_none() {
        return Err("must begin with http:// or https:// and name a host".to_owned());
    }
    let mut builder = Client::builder().connect_timeout(CONNECT_PATIENCE);
    if matches!(parsed.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")) {
        builder = builder.no_proxy();
    }
    Ok((parsed, builder))
}
