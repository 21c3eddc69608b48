//! `X-Twilio-Signature`: HMAC-SHA1 of the address and the form, as Twilio's "Secure webhooks" page
//! and the `twilio` SDK 6.2.0 (`lib/webhooks/webhooks.js`) describe it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Url;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

/// Twilio asks for no longer addresses; of one that somebody made up, only the one form counts.
const ADDRESS_MAX_BYTES: usize = 4_000;

/// Whether `given` signs a request for `url`, as Twilio asked for it, with this form. Requests
/// without a form, such as the opening of a WebSocket, have no `params`.
pub fn signs(auth_token: &str, url: &str, params: &[(&str, &str)], given: &str) -> bool {
    let Ok(given) = STANDARD.decode(given) else { return false };
    let form = canonical(params);
    // All are computed, so that the time doesn't tell which one fits.
    let mut fits = Choice::from(0);
    for url in spellings(url) {
        fits |= mac(auth_token, &url, &form).as_slice().ct_eq(&given);
    }
    fits.into()
}

/// As [`signs`] for a JSON body, whose hash is in the address.
pub fn signs_body(auth_token: &str, url: &str, body: &[u8], given: &str) -> bool {
    let Some((_, query)) = url.split_once('?') else { return false };
    let hash = query.split('&').find_map(|pair| pair.strip_prefix("bodySHA256="));
    let Some(hash) = hash else { return false };
    let actual: String = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
    let same_body = actual.as_bytes().ct_eq(hash.to_ascii_lowercase().as_bytes());
    bool::from(same_body) & signs(auth_token, url, &[], given)
}

fn mac(auth_token: &str, url: &str, form: &str) -> [u8; 20] {
    let mut mac = Hmac::<Sha1>::new_from_slice(auth_token.as_bytes())
        .expect("HMAC takes keys of any length; this is a bug");
    mac.update(url.as_bytes());
    mac.update(form.as_bytes());
    mac.finalize().into_bytes().into()
}

/// Keys in order, each with its distinct values in order.
fn canonical(params: &[(&str, &str)]) -> String {
    let mut pairs = params.to_vec();
    // Twilio sorts by UTF-16 units, in which an emoji comes before a full-width letter.
    pairs.sort_by(|(key, value), (other_key, other_value)| {
        let by_key = key.encode_utf16().cmp(other_key.encode_utf16());
        by_key.then_with(|| value.encode_utf16().cmp(other_value.encode_utf16()))
    });
    pairs.dedup();
    pairs.into_iter().flat_map(|(key, value)| [key, value]).collect()
}

/// The address in the forms that Twilio may have signed: as it came, with what a URL escapes, and
/// with its query escaped anew; each without a port and with one.
fn spellings(url: &str) -> Vec<String> {
    let mut forms = vec![url.to_owned()];
    if url.len() <= ADDRESS_MAX_BYTES
        && let Ok(parsed) = Url::parse(url)
    {
        forms.extend([parsed.to_string(), with_query_anew(parsed)]);
    }
    let mut all: Vec<String> = forms.iter().flat_map(|form| without_and_with_port(form)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Its own port or, where it has none, its scheme's.
fn without_and_with_port(url: &str) -> [String; 2] {
    let Some((scheme, rest)) = url.split_once("://") else {
        return [url.to_owned(), url.to_owned()];
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let after_brackets = authority.rfind(']').unwrap_or(0);
    let colon = authority[after_brackets..].find(':').map(|at| after_brackets + at);
    let (host, port) = authority.split_at(colon.unwrap_or(authority.len()));
    let port = match (port, scheme) {
        ("", "https" | "wss") => ":443",
        ("", _) => ":80",
        (port, _) => port,
    };
    [format!("{scheme}://{host}{path}"), format!("{scheme}://{host}{port}{path}")]
}

/// As Node's `querystring` writes it: values of one key together, a plus for no space.
fn with_query_anew(mut url: Url) -> String {
    let mut by_key: Vec<(String, Vec<String>)> = Vec::new();
    for (key, value) in url.query_pairs().into_owned() {
        match by_key.iter_mut().find(|(known, _)| *known == key) {
            Some((_, values)) => values.push(value),
            None => by_key.push((key, vec![value])),
        }
    }
    let mut pairs = Vec::new();
    for (key, values) in &by_key {
        pairs.extend(values.iter().map(|value| format!("{}={}", escaped(key), escaped(value))));
    }
    if pairs.is_empty() {
        return url.into();
    }
    url.set_query(None);
    format!("{url}?{}", pairs.join("&"))
}

fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        byte if b"-_.~!'()*".contains(&byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of all four vectors.
    const TOKEN: &str = "12345";

    #[test]
    fn the_sdks_signatures_of_forms_are_accepted() {
        let first = "https://mycompany.com/myapp.php?foo=1&bar=2";
        let params = [
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+14158675310"),
            ("Digits", "1234"),
            ("From", "+14158675310"),
            ("To", "+18005551212"),
        ];
        assert!(signs(TOKEN, first, &params, "GvWf1cFY/Q7PnoempGyD5oXAezc="));
        let mut shuffled = params;
        shuffled.reverse();
        assert!(signs(TOKEN, first, &shuffled, "GvWf1cFY/Q7PnoempGyD5oXAezc="));

        let second = "https://copilot.example.com/twilio/sms?tenant=a%20b";
        let params = [
            ("From", "+15551230001"),
            ("To", "+15559990000"),
            ("Body", "Hi there & ok"),
            ("MessageSid", "SM1"),
            ("NumMedia", "0"),
        ];
        assert!(signs(TOKEN, second, &params, "stqrgRnqSuiKl1SOvClelMbPuOg="));
        assert!(!signs(TOKEN, second, &params[1..], "stqrgRnqSuiKl1SOvClelMbPuOg="));
    }

    #[test]
    fn the_sdks_signature_of_a_websocket_is_accepted_with_and_without_the_port() {
        let good = "MeAGD8M0mWXnz+RTIAY694uonm8=";
        // Twilio leaves out ports that aren't the scheme's own, too.
        for url in ["", ":443", ":8443"]
            .map(|port| format!("wss://copilot.example.com{port}/twilio/media"))
        {
            assert!(signs(TOKEN, &url, &[], good), "{url}");
        }
        for (token, url, given) in [
            ("12346", "wss://copilot.example.com/twilio/media", good),
            (TOKEN, "ws://copilot.example.com/twilio/media", good),
            (TOKEN, "wss://copilot.example.com/twilio/media/", good),
            (TOKEN, "wss://copilot.example.com/twilio/media", "MeAGD8M0mWXnz+RTIAY694uonm9="),
            (TOKEN, "wss://copilot.example.com/twilio/media", "?"),
            (TOKEN, "wss://copilot.example.com/twilio/media", ""),
        ] {
            assert!(!signs(token, url, &[], given), "{token} {url} {given}");
        }
    }

    #[test]
    fn the_sdks_signature_of_a_json_body_is_accepted() {
        let url = "https://copilot.example.com/hook?bodySHA256=015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862";
        let good = "Fl6sPt7JDmz2dBOSdRlBpqCleDI=";
        assert!(signs_body(TOKEN, url, br#"{"a":1}"#, good));
        assert!(!signs_body(TOKEN, url, br#"{"a":2}"#, good));
        assert!(!signs_body(TOKEN, "https://copilot.example.com/hook", br#"{"a":1}"#, good));
    }

    #[test]
    fn an_address_has_its_port_or_not() {
        let check = |url: &str, without: &str, with: &str| {
            assert_eq!(without_and_with_port(url), [without, with], "{url}");
        };
        check("wss://a.example/m?x=1:2", "wss://a.example/m?x=1:2", "wss://a.example:443/m?x=1:2");
        check("wss://a.example:443/m", "wss://a.example/m", "wss://a.example:443/m");
        check("http://a.example", "http://a.example", "http://a.example:80");
        check("http://[::1]/m", "http://[::1]/m", "http://[::1]:80/m");
        check("https://[::1]:443", "https://[::1]", "https://[::1]:443");
        check("https://a.example:8443/m", "https://a.example/m", "https://a.example:8443/m");
        check("somewhere", "somewhere", "somewhere");
    }

    #[test]
    fn a_query_is_escaped_in_more_than_one_way() {
        let check = |query: &str, forms: &[&str]| {
            let url = format!("https://a.example/m{query}");
            let all = spellings(&url);
            for form in forms {
                assert!(all.contains(&format!("https://a.example/m{form}")), "{form}: {all:?}");
            }
            assert_eq!(all.len(), 2 * forms.len(), "{all:?}");
        };
        check("", &[""]);
        check("?a=1", &["?a=1"]);
        check("?a=it's+x", &["?a=it's+x", "?a=it%27s+x", "?a=it's%20x"]);
        check("?b=1&a=2&b=3", &["?b=1&a=2&b=3", "?b=1&b=3&a=2"]);
        let endless = format!("?{}", "it's&".repeat(1_000));
        check(&endless, &[&endless]);
    }

    #[test]
    fn repeated_keys_count_once_for_each_value_and_in_order() {
        assert_eq!(canonical(&[("b", "2"), ("a", "z"), ("b", "1"), ("b", "2")]), "azb1b2");
        assert_eq!(canonical(&[("Ａ", "1"), ("😀", "2")]), "😀2Ａ1");
    }
}
