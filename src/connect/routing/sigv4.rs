//! Signature Version 4 of AWS, for requests with a plain path and no query
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>).
//!
//! The vendor's own crate brings an HTTP stack and older digests along for these few lines.

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// Who signs, and for where. Printed, it says nothing that is secret.
#[derive(Clone, Debug)]
pub struct Signer {
    pub access_key_id: String,
    pub secret_access_key: SecretString,
    /// Of keys that were given for a time.
    pub session_token: Option<SecretString>,
    pub region: String,
    pub service: &'static str,
}

impl Signer {
    /// The headers that a request goes with. `host` is as it stands in the request, `path` begins with a slash and
    /// holds nothing that would have to be escaped.
    pub fn headers(
        &self,
        method: &str,
        host: &str,
        path: &str,
        body: &str,
        at: Timestamp,
    ) -> Vec<(&'static str, String)> {
        let time = at.strftime("%Y%m%dT%H%M%SZ").to_string();
        let token = self.session_token.as_ref().map(|token| token.expose_secret().to_owned());
        let mut signed = vec![("host", host.to_owned()), ("x-amz-date", time.clone())];
        signed.extend(token.map(|token| ("x-amz-security-token", token)));
        let authorization = self.authorization(method, path, "", &signed, body, &time);
        signed.remove(0);
        signed.push(("authorization", authorization));
        signed
    }

    /// `signed` are headers in the order of their names.
    fn authorization(
        &self,
        method: &str,
        path: &str,
        query: &str,
        signed: &[(&str, String)],
        body: &str,
        time: &str,
    ) -> String {
        let names = signed.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let headers: String =
            signed.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
        let canonical =
            format!("{method}\n{path}\n{query}\n{headers}\n{names}\n{}", hash(body.as_bytes()));
        let day = time.get(..8).unwrap_or_default();
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hash(canonical.as_bytes()));
        let mut key = format!("AWS4{}", self.secret_access_key.expose_secret()).into_bytes();
        for part in [day, &self.region, self.service, "aws4_request"] {
            key = mac(&key, part);
        }
        let signature = hex(&mac(&key, &text));
        format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            self.access_key_id
        )
    }
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(service: &'static str) -> Signer {
        Signer {
            access_key_id: "AKIDEXAMPLE".into(),
            secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned().into(),
            session_token: None,
            region: "us-east-1".into(),
            service,
        }
    }

    /// `get-vanilla` and `post-vanilla` of AWS's Signature Version 4 test suite.
    #[test]
    fn it_signs_as_the_vendors_test_suite_does() {
        let at = "2015-08-30T12:36:00Z".parse().expect("a time");
        for (method, wanted) in [
            ("GET", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            ("POST", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        ] {
            let headers = signer("service").headers(method, "example.amazonaws.com", "/", "", at);
            let given = headers.iter().find(|(name, _)| *name == "authorization").expect("one");
            let begins = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=";
            assert_eq!(given.1, format!("{begins}{wanted}"), "{method}");
        }
    }

    /// The worked example of the IAM user guide: with a query and another header.
    #[test]
    fn it_signs_as_the_guide_does() {
        let signed = [
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8".to_owned()),
            ("host", "iam.amazonaws.com".to_owned()),
            ("x-amz-date", "20150830T123600Z".to_owned()),
        ];
        let query = "Action=ListUsers&Version=2010-05-08";
        let given = signer("iam").authorization("GET", "/", query, &signed, "", "20150830T123600Z");
        let wanted = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
        assert!(given.ends_with(wanted), "{given}");
    }

    #[test]
    fn a_key_for_a_time_brings_its_token_and_nothing_is_printed() {
        let signer = Signer { session_token: Some("t0k".to_owned().into()), ..signer("connect") };
        let headers = signer.headers("POST", "h", "/p", "{}", Timestamp::UNIX_EPOCH);
        let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["x-amz-date", "x-amz-security-token", "authorization"]);
        assert!(headers[2].1.contains("SignedHeaders=host;x-amz-date;x-amz-security-token"));
        let printed = format!("{signer:?}");
        assert!(!printed.contains("t0k") && !printed.contains("wJalr"), "{printed}");
    }
}
