//! Pages of other origins that may show the copilot.

use axum::http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::CorsLayer;

/// Lets browsers on these pages read answers. Never with cookies: such a page brings a token.
///
/// # Errors
/// What is no origin, in a sentence.
pub fn allow(origins: &[String]) -> Result<CorsLayer, String> {
    let read = |origin: &String| {
        let is_origin = origin.split_once("://").is_some_and(|(scheme, host)| {
            matches!(scheme, "http" | "https")
                && !host.is_empty()
                && !host.contains(['/', '*', '?', '#', '@', ' ', ';', ','])
        });
        let value = HeaderValue::from_str(origin).ok().filter(|_| is_origin);
        value.ok_or_else(|| format!("{origin} is no origin such as https://crm.example.org"))
    };
    let origins: Vec<HeaderValue> = origins.iter().map(read).collect::<Result<_, _>>()?;
    Ok(CorsLayer::new()
        .allow_origin(origins)
        // By it a page knows how late it is, whatever its own clock says.
        .expose_headers([header::DATE])
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            HeaderName::from_static("last-event-id"),
        ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_origins_are_origins() {
        let all = |origin: &str| allow(&[origin.to_owned()]).is_ok();
        assert!(all("https://crm.example.org") && all("http://127.0.0.1:9000"));
        for wrong in [
            "*",
            "null",
            "crm.example.org",
            "https://",
            "https://a.example/",
            "https://*.a.example",
        ] {
            assert!(!all(wrong), "{wrong}");
        }
    }
}
