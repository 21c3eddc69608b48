//! How media sides send an API key when they can't send it as `Authorization: Bearer`.
//!
//! Whatever form the key comes in, the guard behind sees one. So there is one place that knows keys,
//! and this one knows none.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Rewrites the credentials of media connections.
pub async fn as_bearer(mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let listens = path == "/v1/listen";
    if listens || path.starts_with("/v1/media/") {
        rewrite(request.headers_mut(), listens);
    }
    next.run(request).await
}

fn rewrite(headers: &mut HeaderMap, listens: bool) {
    let key = match headers.get(header::AUTHORIZATION) {
        Some(value) => value.to_str().ok().and_then(key_of),
        None if listens => headers
            .get(header::SEC_WEBSOCKET_PROTOCOL)
            .and_then(|value| value.to_str().ok())
            .and_then(key_of_protocols),
        None => None,
    };
    let bearer = key.and_then(|key| HeaderValue::try_from(format!("Bearer {key}")).ok());
    if let Some(mut bearer) = bearer {
        bearer.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, bearer);
    }
}

/// `Token <key>` (Deepgram's clients) and `Basic <user:key>` (Asterisk, jambonz), whoever the user.
fn key_of(authorization: &str) -> Option<String> {
    let (scheme, value) = authorization.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("token") {
        return Some(value.trim().to_owned());
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let pair = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
        return pair.split_once(':').map(|(_, key)| key.to_owned());
    }
    None
}

/// `token, <key>`: browsers can't set a header, but name subprotocols.
fn key_of_protocols(protocols: &str) -> Option<String> {
    let (scheme, key) = protocols.split_once(',')?;
    let known = ["token", "bearer"].contains(&scheme.trim().to_ascii_lowercase().as_str());
    (known && !key.contains(',')).then(|| key.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(name: header::HeaderName, value: &str, listens: bool) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::try_from(value).expect("a value"));
        rewrite(&mut headers, listens);
        headers.get(header::AUTHORIZATION).map(|value| value.to_str().expect("text").to_owned())
    }

    #[test]
    fn every_form_of_a_key_becomes_one() {
        let check = |value: &str, expected: &str| {
            let seen = rewritten(header::AUTHORIZATION, value, false);
            assert_eq!(seen.as_deref(), Some(expected), "{value}");
        };
        check("Token k-1", "Bearer k-1");
        check("token  k-1 ", "Bearer k-1");
        check("Bearer k-1", "Bearer k-1");
        check(&format!("Basic {}", STANDARD.encode("asterisk:k:1")), "Bearer k:1");
        check(&format!("basic {}", STANDARD.encode(":k-1")), "Bearer k-1");
        check("Basic ?", "Basic ?");
        check(&format!("Basic {}", STANDARD.encode("k-1")), "Basic ay0x");
        check("Digest k-1", "Digest k-1");
        check(&format!("Basic {}", STANDARD.encode("u:k\r\nX: y")), "Basic dTprDQpYOiB5");
    }

    #[test]
    fn subprotocols_carry_a_key_to_listen_alone() {
        let check = |value: &str, listens: bool, expected: Option<&str>| {
            let seen = rewritten(header::SEC_WEBSOCKET_PROTOCOL, value, listens);
            assert_eq!(seen.as_deref(), expected, "{value}");
        };
        check("token, k-1", true, Some("Bearer k-1"));
        check("bearer,k-1", true, Some("Bearer k-1"));
        check("token, k-1", false, None);
        check("token", true, None);
        check("token, k-1, more", true, None);
        check("audio.jambonz.org, k-1", true, None);
    }
}
