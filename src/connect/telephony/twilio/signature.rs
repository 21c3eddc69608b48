//! `X-Twilio-Signature`: HMAC-SHA1 of the address and the form, as Twilio's "Secure webhooks" page
//! and the `twilio` SDK 6.2.0 (`lib/webhooks/webhooks.js`) describe it.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

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
    let mut by_key: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (key, value) in params {
        by_key.entry(key).or_default().insert(value);
    }
    by_key
        .into_iter()
        .flat_map(|(key, values)| values.into_iter().flat_map(move |value| [key, value]))
        .collect()
}

/// The address without and with its scheme's own port: Twilio signs either.
fn spellings(url: &str) -> Vec<String> {
    let mut all = vec![url.to_owned()];
    let Some((scheme, rest)) = url.split_once("://") else { return all };
    let port = match scheme {
        "https" | "wss" => ":443",
        "http" | "ws" => ":80",
        _ => return all,
    };
    let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let after_brackets = host.rfind(']').unwrap_or(0);
    match host.strip_suffix(port) {
        Some(bare) => all.push(format!("{scheme}://{bare}{path}")),
        None if !host[after_brackets..].contains(':') => {
            all.push(format!("{scheme}://{host}{port}{path}"));
        }
        None => {}
    }
    all
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
        for url in
            ["wss://copilot.example.com/twilio/media", "wss://copilot.example.com:443/twilio/media"]
        {
            assert!(signs(TOKEN, url, &[], good), "{url}");
        }
        for (token, url, given) in [
            ("12346", "wss://copilot.example.com/twilio/media", good),
            (TOKEN, "ws://copilot.example.com/twilio/media", good),
            (TOKEN, "wss://copilot.example.com/twilio/media/", good),
            (TOKEN, "wss://copilot.example.com:8443/twilio/media", good),
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
        let check = |url: &str, other: Option<&str>| {
            let other = other.map(str::to_owned);
            assert_eq!(spellings(url)[1..], other.into_iter().collect::<Vec<_>>(), "{url}");
        };
        check("wss://a.example/m?x=1:2", Some("wss://a.example:443/m?x=1:2"));
        check("wss://a.example:443/m", Some("wss://a.example/m"));
        check("http://a.example", Some("http://a.example:80"));
        check("http://[::1]/m", Some("http://[::1]:80/m"));
        check("https://[::1]:443", Some("https://[::1]"));
        check("https://a.example:8443/m", None);
        check("https://a.example:80/m", None);
        check("somewhere", None);
    }

    #[test]
    fn repeated_keys_count_once_for_each_value_and_in_order() {
        assert_eq!(canonical(&[("b", "2"), ("a", "z"), ("b", "1"), ("b", "2")]), "azb1b2");
    }
}
