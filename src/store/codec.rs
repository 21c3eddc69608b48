//! The domain's nouns ⇄ the JSON that is stored and streamed.

macro_rules! encoded {
    ($kind:literal, $data:expr) => {
        Encoded { kind: $kind, schema: concat!("backchannel/", $kind, "/1"), data: json(&$data) }
    };
}

mod answers;
mod articles;
mod audit;
mod crm;
mod effects;
mod insight;
mod routing;
mod wrapup;

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{StoreError, wire};
use crate::domain::{
    ArticleOpened, Card, Citation, EventBody, Partial, Party, Recorded, Redacted, RedactionOutcome,
    Role, Turn, TurnId, Verdict, Word,
};

pub use self::answers::{
    answer_event_id, decode_asked_back, question_answered, sentence, unanswered,
};
pub use self::articles::{ARTICLE_DRAFTED, ARTICLE_IMPORTED};
pub use self::crm::{CRM_CONTEXT, CRM_WRITE, case, context, context_of, crm_write, decode_context};
pub use self::effects::{EFFECT_SCHEMA, decode_effect, encode_effect};
pub use self::insight::{
    INSIGHT_ALERT, INSIGHT_CATEGORY, INSIGHT_INTENT, INSIGHT_SENTIMENT, decode_category,
    decode_intent, decode_sentiment,
};
pub use self::routing::{
    ROUTE_ASSIGNED, ROUTE_MOVED, ROUTE_OFFERED, ROUTE_OVERFLOWED, ROUTE_PLANNED, ROUTE_PRESENCE,
    ROUTE_QUEUED, ROUTE_RECOMMENDED, assignment, decision, decision_of, decode_assignment,
    decode_decision, decode_offered, feature, feature_of, moved, offered, offered_of, planned,
};
pub use self::wrapup::{
    ARTICLE_COMPARED, WRAPUP_ARTICLE, WRAPUP_DISPOSITION, WRAPUP_EMAIL, WRAPUP_FOLLOW_UP,
    WRAPUP_GROWING, WRAPUP_SUMMARY, WRAPUP_VERDICT, case_summary, decode_compared, decode_proposal,
    growing_data, wrapup_verdict,
};

/// Streamed only, like `WRAPUP_GROWING`.
pub const TURN_PARTIAL: &str = "turn.partial";
/// A final that the log doesn't hold yet. Streamed only; `turn.final` with the same identifier takes its place.
pub const TURN_UNSAVED: &str = "turn.unsaved";
pub const CONVERSATION_STARTED: &str = "conversation.started";
pub const CONVERSATION_ENDED: &str = "conversation.ended";
pub const TURN_FINAL: &str = "turn.final";
pub const REDACTION: &str = "insight.redaction";
pub const SUGGESTION_OFFERED: &str = "suggestion.offered";
pub const INSIGHT_SEALED: &str = "insight.sealed";
pub const SUGGESTION_VOICED: &str = "suggestion.voiced";
pub const SUGGESTION_QUESTIONS: &str = "suggestion.questions";
pub const SUGGESTION_WITHDRAWN: &str = "suggestion.withdrawn";
pub const SUGGESTION_VERDICT: &str = "suggestion.verdict";
pub const SUGGESTION_ABSTAINED: &str = "suggestion.abstained";
pub const QUESTION_ASKED: &str = "question.asked";
pub const QUESTION_ANSWERED: &str = "question.answered";
pub const ARTICLE_SEARCHED: &str = "article.searched";
pub const ARTICLE_OPENED: &str = "article.opened";
pub const WRITING_STRUCK: &str = "writing.struck";
pub const AUDIO_GAP: &str = "audio.gap";
pub const ARTICLE_PUBLISHED: &str = "article.published";

/// An event's body in the form in which it is written.
pub struct Encoded {
    pub kind: &'static str,
    /// `backchannel/<kind>/<version>`
    pub schema: &'static str,
    pub data: String,
}

/// Writes a body as JSON.
pub fn encode(body: &EventBody) -> Encoded {
    match body {
        EventBody::ConversationStarted(x) => encoded!(
            "conversation.started",
            wire::ConversationStarted {
                channel: x.channel.as_str().into(),
                direction: x.direction.as_str().into(),
                external_id: x.external_id.clone(),
                parties: x.parties.iter().map(party).collect(),
                attributes: x.attributes.clone(),
            }
        ),
        EventBody::ConversationEnded(x) => encoded!(
            "conversation.ended",
            wire::ConversationEnded {
                reason: x.reason.as_str().into(),
                duration_ms: x.duration_ms
            }
        ),
        EventBody::AudioStarted(x) => encoded!(
            "audio.started",
            wire::AudioStarted {
                party: party_ref(&x.party),
                name: x.party.name.clone(),
                codec: x.codec.clone(),
                sample_rate_hz: x.sample_rate_hz,
            }
        ),
        EventBody::AudioGap(x) => encoded!(
            "audio.gap",
            wire::AudioGap {
                party: party_ref(&x.party),
                start_ms: x.start_ms,
                lost_ms: x.lost_ms,
                why: x.why.clone(),
            }
        ),
        EventBody::AudioPaused(x) => encoded!(
            "audio.paused",
            wire::AudioPaused { party: party_ref(&x.party), at_ms: x.at_ms }
        ),
        EventBody::AudioResumed(x) => encoded!(
            "audio.resumed",
            wire::AudioResumed {
                party: party_ref(&x.party),
                at_ms: x.at_ms,
                paused_ms: x.paused_ms,
            }
        ),
        EventBody::AudioStopped(x) => encoded!(
            "audio.stopped",
            wire::AudioStopped { party: party_ref(&x.party), duration_ms: x.duration_ms }
        ),
        EventBody::TurnFinal(x) => encoded!("turn.final", turn(x)),
        EventBody::RedactionResolved(x) => {
            let (state, kind, text) = match &x.outcome {
                RedactionOutcome::Kept(kind) => ("kept", Some(kind.as_str().into()), None),
                RedactionOutcome::Released(text) => {
                    ("released", None, Some(text.as_str().to_owned()))
                }
            };
            encoded!(
                "insight.redaction",
                wire::RedactionResolved {
                    turn_id: x.turn_id.to_string(),
                    placeholder: x.placeholder.clone(),
                    state: state.into(),
                    kind,
                    text,
                }
            )
        }
        EventBody::SecretsSealed(x) => encoded!(
            "insight.sealed",
            wire::SecretsSealed { turn_id: x.turn_id.to_string(), sealed: x.sealed.clone() }
        ),
        EventBody::IntentSeen(x) => encoded!("insight.intent", insight::intent(x)),
        EventBody::SentimentSeen(x) => encoded!("insight.sentiment", insight::sentiment(x)),
        EventBody::CategoryMatched(x) => encoded!("insight.category", insight::category(x)),
        EventBody::Alerted(x) => encoded!("insight.alert", insight::alert(x)),
        EventBody::SuggestionOffered(x) => encoded!("suggestion.offered", card(x)),
        EventBody::SuggestionVoiced(x) => encoded!("suggestion.voiced", answers::voiced(x)),
        EventBody::QuestionsSuggested(x) => {
            encoded!("suggestion.questions", answers::suggested(x))
        }
        EventBody::SuggestionWithdrawn { card_id, why } => encoded!(
            "suggestion.withdrawn",
            wire::SuggestionWithdrawn { card_id: card_id.to_string(), why: why.clone() }
        ),
        EventBody::SuggestionVerdict(x) => encoded!("suggestion.verdict", verdict(x)),
        EventBody::SuggestionAbstained(x) => {
            encoded!("suggestion.abstained", answers::abstained(x))
        }
        EventBody::QuestionAsked { question_id, question } => encoded!(
            "question.asked",
            wire::QuestionAsked {
                question_id: question_id.to_string(),
                question: question.as_str().into()
            }
        ),
        EventBody::QuestionAnswered(x) => encoded!("question.answered", question_answered(x)),
        EventBody::ArticleSearched(x) => encoded!(
            "article.searched",
            wire::ArticleSearched {
                search_id: x.id.to_string(),
                query: x.query.as_str().into(),
                hits: x.hits,
            }
        ),
        EventBody::ArticleOpened(x) => encoded!("article.opened", article_opened(x)),
        EventBody::WrapUp(x) => wrapup::encode(x),
        EventBody::WrapUpVerdict(x) => encoded!("wrapup.verdict", wrapup_verdict(x)),
        EventBody::ProposalCompared(x) => encoded!("article.compared", wrapup::compared(x)),
        EventBody::ArticleChanged(x) => articles::changed(x),
        EventBody::ArticlesImported(x) => articles::imported(x),
        EventBody::WritingStruck(x) => encoded!("writing.struck", answers::writing_struck(x)),
        EventBody::CrmContext(x) => encoded!("crm.context", crm::context(x)),
        EventBody::CrmWrite(x) => encoded!("crm.write", crm::crm_write(x)),
        EventBody::RouteRecommended(x) => encoded!("route.recommended", routing::decision(x)),
        EventBody::RouteAssigned(x) => encoded!("route.assigned", routing::assignment(x)),
        EventBody::RoutePlanned(x) => encoded!("route.planned", routing::planned(x)),
        EventBody::RoutePresence(x) => encoded!("route.presence", routing::presence(x)),
        EventBody::RouteOffered(x) => encoded!("route.offered", routing::offered(x)),
        EventBody::RouteQueued(x) => encoded!("route.queued", routing::queued(x)),
        EventBody::RouteOverflowed(x) => encoded!("route.overflowed", routing::overflowed(x)),
        EventBody::RouteMoved(x) => encoded!("route.moved", routing::moved(x)),
        EventBody::SystemDegraded(x) => encoded!(
            "system.degraded",
            wire::SystemDegraded {
                what: x.what.clone(),
                detail: x.detail.clone(),
                since: time_text(x.since)
            }
        ),
        EventBody::SystemRecovered(x) => encoded!(
            "system.recovered",
            wire::SystemRecovered { what: x.what.clone(), since: time_text(x.since) }
        ),
        EventBody::Audited(x) => encoded!("audit.noted", audit::noted(x)),
    }
}

/// The `data` of a `turn.partial` as JSON text.
pub fn partial_data(partial: &Partial) -> Arc<str> {
    json(&wire::TurnPartial {
        turn_id: partial.turn_id.to_string(),
        party: party_ref(&partial.party),
        start_ms: partial.start_ms,
        text: partial.text.as_str().into(),
        stable_prefix_chars: partial.stable_prefix_chars,
    })
    .into()
}

/// Reads an event's data as one of the wire types.
pub fn data<T: DeserializeOwned>(event: &Recorded) -> Result<T, StoreError> {
    // serde's own message may quote what somebody said, and errors are logged.
    serde_json::from_str(&event.data).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let place = format!("line {line}, column {column}");
        StoreError::Corrupt(format!("event {} is no {}: {place}", event.id, event.schema))
    })
}

/// The turn behind a `turn.final`; `None` for every other kind.
pub fn decode_turn(event: &Recorded) -> Result<Option<Turn>, StoreError> {
    if &*event.kind != TURN_FINAL {
        return Ok(None);
    }
    let wire: wire::TurnFinal = data(event)?;
    let role = Role::parse(&wire.party.role)
        .ok_or_else(|| StoreError::Corrupt(format!("event {} names an unknown role", event.id)))?;
    Ok(Some(Turn {
        id: wire.turn_id.into(),
        party: Party { id: wire.party.id.into(), role, name: None },
        start_ms: wire.start_ms,
        end_ms: wire.end_ms,
        text: Redacted::vouched(wire.text),
        display_text: wire.display_text.map(Redacted::vouched),
        words: wire
            .words
            .into_iter()
            .map(|word| Word {
                text: Redacted::vouched(word.text),
                start_ms: word.start_ms,
                end_ms: word.end_ms,
                confidence: word.confidence,
            })
            .collect(),
        mean_logprob: wire.mean_logprob,
        language: wire.language,
    }))
}

/// Which turn's placeholder an `insight.redaction` gives words to; `None` if it gives none.
pub fn decode_release(event: &Recorded) -> Result<Option<(TurnId, String, Redacted)>, StoreError> {
    if &*event.kind != REDACTION {
        return Ok(None);
    }
    let wire: wire::RedactionResolved = data(event)?;
    let words = wire.text.map(Redacted::vouched);
    Ok(words.map(|words| (wire.turn_id.into(), wire.placeholder, words)))
}

/// Milliseconds always stand there, so that times sort as text.
pub fn time_text(time: Timestamp) -> String {
    format!("{time:.3}")
}

pub fn party(party: &Party) -> wire::Party {
    wire::Party {
        id: party.id.to_string(),
        role: party.role.as_str().into(),
        name: party.name.clone(),
    }
}

pub fn verdict(verdict: &Verdict) -> wire::SuggestionVerdict {
    wire::SuggestionVerdict {
        card_id: verdict.card_id.to_string(),
        verdict: verdict.kind.as_str().into(),
        text: verdict.edited_text.as_ref().map(|text| text.as_str().into()),
    }
}

pub fn article_opened(opened: &ArticleOpened) -> wire::ArticleOpened {
    wire::ArticleOpened {
        search_id: opened.search_id.to_string(),
        article_id: opened.article_id.to_string(),
    }
}

fn party_ref(party: &Party) -> wire::PartyRef {
    wire::PartyRef { id: party.id.to_string(), role: party.role.as_str().into() }
}

fn turn(turn: &Turn) -> wire::TurnFinal {
    wire::TurnFinal {
        turn_id: turn.id.to_string(),
        party: party_ref(&turn.party),
        start_ms: turn.start_ms,
        end_ms: turn.end_ms,
        text: turn.text.as_str().into(),
        display_text: turn.display_text.as_ref().map(|text| text.as_str().into()),
        words: turn
            .words
            .iter()
            .map(|word| wire::Word {
                text: word.text.as_str().into(),
                start_ms: word.start_ms,
                end_ms: word.end_ms,
                confidence: finite(word.confidence),
            })
            .collect(),
        mean_logprob: turn.mean_logprob.map(finite),
        language: turn.language.clone(),
    }
}

fn card(card: &Card) -> wire::SuggestionOffered {
    let answer = &card.answer;
    wire::SuggestionOffered {
        card_id: card.id.to_string(),
        kind: card.kind.as_str().into(),
        title: answer.title.clone(),
        text: answer.text.clone(),
        citations: answer.citations.iter().map(citation).collect(),
        score: finite(answer.score),
        trigger_turn: card.trigger_turn.to_string(),
        latency_ms: card.latency_ms,
        generator: answer.generator.as_str().into(),
        why: answer.why.clone(),
        heading: answer.heading.clone(),
        article_title: answer.title.clone(),
        valid_from: answer.valid_from.map(|date| date.to_string()),
        verbatim: answer.is_verbatim,
        question: card.question.as_ref().map(answers::turn_question),
    }
}

fn citation(citation: &Citation) -> wire::Citation {
    wire::Citation {
        article_id: citation.article_id.to_string(),
        passage_id: citation.passage_id.to_string(),
        revision: citation.revision,
        start: citation.start_chars,
        end: citation.end_chars,
        quote: citation.quote.clone(),
    }
}

/// A citation as it stands in an event.
pub fn decode_citation(citation: wire::Citation) -> Citation {
    Citation {
        article_id: citation.article_id.into(),
        passage_id: citation.passage_id.into(),
        revision: citation.revision,
        start_chars: citation.start,
        end_chars: citation.end,
        quote: citation.quote,
    }
}

/// JSON has no NaN: serde would write null, which the reader then refuses.
fn finite(number: f32) -> f32 {
    if number.is_nan() { 0.0 } else { number.clamp(f32::MIN, f32::MAX) }
}

fn json(data: &impl Serialize) -> String {
    serde_json::to_string(data).expect("wire types have string keys only; this is a bug")
}
