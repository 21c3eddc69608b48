//! Settings: a TOML file, then the environment, then flags; unknown keys are errors.
//!
//! `BACKCHANNEL__SERVE__LISTEN=127.0.0.1:9000` is `listen` in `[serve]`.

mod auth;
mod channels;
mod crm;
mod generation;
mod insight;
mod media;
mod office;
mod own_sockets;
mod redaction;
mod retention;
mod routing;
mod speech;
mod store;
mod wrapup;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::domain::{Classify, ErrorKind};
use crate::flow::suggestion::SuggestionSettings;
use crate::flow::transcript::TranscriptSettings;
use crate::models::Engine;
use crate::prompts::PromptSettings;
use crate::serve;

pub use self::auth::{Auth, Jwt, Oidc, Person};
pub use self::channels::{AcsSms, Channels, Teams, TwilioSms, WebChat, address as channel_address};
pub use self::crm::{Crm, Login, Rule, Webhook, WebhookScheme, Writes, sounds_secret};
pub use self::generation::{Budget, EXTRACTIVE, Generation, Provider, ProviderKind, Structured};
pub use self::insight::{Categories, Intents};
pub use self::media::{Acs, AudioHook, AudioHookKey, Media, Twilio};
pub use self::office::{Calendar, Mail, SentCopy, Team};
pub use self::own_sockets::{AudioSocket, Siprec};
pub use self::redaction::Redaction;
pub use self::retention::{Kept, Retention};
pub use self::routing::{
    AmazonConnect, Context as RoutingContext, Dynamics, Instruction as RouterInstruction, Router,
    Routing, TaskRouter as RouterTaskRouter,
};
pub use self::speech::language_of;
pub use self::store::{Store, StoreUrl};
pub use self::wrapup::{Disposition, OwnSection, WrapUp};

/// All settings, with their defaults. `backchannel check` prints the effective ones.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub serve: serve::Config,
    pub auth: Auth,
    pub limits: serve::LimitSettings,
    pub media: Media,
    pub store: Store,
    pub knowledge: Knowledge,
    pub speech: Speech,
    pub transcript: Transcript,
    pub suggestion: Suggestion,
    pub calls: Calls,
    pub channels: Channels,
    pub wrapup: WrapUp,
    pub prompts: PromptSettings,
    pub generation: Generation,
    pub crm: Crm,
    pub mail: Mail,
    pub calendar: Calendar,
    pub team: Team,
    pub routing: Routing,
    pub intents: Intents,
    pub categories: Categories,
    pub redaction: Redaction,
    pub retention: Retention,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Knowledge {
    /// A folder of Markdown articles, which is taken over at the start. Without one, the demo has its
    /// sample.
    pub folder: Option<PathBuf>,
    /// Whether somebody else than the author must approve an article. Absent: yes, but in the demo,
    /// which has one person.
    pub four_eyes: Option<bool>,
    /// Whether what agents made of cards moves the ranking.
    pub feedback: bool,
    /// Whether what a call explains and no article says is drafted when the call is wrapped up. Needs the
    /// embedding model.
    pub propose: bool,
}

impl Default for Knowledge {
    fn default() -> Self {
        Self { folder: None, four_eyes: None, feedback: true, propose: true }
    }
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Speech {
    /// Models of the manifest: for finals, and for what is shown while somebody speaks.
    pub finals_model: String,
    pub partials_model: String,
    /// What runs them.
    pub engine: Engine,
    /// 0: one for each core.
    pub workers: usize,
    /// `auto`, or the language of all calls as ISO 639-1, such as `en`.
    pub language: String,
    /// Names that are likely to be said, besides the products that articles name.
    pub glossary: Vec<String>,
}

impl Default for Speech {
    fn default() -> Self {
        Self {
            finals_model: "whisper-base".to_owned(),
            partials_model: "whisper-tiny.en".to_owned(),
            engine: Engine::Auto,
            workers: 0,
            language: "auto".to_owned(),
            glossary: Vec::new(),
        }
    }
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Transcript {
    /// Silence that ends a turn.
    pub end_silence_ms: u64,
    /// Silence after which the final decode begins.
    pub early_silence_ms: u64,
    /// New audio between two partials; 0 switches them off.
    pub partial_every_ms: u64,
}

impl Default for Transcript {
    fn default() -> Self {
        let flow = TranscriptSettings::default();
        Self {
            end_silence_ms: flow.end_silence_ms,
            early_silence_ms: flow.early_silence_ms,
            partial_every_ms: flow.partial_every_ms,
        }
    }
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Suggestion {
    /// A card is shown from this probability on that it answers.
    pub threshold: f32,
    /// Cards that may come at once, and how many more a minute.
    pub burst: u32,
    pub refill_per_minute: u32,
    /// A model gets so long for a card's spoken sentences; after that the quoted one stays. 0: none
    /// is asked.
    pub voice_ms: u64,
    /// The same for the agent's own question.
    pub answer_ms: u64,
}

impl Default for Suggestion {
    fn default() -> Self {
        let flow = SuggestionSettings::default();
        Self {
            threshold: flow.threshold,
            burst: flow.burst,
            refill_per_minute: flow.refill_per_minute,
            voice_ms: 2_500,
            answer_ms: 8_000,
        }
    }
}

impl Suggestion {
    /// How cards are chosen.
    pub fn settings(&self) -> SuggestionSettings {
        SuggestionSettings {
            threshold: self.threshold,
            burst: self.burst,
            refill_per_minute: self.refill_per_minute,
            ..SuggestionSettings::default()
        }
    }
}

#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Calls {
    /// More live calls are refused with `429`, or with close code 1013 on an open connection. 0: as
    /// many as this machine can hold, which is measured at the start.
    pub max: usize,
    /// The same for each tenant; 0 is no limit of its own.
    pub per_tenant: usize,
}

/// A value that never appears in a print-out.
#[derive(Clone, PartialEq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
    /// The secret itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // A key of digits only reads as a number in the environment.
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Text {
            Text(String),
            Number(i64),
        }
        Ok(match Text::deserialize(deserializer)? {
            Text::Text(text) => Self(text),
            Text::Number(number) => Self(number.to_string()),
        })
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[hidden]")
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("[hidden]")
    }
}

/// Why the settings can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{path}: can't be read: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path}: {message}")]
    File { path: PathBuf, message: String },
    #[error("environment: {0}")]
    Environment(String),
    #[error("{0}")]
    Value(String),
}

impl Classify for ConfigError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

const PREFIX: &str = "BACKCHANNEL__";

impl Config {
    /// Reads the file, if one is named, and lays the environment over it.
    ///
    /// # Errors
    /// Names the file with line and field, or the variable.
    pub fn load(
        file: Option<&Path>,
        vars: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let text = match file {
            Some(path) => std::fs::read_to_string(path)
                .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?,
            None => String::new(),
        };
        Self::from_parts(file.unwrap_or(Path::new("settings")), &text, vars)
    }

    fn from_parts(
        path: &Path,
        text: &str,
        vars: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        // On its own first: only so the error knows its line.
        toml::from_str::<Self>(text).map_err(|error| ConfigError::File {
            path: path.to_owned(),
            message: error.to_string().trim_end().to_owned(),
        })?;
        let mut table: toml::Table = text
            .parse()
            .map_err(|error: toml::de::Error| ConfigError::Environment(error.to_string()))?;
        let mut named = Vec::new();
        for (name, value) in vars.filter(|(name, _)| name.starts_with(PREFIX)) {
            let path: Vec<String> =
                name[PREFIX.len()..].split("__").map(str::to_lowercase).collect();
            insert(&mut table, &path, &value)
                .map_err(|()| ConfigError::Environment(format!("{name}: no such setting")))?;
            named.push(name);
        }
        let config: Self =
            toml::Value::Table(table).try_into().map_err(|error: toml::de::Error| {
                let message = error.to_string();
                ConfigError::Environment(format!(
                    "{} (set: {})",
                    message.trim_end(),
                    named.join(", ")
                ))
            })?;
        config.check()
    }

    fn check(mut self) -> Result<Self, ConfigError> {
        self.speech.language = language_of(&self.speech.language)
            .map_err(|what| ConfigError::Value(format!("speech.language {what}")))?;
        let transcript = &self.transcript;
        if transcript.early_silence_ms >= transcript.end_silence_ms {
            return Err(ConfigError::Value(format!(
                "transcript.early_silence_ms ({}) must be less than transcript.end_silence_ms ({})",
                transcript.early_silence_ms, transcript.end_silence_ms
            )));
        }
        if !(100..=3_000).contains(&transcript.end_silence_ms) {
            return Err(ConfigError::Value(
                "transcript.end_silence_ms must be from 100 to 3000".to_owned(),
            ));
        }
        let mut mistakes = self.auth.mistakes();
        mistakes.extend(self.media.mistakes());
        mistakes.extend(self.store.mistakes());
        mistakes.extend(self.speech.mistakes());
        mistakes.extend(self.channels.mistakes(self.media.public_url.is_some()));
        mistakes.extend(self.wrapup.mistakes());
        mistakes.extend(self.generation.mistakes());
        mistakes.extend(self.redaction.mistakes());
        if !mistakes.is_empty() {
            return Err(ConfigError::Value(mistakes.join("\n")));
        }
        Ok(self)
    }

    /// The effective settings as TOML, secrets hidden.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).unwrap_or_else(|error| format!("# not printable: {error}"))
    }
}

fn insert(table: &mut toml::Table, path: &[String], value: &str) -> Result<(), ()> {
    match path {
        [] => Err(()),
        [key] => {
            // A number or a boolean if it reads as one, otherwise text.
            let parsed = format!("v = {value}").parse::<toml::Table>().ok();
            let value = parsed
                .and_then(|mut parsed| parsed.remove("v"))
                .filter(|value| !value.is_datetime())
                .unwrap_or_else(|| toml::Value::String(value.to_owned()));
            table.insert(key.clone(), value);
            Ok(())
        }
        [section, rest @ ..] => {
            let entry = table
                .entry(section.clone())
                .or_insert_with(|| toml::Value::Table(toml::Table::new()));
            insert(entry.as_table_mut().ok_or(())?, rest, value)
        }
    }
}

/// A folder of the user by the XDG base directory rules.
pub fn home_folder(variable: &str, below_home: &str) -> PathBuf {
    match std::env::var_os(variable) {
        Some(folder) if !folder.is_empty() => PathBuf::from(folder),
        _ => std::env::home_dir().unwrap_or_else(|| PathBuf::from(".")).join(below_home),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, vars: &[(&str, &str)]) -> Result<Config, String> {
        let vars = vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::from_parts(Path::new("bc.toml"), text, vars).map_err(|error| error.to_string())
    }

    #[test]
    fn the_environment_overrides_the_file() {
        let config = load(
            "[serve]\nlisten = \"127.0.0.1:9000\"\n[calls]\nmax = 3",
            &[
                ("BACKCHANNEL__CALLS__MAX", "7"),
                ("BACKCHANNEL__AUTH__API_KEY", "12345678"),
                ("PATH", "x"),
            ],
        );
        let key = config.expect("it is right").auth.api_key.expect("it is set");
        assert_eq!(key.expose(), "12345678");
        let config = load(
            "[serve]\nlisten = \"127.0.0.1:9000\"\n[calls]\nmax = 3",
            &[("BACKCHANNEL__CALLS__MAX", "7"), ("BACKCHANNEL__AUTH__API_KEY", "k-12345678")],
        )
        .expect("it is right");
        assert_eq!((config.calls.max, config.serve.listen.port()), (7, 9000));
        assert!(!config.to_toml().contains("k-1234"), "secrets stay hidden");
        assert!(!format!("{config:?}").contains("k-1234"));
    }

    #[test]
    fn wires_with_sockets_of_their_own_are_off_by_default() {
        let config = load("", &[]).expect("it is right");
        assert_eq!((config.media.audiosocket.listen, config.media.siprec.listen), (None, None));
        let config = load(
            "[media.siprec]\nlisten = \"0.0.0.0:5060\"\npeers = [\"10.1.0.0/16\", \"192.0.2.7\"]\n\
             rtp_ports = [30000, 30999]",
            &[("BACKCHANNEL__MEDIA__AUDIOSOCKET__LISTEN", "10.0.0.1:9092")],
        )
        .expect("it is right");
        assert_eq!(config.media.audiosocket.listen.map(|listen| listen.port()), Some(9_092));
        let networks = config.media.siprec.networks().expect("they are right");
        assert!(
            networks[1].contains(&"192.0.2.7".parse::<std::net::IpAddr>().expect("an address"))
        );
        assert!(config.to_toml().contains("10.1.0.0/16"));
    }

    #[test]
    fn mistakes_name_their_place() {
        for (text, vars, expected) in [
            ("[serve]\nlistn = 1", &[][..], vec!["bc.toml", "line 2", "listn"]),
            ("[serve]\nlisten = \"here\"", &[], vec!["bc.toml", "line 2", "socket address"]),
            (
                "",
                &[("BACKCHANNEL__SERVE__LISTN", "x")][..],
                vec!["BACKCHANNEL__SERVE__LISTN", "listn"],
            ),
            ("[calls]\nmax = -1", &[], vec!["bc.toml", "line 2"]),
            ("[media.acs]\nissuer = \"\"", &[], vec!["media.acs.issuer"]),
            ("[media.acs]\nisuer = \"\"", &[], vec!["bc.toml", "line 2", "isuer"]),
            ("[speech]\nlanguage = \"xx\"", &[], vec!["speech.language", "not xx"]),
            (
                "[speech]\nlanguage = \" FR\"\nfinals_model = \"whisper-tiny.en\"",
                &[],
                vec!["whisper-tiny.en", "fr"],
            ),
            ("[speech]\nworkers = 100000", &[], vec!["workers", "at most", "100000"]),
            ("[wrapup]\nsections = [\"isue\"]", &[], vec!["wrapup.sections", "isue"]),
            ("[wrapup]\ntime_zone = \"Mars\"", &[], vec!["wrapup.time_zone", "Mars"]),
            ("[media.siprec]\npeers = [\"pbx\"]", &[], vec!["media.siprec.peers", "pbx"]),
            ("[media.siprec]\nrtp_ports = [9, 8]", &[], vec!["media.siprec.rtp_ports"]),
            (
                "[redaction]\nmask = [\"card\", \"cards\"]",
                &[],
                vec!["redaction.mask", "cards is none of"],
            ),
            (
                "[redaction]\nvault_key = \"vault-public-1:AAAA\"",
                &[],
                vec!["redaction.vault_key", "backchannel vault new"],
            ),
            ("[redaction]\nmask = [\"iban\"]", &[], vec!["redaction.mask", "card has to be in it"]),
            ("[media.audiosocket]\nlisten = \"9092\"", &[], vec!["line 2", "socket address"]),
        ] {
            let error = load(text, vars).expect_err("it is wrong");
            for word in expected {
                assert!(error.contains(word), "{error:?} should name {word}");
            }
        }
    }
}
