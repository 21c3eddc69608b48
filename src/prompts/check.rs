//! `backchannel check`: are the prompts right, unchanged since they were published, and do their
//! cases still render?

use std::collections::BTreeMap;
use std::path::Path;

use super::cases;
use super::error::PromptError;
use super::prompt::sha256;
use super::set::{self, Files};
use crate::models::WritingTask;

const LOCK: &str = "lock.toml";

/// What was looked at, and what is wrong with it.
#[derive(Debug, Default)]
pub struct Report {
    pub prompts: usize,
    pub cases: usize,
    pub wrong: Vec<PromptError>,
}

/// The built-in prompts, or those of a folder of the same form.
///
/// # Errors
/// The folder can't be read.
pub fn check(folder: Option<&Path>) -> Result<Report, PromptError> {
    let (files, name) = match folder {
        Some(folder) => (set::read(folder)?, folder.display().to_string()),
        None => (set::built_in(), "prompts".to_owned()),
    };
    let mut report = Report::default();
    locked(&files, &name, &mut report.wrong);
    let prompts = match set::parse_all(&files, &name) {
        Ok(prompts) => prompts,
        Err(error) => {
            report.wrong.push(error);
            return Ok(report);
        }
    };
    report.prompts = prompts.len();
    for task in WritingTask::ALL {
        let Some(((_, version), newest)) =
            prompts.iter().filter(|((id, _), _)| id == task.as_str()).next_back()
        else {
            report.wrong.push(PromptError::Unknown { id: task.as_str().to_owned() });
            continue;
        };
        let of_prompt = format!("{}/cases/", task.as_str());
        let cases: Vec<_> = files
            .iter()
            .filter(|(path, _)| path.starts_with(&of_prompt) && path.ends_with(".toml"))
            .collect();
        if cases.is_empty() {
            let problem = format!("version {version} has no cases/*.toml");
            report.wrong.push(PromptError::at(&newest.file, 1, problem));
        }
        for (path, text) in cases {
            report.cases += 1;
            report.wrong.extend(cases::run(newest, &format!("{name}/{path}"), text).err());
        }
    }
    Ok(report)
}

/// A published version never changes: what it wrote is stored under its number.
fn locked(files: &Files, name: &str, wrong: &mut Vec<PromptError>) {
    let Some(text) = files.get(LOCK) else {
        return wrong.push(PromptError::Lock { problem: "is missing".to_owned() });
    };
    let lock: BTreeMap<String, BTreeMap<String, String>> = match toml::from_str(text) {
        Ok(lock) => lock,
        Err(error) => {
            let problem = error.message().replace('\n', " ");
            return wrong.push(PromptError::Lock { problem });
        }
    };
    for (path, text) in files {
        let Some((id, version)) = set::version_file(path) else { continue };
        let found = sha256(text);
        let published = lock.get(&id).and_then(|versions| versions.get(&format!("v{version}")));
        let problem = match published {
            Some(published) if *published == found => continue,
            Some(_) => format!(
                "{name}/{path} was changed after it was published: put it back, and write v{}.md",
                version + 1
            ),
            None => format!("{name}/{path} is not in it: add v{version} = \"{found}\" to [{id}]"),
        };
        wrong.push(PromptError::Lock { problem });
    }
    for (id, versions) in &lock {
        for version in versions.keys() {
            if !files.contains_key(&format!("{id}/{version}.md")) {
                let problem = format!("{name}/{id}/{version}.md was published and is gone");
                wrong.push(PromptError::Lock { problem });
            }
        }
    }
}
