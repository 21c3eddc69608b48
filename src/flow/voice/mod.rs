//! What is said on the line by a language model: how a card's answer can be spoken, and the answer to
//! the agent's own question.
//!
//! The passages are found without a model; here somebody may put them into words. Each sentence is
//! checked against its passages and turns (`grounding`), and nothing is shown before that. Where no
//! model writes in time, or nothing of it stands, the quotation is the answer. Passages of articles
//! whose words may not be changed never come here.

mod answer;
mod pieces;

use std::sync::Arc;
use std::time::Duration;

use crate::domain::{
    Authorship, Citation, Fault, PromptRef, Proof, ProvenSentence, Redacted, Role, Spoken,
    StruckSentence, TenantId, Turn, Wording,
};
use crate::grounding::{Claim, Ground, Refusal, Verifier};
use crate::models::writing::Writers;
use crate::models::{Material, OnText, Piece, WritingRequest, WritingTask, Written};
use crate::prompts::{Inputs, PromptError, Prompts, Rendered};

pub use answer::{Answered, OnStep, QuestionOrder, Step};

/// More can't be said while somebody waits.
const CARD_SENTENCES: usize = 2;

/// A card that is to be put into spoken words.
#[derive(Clone, Debug)]
pub struct CardOrder {
    pub tenant: TenantId,
    /// What was said last, oldest first: it shows what is being asked.
    pub turns: Vec<Turn>,
    /// What the card rests on, and all that may be said.
    pub passages: Vec<Citation>,
}

/// What came of asking a model to say a card's answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Voiced {
    Spoken(Spoken),
    /// It has written nothing that stands.
    Nothing {
        struck: Vec<StruckSentence>,
        authorship: Authorship,
    },
}

/// Who is asked, and how long each may take; `None` where nobody is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Patience {
    pub card: Option<Duration>,
    pub answer: Option<Duration>,
}

/// Puts passages into words with whoever the settings name. Cheap to clone.
#[derive(Clone)]
pub struct Voice {
    prompts: Arc<Prompts>,
    writers: Arc<Writers>,
    patience: Patience,
}

impl std::fmt::Debug for Voice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Voice").field("patience", &self.patience).finish_non_exhaustive()
    }
}

impl Voice {
    pub fn new(prompts: Arc<Prompts>, writers: Arc<Writers>, patience: Patience) -> Self {
        Self { prompts, writers, patience }
    }

    /// Whether a model is asked for cards.
    pub fn speaks(&self) -> bool {
        self.patience.card.is_some()
    }

    /// Whether a model is asked for the agent's own questions.
    pub fn answers(&self) -> bool {
        self.patience.answer.is_some()
    }

    /// One or two sentences that can be said to the customer; `None` where there is no model, it
    /// comes too late or says nothing. Dropping the future stops the provider.
    pub async fn speak(&self, order: CardOrder) -> Option<Voiced> {
        let patience = self.patience.card?;
        let (written, prompt, order) = {
            let prompts = Arc::clone(&self.prompts);
            let rendering = on_a_thread(move || {
                let inputs = Inputs::new()
                    .turns(&order.turns)
                    .passages(&order.passages)
                    .text("language", language(&order.turns));
                (prompts.render(&order.tenant, WritingTask::Card, &inputs), order)
            });
            let (rendered, order) = rendering.await;
            let (request, prompt) = request(rendered, &order.tenant, patience)?;
            (self.write(&request, &mut |_: Piece<'_>| {}).await?, prompt, order)
        };
        on_a_thread(move || {
            let (claims, _) = readable(&written.text)?;
            // What was only said in the call is no word of the company's.
            let material = Material { turns: Vec::new(), passages: order.passages };
            let (mut sentences, struck) = proven(&claims, &Ground::of(&material).strictly());
            count_struck(&struck);
            sentences.truncate(CARD_SENTENCES);
            let authorship = authorship(&written, prompt);
            match (sentences.is_empty(), struck.is_empty()) {
                (false, _) => Some(Voiced::Spoken(Spoken { sentences, struck, authorship })),
                (true, false) => Some(Voiced::Nothing { struck, authorship }),
                (true, true) => None,
            }
        })
        .await
    }

    /// A model's text; `None` when there is none in time, or it came from none.
    async fn write(&self, request: &WritingRequest, on_text: OnText<'_>) -> Option<Written> {
        let task = request.task;
        let writer = self.writers.of(task)?;
        match tokio::time::timeout(request.deadline, writer.write(request, on_text)).await {
            Ok(Ok(written)) => Some(written),
            Ok(Err(error)) => {
                tracing::warn!(task = task.as_str(), %error, "no provider wrote it");
                None
            }
            Err(_) => {
                tracing::warn!(task = task.as_str(), "no provider wrote it in time");
                None
            }
        }
    }
}

fn request(
    rendered: Result<Rendered, PromptError>,
    tenant: &TenantId,
    patience: Duration,
) -> Option<(WritingRequest, PromptRef)> {
    match rendered {
        Ok(rendered) => {
            let prompt = rendered.prompt.clone();
            let nothing = Arc::new(Material::default());
            let mut request = rendered.request(tenant.clone(), nothing);
            request.deadline = patience;
            Some((request, prompt))
        }
        Err(error) => {
            tracing::error!(%error, "a prompt can't be rendered");
            None
        }
    }
}

fn readable(text: &str) -> Option<(Vec<Claim>, String)> {
    let read = pieces::read(text);
    // Where it broke, and not what stood there: that may be somebody's words.
    read.inspect_err(|error| {
        tracing::warn!(line = error.line(), column = error.column(), "a text without its form");
    })
    .ok()
}

fn authorship(written: &Written, prompt: PromptRef) -> Authorship {
    Authorship {
        provider: written.provider.clone(),
        model: written.model.clone(),
        prompt: Some(prompt),
        seed: None,
    }
}

/// Of the call, as ISO 639-1.
fn language(turns: &[Turn]) -> &str {
    turns.last().map_or("en", |turn| turn.language.as_str())
}

/// What stands of these sentences, which are read together.
fn proven(claims: &[Claim], ground: &Ground) -> (Vec<ProvenSentence>, Vec<StruckSentence>) {
    let (sentences, mut struck) = match Verifier.verify_claims(claims, ground) {
        Ok(text) => (text.sentences, text.struck),
        Err(Refusal::NothingProven { struck }) => (Vec::new(), struck),
        Err(_) => (Vec::new(), Vec::new()),
    };
    let (sentences, claimed): (Vec<_>, Vec<_>) = sentences.into_iter().partition(binds_nobody);
    struck.extend(claimed.into_iter().map(|sentence| StruckSentence {
        text: sentence.text,
        fault: Fault::Speaker,
        why: Redacted::assembled(&[Wording::Fixed("only the customer said so")]),
    }));
    (sentences, struck)
}

fn count_struck(struck: &[StruckSentence]) {
    metrics::counter!("backchannel_written_sentences_struck_total").increment(struck.len() as u64);
}

/// Words that tell what a customer said as that.
const TOLD: [&str; 16] = [
    "customer's",
    "caller's",
    " said",
    " says",
    " asked",
    " asks",
    " told",
    " tells",
    " want",
    " mention",
    " report",
    " complain",
    " explain",
    " wrote",
    " describe",
    " gave",
];

/// What only the customer said is told as that: whoever asks for five hundred pounds has not been
/// promised them.
fn binds_nobody(sentence: &ProvenSentence) -> bool {
    let of_customer = |proof: &Proof| match proof {
        Proof::Turn(turn) => matches!(turn.role, Role::Customer | Role::Mixed),
        Proof::Passage(_) => false,
    };
    let text = sentence.text.as_str().to_lowercase();
    let names_them = text.contains("customer") || text.contains("caller");
    let is_told = names_them && TOLD.iter().any(|words| text.contains(words));
    is_told || !sentence.proofs.iter().all(of_customer)
}

/// Rendering and checking take milliseconds, which the async runtime hasn't.
async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
