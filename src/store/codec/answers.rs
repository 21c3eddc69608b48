//! Voices of cards, suggested questions, and answers to the agent's own → the JSON that is stored.

use super::wrapup::{authorship, sentences, struck};
use super::{citation, finite, wire};
use std::sync::Arc;

use crate::domain::{
    Abstained, Answer, CardVoice, EventId, ProvenSentence, QuestionAnswer, QuestionId, Recorded,
    Redacted, Reply, StruckText, SuggestedQuestion, TurnQuestion, Unanswered,
};
use crate::store::StoreError;

const ASKS_BACK: &str = "asks_back";
const ABANDONED: &str = "abandoned";
const NOTHING_PROVEN: &str = "nothing_proven";

/// The question that still waits to be answered after this event: one that asks back opens its own,
/// one that was abandoned leaves `open` as it was.
pub fn decode_asked_back(
    event: &Recorded,
    open: Option<(QuestionId, Redacted)>,
) -> Result<Option<(QuestionId, Redacted)>, StoreError> {
    if &*event.kind != super::QUESTION_ANSWERED {
        return Ok(open);
    }
    let wire: wire::QuestionAnswered = super::data(event)?;
    Ok(match wire.state.as_str() {
        ASKS_BACK => Some((wire.question_id.into(), Redacted::vouched(wire.question))),
        ABANDONED => open,
        _ => None,
    })
}

/// Of two answers to a question only the first counts: they have one identifier.
pub fn answer_event_id(question: &QuestionId) -> EventId {
    format!("answer-{question}").into()
}

/// The questions of a conversation that got no answer, from all of its events about questions.
///
/// # Errors
/// An event can't be read.
pub fn unanswered(events: &[Arc<Recorded>]) -> Result<Vec<(QuestionId, Redacted)>, StoreError> {
    let mut open: Vec<(QuestionId, Redacted)> = Vec::new();
    for event in events {
        match &*event.kind {
            super::QUESTION_ASKED => {
                let asked: wire::QuestionAsked = super::data(event)?;
                open.push((asked.question_id.into(), Redacted::vouched(asked.question)));
            }
            super::QUESTION_ANSWERED => {
                let answered: wire::QuestionAnswered = super::data(event)?;
                open.retain(|(id, _)| *id.as_str() != *answered.question_id);
            }
            _ => {}
        }
    }
    Ok(open)
}

pub(super) fn voiced(voice: &CardVoice) -> wire::SuggestionVoiced {
    let spoken = &voice.spoken;
    wire::SuggestionVoiced {
        card_id: voice.card_id.to_string(),
        text: spoken.text(),
        sentences: sentences(&spoken.sentences),
        authorship: authorship(&spoken.authorship),
        struck: struck(&spoken.struck),
        latency_ms: voice.latency_ms,
    }
}

pub(super) fn writing_struck(gone: &StruckText) -> wire::WritingStruck {
    wire::WritingStruck {
        task: gone.task.clone(),
        about: gone.about.clone(),
        authorship: authorship(&gone.authorship),
        struck: struck(&gone.struck),
    }
}

pub(super) fn turn_question(asked: &TurnQuestion) -> wire::TurnQuestion {
    wire::TurnQuestion {
        turn_id: asked.turn.to_string(),
        text: asked.text.as_str().into(),
        context: asked.context.as_ref().map(|text| text.as_str().into()),
    }
}

pub(super) fn abstained(abstained: &Abstained) -> wire::SuggestionAbstained {
    let wire::TurnQuestion { turn_id, text, context } = turn_question(&abstained.question);
    let nearest = abstained.nearest.as_ref();
    let why = if nearest.is_some() { "unsure" } else { "nothing_found" };
    wire::SuggestionAbstained {
        turn_id,
        question: text,
        context,
        why: why.into(),
        score: nearest.map(|nearest| finite(nearest.score)),
        nearest: nearest.map(|nearest| wire::Nearest {
            article_id: nearest.article_id.to_string(),
            title: nearest.title.clone(),
            heading: nearest.heading.clone(),
        }),
    }
}

pub(super) fn suggested(questions: &[SuggestedQuestion]) -> wire::QuestionsSuggested {
    let questions = questions.iter().map(|one| wire::SuggestedQuestion {
        question: one.question.clone(),
        article_id: one.article_id.to_string(),
        passage_id: one.passage_id.to_string(),
    });
    wire::QuestionsSuggested { questions: questions.collect() }
}

/// A sentence of an answer that is still being written.
pub fn sentence(proven: &ProvenSentence) -> wire::Sentence {
    super::wrapup::sentence(proven)
}

pub fn question_answered(answered: &QuestionAnswer) -> wire::QuestionAnswered {
    let nearest = answered.nearest.iter().map(|(id, title, heading)| wire::Nearest {
        article_id: id.to_string(),
        title: title.clone(),
        heading: heading.clone(),
    });
    let mut wire = wire::QuestionAnswered {
        question_id: answered.question_id.to_string(),
        question: answered.question.as_str().into(),
        state: "answered".into(),
        answer: None,
        sentences: Vec::new(),
        ask_back: None,
        refusal: None,
        authorship: None,
        struck: struck(&answered.struck),
        nearest: nearest.collect(),
        latency_ms: answered.latency_ms,
    };
    match &answered.reply {
        Reply::Answer(quoted) => wire.answer = Some(answer(quoted)),
        Reply::Written(whole, spoken) => {
            wire.answer = Some(answer(whole));
            wire.sentences = sentences(&spoken.sentences);
            wire.struck = struck(&spoken.struck);
            wire.authorship = Some(authorship(&spoken.authorship));
        }
        Reply::AskBack { question, authorship: who } => {
            wire.state = ASKS_BACK.into();
            wire.ask_back = Some(question.clone());
            wire.authorship = who.as_ref().map(authorship);
        }
        Reply::None { why } => {
            wire.state = "abstained".into();
            wire.refusal = match why {
                Unanswered::NothingFound => None,
                Unanswered::NothingProven => Some(NOTHING_PROVEN.into()),
            };
        }
        Reply::Abandoned => wire.state = ABANDONED.into(),
    }
    wire
}

fn answer(answer: &Answer) -> wire::Answer {
    wire::Answer {
        title: answer.title.clone(),
        heading: answer.heading.clone(),
        text: answer.text.clone(),
        citations: answer.citations.iter().map(citation).collect(),
        score: finite(answer.score),
        why: answer.why.clone(),
        generator: answer.generator.as_str().into(),
        verbatim: answer.is_verbatim,
    }
}
