//! Drafts by a language model: prompt, provider, proof.
//!
//! The stages of `wrapup` write without a model; here somebody may write better. Whoever is first in
//! the chain gets the prompt of the task, what comes back is cut into sentences with their citations,
//! and each is checked against the conversation (`grounding`). What isn't supported is struck and
//! kept as struck. Where nobody writes in time, or nothing of it stands, the draft without a model is
//! the draft: so a provider can make a text better and never missing.

mod assemble;
mod form;
mod growth;
mod lists;
mod passages;
mod promise;

use std::any::Any;
use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::task::JoinError;

use super::wrapup::{
    Circumstances, DispositionRule, Draft, EXTRACTIVE, Finder, Reading, Refusal, SectionRule,
    WrapUpSettings, authorship,
};
use crate::domain::{
    Authorship, Occasion, StruckSentence, StruckText, Summary, TenantId, WrapUp, WrapUpBody,
    WrapUpId,
};
use crate::models::writing::{Ledger, Writers};
use crate::models::{Material, Meter, Piece, WritingError, WritingTask, Written};
use crate::prompts::{Choice, Inputs, PromptError, Prompts, Rendered};

use self::assemble::Sources;
use self::growth::{Said, Shown};

pub use self::growth::OnGrowth;
pub use self::passages::{KeptPassages, ShownPassages};

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
    /// Why no model wrote it although one was asked. The drafts are those without one, for whoever
    /// can't wait.
    pub failure: Option<WritingError>,
    /// Why there is no draft even so.
    pub refusal: Option<Refusal>,
    /// What was struck of a text that left no draft to keep it with.
    pub struck: Option<StruckText>,
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
        self.tasks.contains(&task_of(draft))
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
    /// The conversation holds nothing for it. Once a model was asked, that stands in
    /// [`Drafted::refusal`], and a provider's failure in [`Drafted::failure`].
    pub async fn write(&self, commission: &Commission) -> Result<Drafted, Refusal> {
        let nobody_looks: OnGrowth = Arc::new(|_, _| {});
        self.write_aloud(commission, &nobody_looks).await
    }

    /// The same, and shows the draft while a model writes it.
    ///
    /// # Errors
    /// Those of [`Author::write`].
    pub async fn write_aloud(
        &self,
        commission: &Commission,
        on_growth: &OnGrowth,
    ) -> Result<Drafted, Refusal> {
        let asked = Some(task_of(&commission.draft)).filter(|task| self.tasks.contains(task));
        let (base, refusal, rendered) = {
            let (author, commission) = (self.clone(), commission.clone());
            let reading = on_a_thread(move || {
                let (base, first, refusal) = commission.without_model(asked.is_some())?;
                let rendered = asked.map(|task| {
                    let sources = Arc::new(Sources::of(&commission));
                    (author.render(task, &commission, &first), sources, first)
                });
                Ok((base, refusal, rendered))
            });
            match reading.await {
                Ok(read) => read?,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        };
        let why_none = refusal.clone();
        let plain = |drafts| Ok(Drafted { drafts, refusal: why_none, ..Drafted::default() });
        let (Some(task), Some((rendered, sources, first))) = (asked, rendered) else {
            return plain(base);
        };
        let rendered = match rendered {
            Ok(rendered) => rendered,
            Err(error) => {
                tracing::error!(task = task.as_str(), %error, "a prompt can't be rendered");
                return plain(base);
            }
        };
        let shown = Shown::new(first.id.clone(), Arc::clone(on_growth));
        let (said, heard) = Said::new();
        let writer = self.writers.of(task);
        let until_now = Authorship {
            provider: writer.map_or_else(String::new, |writer| writer.provider().to_owned()),
            model: None,
            prompt: Some(rendered.prompt.clone()),
            seed: commission.seed,
        };
        let watching = growth::watch(heard, commission, &first, &sources, until_now, &shown);
        let asked = tokio::select! {
            biased;
            asked = self.ask(rendered, commission, &said) => asked,
            never = watching => match never {},
        };
        let (written, authorship) = match asked {
            Ok(Some(all)) => all,
            Ok(None) => return plain(base),
            Err(error) => {
                let failure = Some(error);
                return Ok(Drafted { drafts: base, failure, refusal, ..Drafted::default() });
            }
        };
        let (prompt_tokens, written_tokens) = (written.tokens.prompt, written.tokens.written);
        let (about, commission) = (commission.stem.to_string(), commission.clone());
        let who = authorship.clone();
        let checking = checked(base, move |base| {
            assemble::draft(&commission, base, &first, &written.text, authorship, &sources)
        });
        let (drafts, struck) = checking.await;
        if drafts.iter().any(|draft| draft.authorship.provider != EXTRACTIVE) {
            shown.leave();
        }
        let struck = (!struck.is_empty()).then(|| {
            let task = task.as_str().to_owned();
            StruckText { task, about, authorship: who, struck }
        });
        let refusal = refusal.filter(|_| drafts.is_empty());
        Ok(Drafted { drafts, prompt_tokens, written_tokens, failure: None, refusal, struck })
    }

    /// A model's text; `None` when there is none.
    async fn ask(
        &self,
        rendered: Rendered,
        order: &Commission,
        said: &Said,
    ) -> Result<Option<(Written, Authorship)>, WritingError> {
        let (task, prompt) = (rendered.task, rendered.prompt.clone());
        let mut request = rendered.request(order.tenant.clone(), Arc::clone(&order.material));
        request.job = order.job.clone();
        request.seed = order.seed;
        request.meter = order.meter.clone();
        let Some(writer) = self.writers.of(task) else { return Ok(None) };
        match writer.write(&request, &mut |piece: Piece<'_>| said.take(&piece)).await {
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
        plain: &WrapUp,
    ) -> Result<Rendered, PromptError> {
        let material = &order.material;
        let mut inputs = Inputs::new().turns(&material.turns);
        inputs = inputs.text("language", plain.language.as_str());
        let with_passages = |inputs: Inputs| match material.passages.is_empty() {
            true => inputs,
            false => inputs.passages(&material.passages),
        };
        inputs = match &order.draft {
            Draft::Email(email) => {
                let mut inputs = inputs
                    .text("purpose", email.purpose.as_str())
                    .text("length", email.length.as_str())
                    .text("tone", email.tone.as_str());
                if let crate::domain::EmailPurpose::Custom(wish) = &email.purpose {
                    inputs = inputs.untrusted("wish", wish.as_str());
                }
                with_passages(inputs)
            }
            Draft::Article => {
                let question = match &plain.body {
                    WrapUpBody::Article(article) => article.question.text.as_str(),
                    _ => "",
                };
                with_passages(inputs.untrusted("question", question))
            }
            Draft::FollowUps => inputs,
            Draft::Disposition => {
                let code = |rule: &DispositionRule| {
                    let words = [std::slice::from_ref(&rule.label), &rule.phrases].concat();
                    Choice::new(rule.code.clone(), words.join(", "))
                };
                let codes = order.settings.dispositions.iter().map(code);
                inputs.choices("codes", codes.collect::<Vec<_>>())
            }
            Draft::Summary | Draft::HandOver => {
                let sections: Vec<Choice> = order.settings.sections.iter().map(choice).collect();
                inputs.choices("sections", sections)
            }
        };
        self.prompts.render(&order.tenant, task, &inputs)
    }
}

impl Commission {
    /// The drafts, and the first of them; an empty one where none was found, for a model to fill, and
    /// why none was. What an e-mail can't be quoted for, a model may find words for.
    fn without_model(
        &self,
        has_model: bool,
    ) -> Result<(Vec<WrapUp>, WrapUp, Option<Refusal>), Refusal> {
        let reading = Reading::of(&self.material, &self.circumstances)?;
        let found = reading.draft(&self.draft, self.occasion, &self.stem, &self.settings);
        let (drafts, refusal) = match found {
            Ok(drafts) => (drafts, None),
            Err(refusal @ Refusal::NothingFor { .. }) if has_model => (Vec::new(), Some(refusal)),
            Err(refusal) => return Err(refusal),
        };
        let first = drafts.first().cloned().unwrap_or_else(|| {
            let (language, body) = match &self.draft {
                Draft::Email(order) => {
                    (reading.language_of(order), WrapUpBody::Email(reading.blank_email(order)))
                }
                _ => (reading.language(), WrapUpBody::Summary(Summary::default())),
            };
            WrapUp {
                id: WrapUpId::from(format!("{}-1", self.stem)),
                occasion: self.occasion,
                authorship: authorship(),
                language: language.code().to_owned(),
                body,
                struck: Vec::new(),
            }
        });
        Ok((drafts, first, refusal))
    }
}

/// As what a draft is asked for.
pub const fn task_of(draft: &Draft) -> WritingTask {
    match draft {
        Draft::Summary => WritingTask::Summary,
        Draft::HandOver => WritingTask::HandOver,
        Draft::Email(_) => WritingTask::Email,
        Draft::Article => WritingTask::Article,
        Draft::FollowUps => WritingTask::FollowUps,
        Draft::Disposition => WritingTask::Disposition,
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
///
/// # Errors
/// The work panicked: with what.
async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Box<dyn Any + Send>> {
    match tokio::task::spawn_blocking(work).await.map_err(JoinError::try_into_panic) {
        Ok(done) => Ok(done),
        Err(Ok(panic)) => Err(panic),
        // The runtime is being taken down, and so is whoever waits for this.
        Err(Err(_)) => std::future::pending().await,
    }
}

/// What the check of a model's text makes of the plain drafts. Where the check itself breaks, they
/// are the drafts: nothing of the text was proven.
async fn checked(
    base: Vec<WrapUp>,
    check: impl FnOnce(&[WrapUp]) -> WithStruck + Send + 'static,
) -> WithStruck {
    let plain = base.clone();
    on_a_thread(move || check(&base)).await.unwrap_or_else(|_| {
        tracing::error!("the check of a model's text broke; the draft without one stands");
        (plain, Vec::new())
    })
}

/// Drafts, and what was struck where there is none of them to keep it with.
type WithStruck = (Vec<WrapUp>, Vec<StruckSentence>);

fn with_struck(mut drafts: Vec<WrapUp>, struck: Vec<StruckSentence>) -> WithStruck {
    match drafts.first_mut() {
        Some(first) => {
            first.struck = struck;
            (drafts, Vec::new())
        }
        None => (drafts, struck),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_check_that_breaks_leaves_the_plain_draft() {
        let plain = WrapUp {
            id: WrapUpId::from("w-1"),
            occasion: Occasion::End,
            authorship: authorship(),
            language: "en".to_owned(),
            body: WrapUpBody::Summary(Summary::default()),
            struck: Vec::new(),
        };
        let (drafts, struck) = checked(vec![plain.clone()], |_| panic!("a bug")).await;
        assert_eq!((drafts, struck), (vec![plain], Vec::new()));
    }
}
