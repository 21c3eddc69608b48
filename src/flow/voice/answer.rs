//! The answer to the agent's own question, sentence by sentence as each is proven.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::pieces::Scanner;
use super::{Voice, authorship, count_struck, language, on_a_thread, proven, readable, request};
use crate::domain::{
    Authorship, Citation, ProvenSentence, Redacted, Spoken, StruckSentence, TenantId, Turn,
};
use crate::grounding::{Claim, Ground, Verifier};
use crate::insight::redaction;
use crate::models::{Material, Piece, WritingTask};
use crate::prompts::Inputs;

/// Sentences that may wait for their check. More aren't shown early; the whole answer has them.
const SENTENCES_WAITING: usize = 32;
/// A longer question back is none.
const ASK_BACK_CHARS: usize = 200;

/// A question of the agent's, and what there is to answer it from.
#[derive(Clone, Debug)]
pub struct QuestionOrder {
    pub tenant: TenantId,
    pub question: Redacted,
    /// Of the call, oldest first.
    pub turns: Vec<Turn>,
    /// Whole, the nearest first.
    pub passages: Vec<Citation>,
}

/// What happens while an answer is being written.
#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    Sentence(&'a ProvenSentence),
    /// All sentences before are void: somebody else begins anew, or nobody.
    Restart,
}

/// Gets each step as it happens.
pub type OnStep<'a> = &'a mut (dyn FnMut(Step<'_>) + Send);

/// What came of asking a model.
#[derive(Clone, Debug, PartialEq)]
pub enum Answered {
    Spoken(Spoken),
    AskBack {
        question: String,
        authorship: Authorship,
    },
    /// It has written nothing that stands.
    Nothing {
        struck: Vec<StruckSentence>,
    },
    /// Nobody wrote, or nobody in time.
    NotWritten,
}

enum Heard {
    Claim(Claim),
    Restart,
}

impl Voice {
    /// Has a model answer. Sentences are told as soon as they are proven; what is returned holds all
    /// of them. Dropping the future stops the provider.
    pub async fn answer(&self, order: QuestionOrder, on_step: OnStep<'_>) -> Answered {
        let Some(patience) = self.patience.answer else { return Answered::NotWritten };
        let prompts = Arc::clone(&self.prompts);
        let (rendered, ground, tenant) = on_a_thread(move || {
            let inputs = Inputs::new()
                .turns(&order.turns)
                .passages(&order.passages)
                .untrusted("question", order.question.as_str())
                .text("language", language(&order.turns));
            let rendered = prompts.render(&order.tenant, WritingTask::Answer, &inputs);
            let material = Material { turns: apart(order.turns), passages: order.passages };
            (rendered, Arc::new(Ground::of(&material).strictly()), order.tenant)
        })
        .await;
        let Some((request, prompt)) = request(rendered, &tenant, patience) else {
            return Answered::NotWritten;
        };

        let (tell, told) = mpsc::channel(SENTENCES_WAITING);
        let writing = async move {
            let mut scanner = Scanner::default();
            let mut on_text = move |piece: Piece<'_>| match piece {
                Piece::Text(text) => {
                    for claim in scanner.push(text) {
                        let _ = tell.try_send(Heard::Claim(claim));
                    }
                }
                Piece::Restart => {
                    scanner = Scanner::default();
                    let _ = tell.try_send(Heard::Restart);
                }
            };
            self.write(&request, &mut on_text).await
        };
        let (written, shown) = tokio::join!(writing, show(told, Arc::clone(&ground), on_step));

        let Some(written) = written else {
            if shown > 0 {
                on_step(Step::Restart);
            }
            return Answered::NotWritten;
        };
        on_a_thread(move || {
            let Some((claims, ask_back)) = readable(&written.text) else {
                return Answered::NotWritten;
            };
            let (sentences, struck) = proven(&claims, &ground);
            count_struck(&struck);
            let authorship = authorship(&written, prompt);
            if !sentences.is_empty() {
                return Answered::Spoken(Spoken { sentences, struck, authorship });
            }
            match question_back(&ask_back, &ground) {
                Some(question) if claims.is_empty() => Answered::AskBack { question, authorship },
                _ => Answered::Nothing { struck },
            }
        })
        .await
    }
}

/// The verifier lets turns around a cited one count as cited. A passage is no neighbour of the last
/// turn: what a customer just said must not pass for what an article says. So silence stands between.
fn apart(mut turns: Vec<Turn>) -> Vec<Turn> {
    const SILENCE: usize = 3;
    if let Some(last) = turns.last().cloned() {
        let silent = |number| Turn {
            id: format!("\u{0}{number}").into(),
            text: Redacted::default(),
            display_text: None,
            words: Vec::new(),
            ..last.clone()
        };
        turns.extend((0..SILENCE).map(silent));
    }
    turns
}

/// Checks sentences as they come and shows what stands; returns how many are shown.
async fn show(mut told: mpsc::Receiver<Heard>, ground: Arc<Ground>, on_step: OnStep<'_>) -> usize {
    let (mut claims, mut shown) = (Vec::new(), 0);
    while let Some(heard) = told.recv().await {
        match heard {
            Heard::Restart => {
                claims.clear();
                if std::mem::take(&mut shown) > 0 {
                    on_step(Step::Restart);
                }
            }
            Heard::Claim(claim) => {
                claims.push(claim);
                // A sentence may lean on those before it, so they are read together.
                let (these, ground) = (claims.clone(), Arc::clone(&ground));
                let (sentences, _) = on_a_thread(move || proven(&these, &ground)).await;
                for sentence in sentences.iter().skip(shown) {
                    on_step(Step::Sentence(sentence));
                }
                shown = shown.max(sentences.len());
            }
        }
    }
    shown
}

/// One question, which tells nothing by the way.
fn question_back(text: &str, ground: &Ground) -> Option<String> {
    let fits = text.chars().count() <= ASK_BACK_CHARS;
    let text = fits.then(|| redaction::published(text))?;
    Verifier.asks(&text, ground).then(|| text.as_str().to_owned())
}
