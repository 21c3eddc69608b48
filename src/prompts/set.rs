use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use include_dir::{Dir, include_dir};
use serde::{Deserialize, Serialize};

use super::error::PromptError;
use super::inputs::Inputs;
use super::prompt::{Prompt, Rendered};
use crate::domain::TenantId;
use crate::models::WritingTask;

static BUILT_IN: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/prompts");

/// `[prompts]` of the settings.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct PromptSettings {
    /// A folder of tenants' own prompts: `<tenant>/<name>/v<N>.md`; the highest version is used.
    pub folder: Option<PathBuf>,
    /// An older version than the newest, by prompt: `summary = 1`.
    pub versions: BTreeMap<String, u32>,
}

/// All prompts: one for each task, and what tenants have instead.
#[derive(Debug)]
pub struct Prompts {
    by_id: BTreeMap<String, Arc<Prompt>>,
    overrides: BTreeMap<(TenantId, String), Arc<Prompt>>,
}

/// Paths below the folder, with `/`, and what is in them.
pub(super) type Files = BTreeMap<String, String>;

impl Prompts {
    /// # Errors
    /// The first prompt that is wrong, with file and line. The built-in ones are right: a test and
    /// `backchannel check` see to it.
    pub fn open(settings: &PromptSettings) -> Result<Self, PromptError> {
        let mut by_id = BTreeMap::new();
        for ((id, version), prompt) in parse_all(&built_in(), "prompts")? {
            let pinned = settings.versions.get(&id);
            if pinned.is_none_or(|pinned| *pinned == version) {
                // They come in order of their versions, so the newest stays.
                by_id.insert(id, Arc::new(prompt));
            }
        }
        if let Some(id) = settings.versions.keys().find(|id| !by_id.contains_key(*id)) {
            return Err(PromptError::Unknown { id: format!("{id} v{}", settings.versions[id]) });
        }
        let mut overrides = BTreeMap::new();
        if let Some(folder) = &settings.folder {
            let name = folder.display().to_string();
            for (path, text) in read(folder)? {
                let Some((tenant, rest)) = path.split_once('/') else { continue };
                let Some((id, version)) = version_file(rest) else { continue };
                let prompt = Prompt::parse(&format!("{name}/{path}"), &text)?;
                named_right(&prompt, &id, version)?;
                let built_in =
                    by_id.get(&id).ok_or_else(|| PromptError::Unknown { id: id.clone() })?;
                fits(&prompt, built_in)?;
                let key = (TenantId::from(tenant), id);
                let newer = |older: &Arc<Prompt>| older.front.version < version;
                if overrides.get(&key).is_none_or(newer) {
                    overrides.insert(key, Arc::new(prompt));
                }
            }
        }
        Ok(Self { by_id, overrides })
    }

    /// The tenant's own prompt for the task if it has one, else the built-in.
    ///
    /// # Errors
    /// An input is missing or unknown, or the template fails.
    pub fn render(
        &self,
        tenant: &TenantId,
        task: WritingTask,
        inputs: &Inputs,
    ) -> Result<Rendered, PromptError> {
        let id = task.as_str().to_owned();
        let built_in =
            self.by_id.get(&id).ok_or_else(|| PromptError::Unknown { id: id.clone() })?;
        let Some(own) = self.overrides.get(&(tenant.clone(), id)) else {
            return built_in.render(inputs);
        };
        let mut known = inputs.clone();
        known.0.retain(|name, _| own.front.inputs.contains_key(name));
        let mut rendered = own.render(&known)?;
        rendered.schema = built_in.schema_for(inputs)?;
        Ok(rendered)
    }

    /// Each prompt in use: tenant (none for the built-in), and which it is.
    pub fn list(&self) -> impl Iterator<Item = (Option<&TenantId>, &Prompt)> {
        let own = self.overrides.iter().map(|((tenant, _), prompt)| (Some(tenant), &**prompt));
        self.by_id.values().map(|prompt| (None, &**prompt)).chain(own)
    }
}

/// A tenant's prompt may say things differently. What comes back must stay the same, and no template
/// gets more than the program gives.
fn fits(own: &Prompt, built_in: &Prompt) -> Result<(), PromptError> {
    let wrong = |problem: String| Err(PromptError::at(&own.file, 1, problem));
    if own.front.task != built_in.front.task {
        return wrong(format!("the task must be {:?}", built_in.front.task.as_str()));
    }
    if own.has_schema() {
        return wrong("the schema is the built-in prompt's: leave out the part".to_owned());
    }
    for (name, declared) in &own.front.inputs {
        if built_in.front.inputs.get(name).map(|known| known.kind) != Some(declared.kind) {
            let known: Vec<&str> = built_in.front.inputs.keys().map(String::as_str).collect();
            return wrong(format!(
                "there is no such input `{name}` of that kind; there are {}",
                known.join(", ")
            ));
        }
    }
    Ok(())
}

pub(super) fn parse_all(
    files: &Files,
    folder: &str,
) -> Result<BTreeMap<(String, u32), Prompt>, PromptError> {
    let mut prompts = BTreeMap::new();
    for (path, text) in files {
        let Some((id, version)) = version_file(path) else { continue };
        let prompt = Prompt::parse(&format!("{folder}/{path}"), text)?;
        named_right(&prompt, &id, version)?;
        if prompt.front.task.as_str() != id {
            let problem =
                format!("the prompt of task {:?} lies elsewhere", prompt.front.task.as_str());
            return Err(PromptError::at(&prompt.file, 1, problem));
        }
        prompts.insert((id, version), prompt);
    }
    Ok(prompts)
}

fn named_right(prompt: &Prompt, id: &str, version: u32) -> Result<(), PromptError> {
    if prompt.front.id == id && prompt.front.version == version {
        return Ok(());
    }
    let problem = format!(
        "the front matter says {:?} version {}, the path says {id:?} version {version}",
        prompt.front.id, prompt.front.version
    );
    Err(PromptError::at(&prompt.file, 2, problem))
}

/// `summary/v2.md` is version 2 of `summary`.
pub(super) fn version_file(path: &str) -> Option<(String, u32)> {
    let (id, file) = path.split_once('/')?;
    let version = file.strip_prefix('v')?.strip_suffix(".md")?.parse().ok()?;
    Some((id.to_owned(), version))
}

pub(super) fn built_in() -> Files {
    fn gather(dir: &Dir<'static>, files: &mut Files) {
        for file in dir.files() {
            if let (Some(path), Some(text)) = (file.path().to_str(), file.contents_utf8()) {
                files.insert(path.replace('\\', "/"), text.to_owned());
            }
        }
        for dir in dir.dirs() {
            gather(dir, files);
        }
    }
    let mut files = Files::new();
    gather(&BUILT_IN, &mut files);
    files
}

/// Markdown and TOML below a folder, at any depth.
pub(super) fn read(folder: &Path) -> Result<Files, PromptError> {
    let mut files = Files::new();
    let mut folders = vec![folder.to_owned()];
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| PromptError::Read { path, source }
    };
    while let Some(at) = folders.pop() {
        for entry in std::fs::read_dir(&at).map_err(failed(&at))? {
            let path = entry.map_err(failed(&at))?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == "md" || found == "toml") {
                let text = std::fs::read_to_string(&path).map_err(failed(&path))?;
                let below = path.strip_prefix(folder).unwrap_or(&path);
                let parts: Vec<_> =
                    below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
                files.insert(parts.join("/"), text);
            }
        }
    }
    Ok(files)
}
