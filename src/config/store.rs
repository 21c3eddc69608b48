//! Where what is remembered stands.

use std::path::PathBuf;

use serde::{Deserialize, Serialize, Serializer};

use super::home_folder;
use crate::store::{BadPlace, Place};

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// The data folder: the event log, unless it is elsewhere, and what can be made again from it.
    pub folder: PathBuf,
    /// `sqlite:`, a file in the data folder, or `postgres://user@host/database`.
    pub url: StoreUrl,
}

impl Default for Store {
    fn default() -> Self {
        let folder = home_folder("XDG_DATA_HOME", ".local/share").join("backchannel");
        Self { folder, url: StoreUrl::default() }
    }
}

impl Store {
    /// Where the event log is.
    ///
    /// # Errors
    /// `url` names no place.
    pub fn place(&self) -> Result<Place, BadPlace> {
        Place::parse(&self.url.0, &self.folder)
    }

    pub(super) fn mistakes(&self) -> Option<String> {
        self.place().err().map(|error| format!("store.url: {error}"))
    }
}

/// An address that may hold a password, which is never printed.
#[derive(Clone, Deserialize, PartialEq)]
#[serde(transparent)]
pub struct StoreUrl(String);

impl StoreUrl {
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    fn without_password(&self) -> String {
        let Some((scheme, rest)) = self.0.split_once("://") else { return self.0.clone() };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let authority = match authority.rsplit_once('@') {
            Some((user, host)) => {
                let user = user
                    .split_once(':')
                    .map_or(user.to_owned(), |(name, _)| format!("{name}:[hidden]"));
                format!("{user}@{host}")
            }
            None => authority.to_owned(),
        };
        let hide = |pair: &str| match pair.split_once('=') {
            Some((key, _)) if key.contains("password") => format!("{key}=[hidden]"),
            _ => pair.to_owned(),
        };
        let path = match path.split_once('?') {
            Some((path, query)) => {
                let query: Vec<String> = query.split('&').map(hide).collect();
                format!("{path}?{}", query.join("&"))
            }
            None => path.to_owned(),
        };
        format!("{scheme}://{authority}{path}")
    }
}

impl Default for StoreUrl {
    fn default() -> Self {
        Self("sqlite:".to_owned())
    }
}

impl std::fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.without_password())
    }
}

impl Serialize for StoreUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.without_password())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_printed() {
        for (url, shown) in [
            ("sqlite:", "sqlite:"),
            ("postgres://ada@db/calls", "postgres://ada@db/calls"),
            ("postgres://ada:p@ss@db:5433/calls", "postgres://ada:[hidden]@db:5433/calls"),
            (
                "postgres:///calls?password=x&host=/run",
                "postgres:///calls?password=[hidden]&host=/run",
            ),
        ] {
            assert_eq!(format!("{:?}", StoreUrl::new(url)), shown);
        }
    }

    #[test]
    fn what_is_no_address_is_said_without_repeating_it() {
        let store = |url: &str| Store { url: StoreUrl::new(url), ..Store::default() };
        assert_eq!(store("postgres://ada@db/calls").mistakes(), None);
        for wrong in ["", "mysql://db/calls", "sqlite:/srv/log", "postgres://ada:s3cret@db:port/x"]
        {
            let mistake = store(wrong).mistakes().expect("it is wrong");
            assert!(mistake.starts_with("store.url: write `sqlite:`"), "{mistake}");
            assert!(!mistake.contains("s3cret"), "{mistake}");
        }
    }
}
