//! Who writes about the conversations of a batch: a model for what one is set for, and nobody else's
//! words for the rest.

use std::fmt::Write as _;
use std::sync::Arc;

use async_trait::async_trait;

use crate::batch::{Caps, Extractive, NotSummarized, SoFar, Summarizer, Used, WritingOrder};
use crate::config::{Generation, ProviderKind};
use crate::domain::{Occasion, TenantId, WrapUp};
use crate::flow::author::{Author, Commission, task_of};
use crate::flow::wrapup::{Circumstances, WrapUpSettings};
use crate::models::writing::{JobLimits, Spent};
use crate::models::{Material, WritingError, WritingTask};

/// What of a batch may be written by a model.
const TASKS: [WritingTask; 5] = [
    WritingTask::Summary,
    WritingTask::FollowUps,
    WritingTask::Disposition,
    WritingTask::Email,
    WritingTask::Article,
];

/// Whoever the settings name.
pub fn batch_writer(
    author: &Author,
    generation: &Generation,
    settings: &Arc<WrapUpSettings>,
    tenant: TenantId,
) -> Arc<dyn Summarizer> {
    let plain = Extractive::new((**settings).clone());
    let is_plain =
        |name: &&String| generation.kind(name.as_str()) == Some(ProviderKind::Extractive);
    // Nobody after `extractive` is ever asked.
    let asked = |task| generation.chain(task).iter().take_while(|name| !is_plain(name));
    let Some(first) = TASKS.into_iter().flat_map(asked).next() else { return Arc::new(plain) };
    let concurrency = generation.providers.get(first).map_or(1, |provider| match provider.kind {
        // It computes one text after the other.
        ProviderKind::Embedded => 1,
        _ => provider.concurrency,
    });
    Arc::new(ByModel {
        identity: identity(author, generation, &tenant, &plain.identity()),
        author: author.clone(),
        settings: Arc::clone(settings),
        tenant,
        concurrency,
        stepped_in_for: TASKS
            .into_iter()
            .filter(|task| generation.chain(*task).iter().any(|name| is_plain(&name)))
            .collect(),
    })
}

/// The providers' names, and all of them that decides what they write.
fn identity(author: &Author, generation: &Generation, tenant: &TenantId, plain: &str) -> String {
    let mut chains: Vec<String> = Vec::new();
    for chain in TASKS.map(|task| generation.chain(task).join("+")) {
        if !chains.contains(&chain) {
            chains.push(chain);
        }
    }
    let mut identity = chains.join(",");
    let mut add = |what: &str| {
        // Into a string, which always has room.
        let _ = write!(identity, " {what}");
    };
    for task in TASKS {
        let prompts = author
            .prompts()
            .list()
            .filter(|(of, prompt)| prompt.task() == task && of.is_none_or(|of| of == tenant));
        for (of, prompt) in prompts {
            let by = prompt.reference();
            add(&format!("{} v{} {} {}", by.id, by.version, by.sha256, of.is_some()));
        }
        for name in generation.chain(task) {
            let Some(provider) = generation.providers.get(name) else { continue };
            let model = provider.models.get(task.as_str()).unwrap_or(&provider.model);
            add(&format!(
                "{name} {:?} {:?} {:?} {model} {:?} {:?} {} {}",
                provider.kind,
                provider.url,
                provider.api_version,
                provider.file,
                provider.structured,
                provider.sampling,
                provider.context_tokens,
            ));
        }
    }
    add(plain);
    identity
}

struct ByModel {
    identity: String,
    author: Author,
    settings: Arc<WrapUpSettings>,
    tenant: TenantId,
    concurrency: usize,
    /// What `extractive` writes when no model does.
    stepped_in_for: Vec<WritingTask>,
}

#[async_trait]
impl Summarizer for ByModel {
    fn identity(&self) -> String {
        self.identity.clone()
    }

    fn usual_concurrency(&self) -> usize {
        self.concurrency
    }

    fn begin(&self, order: &WritingOrder, caps: Caps, used: Used) {
        let limits = JobLimits { tokens: caps.tokens, micros: caps.cost_micros };
        let spent = Spent { tokens: used.tokens, micros: used.cost_micros };
        self.author.ledger().open_job(&self.tenant, &order.job, limits, spent);
    }

    fn end(&self, order: &WritingOrder) {
        self.author.ledger().close_job(&self.tenant, &order.job);
    }

    async fn write(
        &self,
        material: &Arc<Material>,
        circumstances: &Circumstances,
        order: &WritingOrder,
        so_far: &mut SoFar,
    ) -> Result<Vec<WrapUp>, NotSummarized> {
        let circumstances = Arc::new(circumstances.clone());
        let mut refusal = None;
        for (place, draft) in order.drafts.iter().enumerate() {
            if so_far.drafts.contains_key(&place) {
                continue;
            }
            let commission = Commission {
                tenant: self.tenant.clone(),
                job: Some(Arc::clone(&order.job)),
                material: Arc::clone(material),
                circumstances: Arc::clone(&circumstances),
                draft: draft.clone(),
                occasion: Occasion::End,
                stem: draft.stem_at_end().into(),
                settings: Arc::clone(&self.settings),
                seed: Some(order.seed),
                meter: Some(Arc::clone(&so_far.meter)),
            };
            let drafted = self.author.write(&commission).await;
            // Somebody cheaper wrote instead. Who gave a budget wants to be asked.
            if let Some(whose) = so_far.meter.take_refused() {
                return Err(WritingError::Budget { whose }.into());
            }
            let drafted = match drafted {
                Ok(drafted) => drafted,
                Err(why) => {
                    refusal = refusal.or(Some(why));
                    continue;
                }
            };
            // Whoever wants `extractive` to step in names it in the chain; a batch can wait.
            let may_step_in = self.stepped_in_for.contains(&task_of(draft));
            if let Some(failure) = drafted.failure.filter(|_| !may_step_in) {
                return Err(failure.into());
            }
            so_far.drafts.insert(place, drafted.drafts);
        }
        let wrap_ups: Vec<WrapUp> = so_far.drafts.values().flatten().cloned().collect();
        match refusal {
            Some(why) if wrap_ups.is_empty() => Err(why.into()),
            _ => Ok(wrap_ups),
        }
    }
}
