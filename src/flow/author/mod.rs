//! Drafts by a language model: prompt, provider, proof.
//!
//! The stages of `wrapup` write without a model; here somebody may write better. Whoever is first in
//! the chain gets the prompt of the task, what comes back is cut into sentences with their citations,
//! and each is checked against the conversation (`grounding`). What isn't supported is struck and
//! kept as struck. Where nobody writes in time, or nothing of it stands, the draft without a model is
//! the draft: so a provider can make a text better and never missing.

mod assemble;
mod extractive;
mod form;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::wrapup::{
    Circumstances, Draft, EXTRACTIVE, Finder, Reading, Refusal, SectionRule, WrapUpSettings,
};
use crate::domain::{Authorship, Occasion, StruckSentence, TenantId, WrapUp, WrapUpId};
use crate::models::writing::{Ledger, Writers};
use crate::models::{Material, Meter, Piece, WritingError, WritingTask, Written};
use crate::prompts::{Choice, Inputs, Prompts, Rendered};

pub use self::extractive::Extractive;

/// One draft to be written.
#[derive(Clone, Debug)]
pub struct Commission {
    pub tenant: TenantId,
    /// The batch job that pays for it, if one does.
    pub job: Option<Arc<str>>,
    pub material: Arc<Material>,
    pub circumstances: Arc<Circumstances>,
    pub draft: Draft,
    pub occasion: Occasion,
    /// What the draft's identifier begins with.
    pub stem: WrapUpId,
    pub settings: Arc<WrapUpSettings>,
    pub seed: Option<u64>,
    /// Counts what it takes, also in vain.
    pub meter: Option<Arc<Meter>>,
}

/// What was written, and at what price.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drafted {
    pub drafts: Vec<WrapUp>,
    pub prompt_tokens: u64,
    pub written_tokens: u64,
    /// Why no model wrote it, where only models were to: the drafts are `extractive`'s nevertheless,
    /// for whoever can't wait.
    pub failure: Option<WritingError>,
}

/// Writes drafts with whoever the settings name. Cheap to clone.
#[derive(Clone)]
pub struct Author {
    prompts: Arc<Prompts>,
    writers: Arc<Writers>,
    /// The tasks for which somebody other than `extractive` is asked.
    tasks: Arc<BTreeSet<WritingTask>>,
}

impl std::fmt::Debug for Author {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Author").field("tasks", &self.tasks).finish_non_exhaustive()
    }
}

impl Author {
    pub fn new(prompts: Arc<Prompts>, writers: Arc<Writers>, tasks: BTreeSet<WritingTask>) -> Self {
        Self { prompts, writers, tasks: Arc::new(tasks) }
    }

    /// Whether a model is asked for this draft.
    pub fn has_model_for(&self, draft: &Draft) -> bool {
        task_of(draft).is_some_and(|task| self.tasks.contains(&task))
    }

    /// Who has used how much.
    pub fn ledger(&self) -> &Arc<Ledger> {
        self.writers.ledger()
    }

    /// The prompts in use.
    pub fn prompts(&self) -> &Prompts {
        &self.prompts
    }

    /// Writes a draft; several for follow-ups. Dropping the future stops the provider.
    ///
    /// # Errors
    /// The conversation holds nothing for it. A provider's failure stands in [`Drafted::failure`].
    pub async fn write(&self, commission: &Commission) -> Result<Drafted, Refusal> {
        let base = {
            let commission = commission.clone();
            on_a_thread(move || commission.without_model()).await?
        };
        let Some(task) = task_of(&commission.draft).filter(|task| self.tasks.contains(task)) else {
            return Ok(Drafted { drafts: base, ..Drafted::default() });
        };
        let (written, authorship) = match self.ask(task, commission).await {
            Ok(Some(all)) => all,
            Ok(None) => return Ok(Drafted { drafts: base, ..Drafted::default() }),
            Err(error) => {
                return Ok(Drafted { drafts: base, failure: Some(error), ..Drafted::default() });
            }
        };
        let (prompt_tokens, written_tokens) = (written.tokens.prompt, written.tokens.written);
        let commission = commission.clone();
        let drafts =
            on_a_thread(move || Ok(assemble::draft(&commission, &base, &written.text, authorship)))
                .await?;
        Ok(Drafted { drafts, prompt_tokens, written_tokens, failure: None })
    }

    /// A model's text; `None` when there is none or `extractive` came to write it.
    async fn ask(
        &self,
        task: WritingTask,
        order: &Commission,
    ) -> Result<Option<(Written, Authorship)>, WritingError> {
        let rendered = match self.render(task, order) {
            Ok(rendered) => rendered,
            Err(error) => {
                tracing::error!(task = task.as_str(), %error, "a prompt can't be rendered");
                return Ok(None);
            }
        };
        let prompt = rendered.prompt.clone();
        let mut request = rendered.request(order.tenant.clone(), Arc::clone(&order.material));
        request.job = order.job.clone();
        request.seed = order.seed;
        request.meter = order.meter.clone();
        match self.writers.of(task).write(&request, &mut |_: Piece<'_>| {}).await {
            Ok(written) if written.provider == EXTRACTIVE => Ok(None),
            Ok(written) => {
                let authorship = Authorship {
                    provider: written.provider.clone(),
                    model: written.model.clone(),
                    prompt: Some(prompt),
                    seed: order.seed,
                };
                Ok(Some((written, authorship)))
            }
            Err(error) => {
                tracing::warn!(task = task.as_str(), %error, "no provider wrote it");
                Err(error)
            }
        }
    }

    fn render(
        &self,
        task: WritingTask,
        order: &Commission,
    ) -> Result<Rendered, crate::prompts::PromptError> {
        let material = &order.material;
        let mut inputs = Inputs::new().turns(&material.turns);
        let language = order.language();
        inputs = inputs.text("language", language);
        inputs = match &order.draft {
            Draft::Email(email) => {
                let mut inputs = inputs
                    .text("purpose", email.purpose.as_str())
                    .text("length", email.length.as_str())
                    .text("tone", email.tone.as_str());
                if let crate::domain::EmailPurpose::Custom(wish) = &email.purpose {
                    inputs = inputs.untrusted("wish", wish.as_str());
                }
                match material.passages.is_empty() {
                    true => inputs,
                    false => inputs.passages(&material.passages),
                }
            }
            _ => {
                let sections: Vec<Choice> = order.settings.sections.iter().map(choice).collect();
                inputs.choices("sections", sections)
            }
        };
        self.prompts.render(&order.tenant, task, &inputs)
    }
}

impl Commission {
    fn without_model(&self) -> Result<Vec<WrapUp>, Refusal> {
        let reading = Reading::of(&self.material, &self.circumstances)?;
        reading.draft(&self.draft, self.occasion, &self.stem, &self.settings)
    }

    /// Of the draft, as ISO 639-1.
    fn language(&self) -> &'static str {
        let of_customer = || {
            Reading::of(&self.material, &self.circumstances)
                .map_or("en", |reading| reading.language().code())
        };
        match &self.draft {
            Draft::Email(order) => order.language.map_or_else(of_customer, |one| one.code()),
            _ => of_customer(),
        }
    }
}

/// What a model is asked to write. Dates, dispositions and articles to be are found, not worded.
const fn task_of(draft: &Draft) -> Option<WritingTask> {
    match draft {
        Draft::Summary => Some(WritingTask::Summary),
        Draft::HandOver => Some(WritingTask::HandOver),
        Draft::Email(_) => Some(WritingTask::Email),
        Draft::Article | Draft::FollowUps | Draft::Disposition => None,
    }
}

/// A section as a prompt explains it.
fn choice(rule: &SectionRule) -> Choice {
    let about = match &rule.finder {
        Finder::Issue => "what the customer wants or what is wrong".to_owned(),
        Finder::RootCause => "why it happened, if somebody said so".to_owned(),
        Finder::StepsTried => "what was tried, and what came of it".to_owned(),
        Finder::Outcome => "how it ended".to_owned(),
        Finder::Promises => "who promised what, until when".to_owned(),
        Finder::NextSteps => "what is to be done now, and by whom".to_owned(),
        Finder::ErrorCodes => "codes and messages that were read out".to_owned(),
        Finder::Phrases(phrases) => format!("what was said about: {}", phrases.join(", ")),
    };
    Choice::new(rule.key.clone(), about)
}

/// Reading and checking take milliseconds; eight hours of turns take most of a second.
async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// What was struck of a text of which nothing was left.
fn with_struck(mut drafts: Vec<WrapUp>, struck: Vec<StruckSentence>) -> Vec<WrapUp> {
    if let Some(first) = drafts.first_mut() {
        first.struck = struck;
    }
    drafts
}
