use std::path::PathBuf;

use http::HeaderValue;
use http::header::{AUTHORIZATION, HeaderName};
use secrecy::{ExposeSecret, SecretString};

/// What opens a server. Printed, it says only where it comes from.
#[derive(Clone, Debug)]
pub struct Key {
    pub place: KeyPlace,
    /// Azure's keys go into `api-key`; all others, and Entra's tokens, are bearers.
    pub as_api_key: bool,
}

#[derive(Clone, Debug)]
pub enum KeyPlace {
    Value(SecretString),
    /// Read for each request: a token in it is renewed by somebody else.
    File(PathBuf),
}

impl Key {
    pub fn bearer(secret: impl Into<String>) -> Self {
        Self { place: KeyPlace::Value(SecretString::from(secret.into())), as_api_key: false }
    }

    pub(super) async fn header(&self) -> std::io::Result<(HeaderName, HeaderValue)> {
        let secret = match &self.place {
            KeyPlace::Value(secret) => secret.clone(),
            KeyPlace::File(path) => tokio::fs::read_to_string(path).await?.into(),
        };
        let secret = secret.expose_secret().trim();
        let (name, text) = if self.as_api_key {
            (HeaderName::from_static("api-key"), secret.to_owned())
        } else {
            (AUTHORIZATION, format!("Bearer {secret}"))
        };
        let mut value = HeaderValue::try_from(text).map_err(|_| {
            std::io::Error::new(std::io::ErrorKind::InvalidData, "it holds no key of one line")
        })?;
        value.set_sensitive(true);
        Ok((name, value))
    }
}
