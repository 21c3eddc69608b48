//! `[intents]` and `[categories]`: what conversations tell of themselves.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `[intents]`: what customers want, as labels with a few examples each.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Intents {
    /// A folder of `.toml` files. Without one no intents are told; the demo has its sample.
    pub folder: Option<PathBuf>,
}

/// `[categories]`: what is to be noticed in conversations, and whom to tell.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Categories {
    /// A folder of `.toml` files. Without one nothing is noticed; the demo has its sample.
    pub folder: Option<PathBuf>,
    /// Whether `insight.sentiment` is told. Absent: where there are categories, a routing plan, or the demo.
    pub sentiment: Option<bool>,
}
