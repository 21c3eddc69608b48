//! The agent's own question.

use std::convert::Infallible;
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use utoipa::ToSchema;

use super::auth::Principal;
use super::error::Problem;
use super::extract::{Json, Path};
use super::{AskedQuestion, ServeState};
use crate::domain::{
    ConversationId, EventBody, NewEvent, QuestionAnswer, QuestionId, Reply, Unanswered,
};
use crate::flow::voice::{OnStep, Step};
use crate::store::codec;
use crate::store::wire::{QuestionAnswered, QuestionAsked};

const MAX_QUESTION_CHARS: usize = 1_000;
/// So often an answer is looked for when what it cites was taken back meanwhile.
const TRIES: u32 = 3;
/// Sentences that may wait for a reader.
const STEPS_WAITING: usize = 64;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    question: String,
    /// The `question_id` of an answer that asked back, if this answers that: both are then read as one
    /// question. Left out, a few words that are no question of their own go with the last one that was
    /// asked back.
    #[serde(default)]
    answers: Option<String>,
}

/// Answers from the knowledge base with proof, asks back, or says that nothing there answers.
///
/// With `Accept: text/event-stream` it streams `asked`, `answer` and `done`. While a model writes,
/// each `sentence` comes as soon as it is proven, and `restart` voids those before it.
#[utoipa::path(post, path = "/v1/conversations/{id}/ask", tag = "conversations",
    params(("id" = String, Path)), request_body = Ask,
    responses((status = 200, description = "the answer, a question back, or the nearest articles", content(
            (QuestionAnswered = "application/json"), (String = "text/event-stream"))),
        super::openapi::Refusals))]
pub async fn ask(
    State(state): State<ServeState>,
    principal: Principal,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(asked): Json<Ask>,
) -> Result<Response, Problem> {
    let question = asked.question.trim();
    if question.is_empty() || question.chars().count() > MAX_QUESTION_CHARS {
        let detail = format!("a question has 1 to {MAX_QUESTION_CHARS} characters");
        return Err(Problem::invalid(detail));
    }
    let asked = AskedQuestion {
        tenant: principal.tenant,
        conversation: ConversationId::from(id),
        id: QuestionId::fresh(),
        question: (state.masker)(question),
        answers: asked.answers.map(QuestionId::from),
    };
    if state.store.conversation(&asked.tenant, &asked.conversation).await?.is_none() {
        return Err(Problem::no_conversation(asked.conversation.as_str()));
    }
    let open = Open::ask(state, asked).await?;

    let streamed = headers
        .get_all(header::ACCEPT)
        .iter()
        .any(|accept| accept.to_str().is_ok_and(|accept| accept.contains("text/event-stream")));
    if streamed {
        Ok(in_steps(open))
    } else {
        Ok(axum::Json(open.answer(&mut |_: Step<'_>| {}).await?).into_response())
    }
}

/// A question that is being answered. Whoever follows the call waits for its answer: where there will
/// be none, since it failed or nobody reads it any more, the log says so.
struct Open {
    state: ServeState,
    asked: AskedQuestion,
    since: Instant,
    is_open: bool,
}

impl Open {
    async fn ask(state: ServeState, asked: AskedQuestion) -> Result<Self, Problem> {
        let mut open = Self { state, asked, since: Instant::now(), is_open: true };
        let body = EventBody::QuestionAsked {
            question_id: open.asked.id.clone(),
            question: open.asked.question.clone(),
        };
        let appended = open.append(NewEvent::at(Timestamp::now(), body)).await;
        open.is_open = appended.is_ok();
        appended.map(|()| open)
    }

    async fn answer(mut self, on_step: OnStep<'_>) -> Result<QuestionAnswered, Problem> {
        let (tenant, conversation) = (&self.asked.tenant, &self.asked.conversation);
        let mut tries = 1;
        loop {
            let mut answered = self.state.answerer.answer(self.asked.clone(), on_step).await?;
            if tries > TRIES {
                // Articles change faster than anybody can read them.
                answered.reply = Reply::None { why: Unanswered::NothingFound };
            }
            let wire = codec::question_answered(&answered);
            let events = vec![self.event(answered)];
            if self.state.desk.append_citing(tenant, conversation, events).await?.is_some() {
                self.is_open = false;
                return Ok(wire);
            }
            on_step(Step::Restart);
            tries += 1;
        }
    }

    async fn append(&self, event: NewEvent) -> Result<(), Problem> {
        let (tenant, conversation) = (&self.asked.tenant, &self.asked.conversation);
        self.state.store.append(tenant, conversation, vec![event]).await?;
        Ok(())
    }

    /// An append goes on when its future is dropped: of two answers only the first counts.
    fn event(&self, answered: QuestionAnswer) -> NewEvent {
        NewEvent {
            id: codec::answer_event_id(&self.asked.id),
            time: Timestamp::now(),
            body: EventBody::QuestionAnswered(answered),
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let Ok(runtime) = Handle::try_current() else { return };
        if !self.is_open {
            return;
        }
        let event = self.event(QuestionAnswer {
            question_id: self.asked.id.clone(),
            question: self.asked.question.clone(),
            reply: Reply::Abandoned,
            struck: Vec::new(),
            nearest: Vec::new(),
            latency_ms: self.since.elapsed().as_millis() as u64,
        });
        let (state, asked) = (self.state.clone(), self.asked.clone());
        runtime.spawn(async move {
            let events = vec![event];
            let appended = state.store.append(&asked.tenant, &asked.conversation, events).await;
            if let Err(error) = appended {
                let id = &asked.conversation;
                tracing::warn!(conversation.id = %id, %error, "a question stays open");
            }
        });
    }
}

/// The steps as they happen. A failure is a step too: the status has gone out by then. Whoever stops
/// reading stops the model, too: all of it happens while the body is read.
fn in_steps(open: Open) -> Response {
    let first = step(
        "asked",
        &QuestionAsked {
            question_id: open.asked.id.to_string(),
            question: open.asked.question.as_str().to_owned(),
        },
    );
    let (tell, told) = mpsc::channel(STEPS_WAITING);
    let last = Box::pin(async move {
        let mut on_step = |happened: Step<'_>| {
            let text = match happened {
                Step::Sentence(proven) => step("sentence", &codec::sentence(proven)),
                Step::Restart => step("restart", &serde_json::json!({})),
            };
            // The whole answer has what finds no room here.
            let _ = tell.try_send(text);
        };
        let mut text = match open.answer(&mut on_step).await {
            Ok(answered) => step("answer", &answered),
            Err(problem) => step("problem", &problem),
        };
        text.push_str("event: done\ndata: {}\n\n");
        text
    });
    let rest = stream::unfold((told, Some(last)), |(mut told, last)| async move {
        let mut working = last?;
        tokio::select! {
            biased;
            Some(text) = told.recv() => Some((text, (told, Some(working)))),
            text = &mut working => {
                let mut waiting = String::new();
                while let Ok(step) = told.try_recv() {
                    waiting.push_str(&step);
                }
                Some((waiting + &text, (told, None)))
            }
        }
    });
    let body = stream::once(std::future::ready(first))
        .chain(rest)
        .map(|text| Ok::<_, Infallible>(Bytes::from(text)));
    let kind = HeaderValue::from_static("text/event-stream");
    ([(header::CONTENT_TYPE, kind)], Body::from_stream(body)).into_response()
}

fn step(name: &str, data: &impl Serialize) -> String {
    let data = serde_json::to_string(data).expect("wire types are JSON; this is a bug");
    format!("event: {name}\ndata: {data}\n\n")
}
