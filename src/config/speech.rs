use super::Speech;
use crate::models::{ENGLISH, Manifest, is_language};

/// More recognisers than this for each core only cost memory.
const WORKERS_PER_CORE_MAX: usize = 4;

/// `auto` or a language in the form in which models know it.
///
/// # Errors
/// What it must be, to be read after its name.
pub fn language_of(text: &str) -> Result<String, String> {
    let language = text.trim().to_lowercase();
    match language == "auto" || is_language(&language) {
        true => Ok(language),
        false => Err(format!("must be auto or a code such as en, not {language}")),
    }
}

impl Speech {
    /// What can't work, one sentence each.
    pub fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let workers_max = WORKERS_PER_CORE_MAX * cores;
        if self.workers > workers_max {
            mistakes.push(format!(
                "workers must be at most {workers_max}, {WORKERS_PER_CORE_MAX} for each core, not {}",
                self.workers
            ));
        }
        let (name, language) = (&self.finals_model, self.language.as_str());
        let english_only =
            Manifest::built_in().model(name).is_ok_and(|model| model.languages == [ENGLISH]);
        if english_only && !matches!(language, "auto" | ENGLISH) {
            mistakes.push(format!("{name} knows English only, not the language {language}"));
        }
        mistakes
    }
}
