//! The description of the event stream (AsyncAPI 3), with a schema for each event type.

use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::envelope::TYPE_PREFIX;
use crate::store::codec::{self, TURN_PARTIAL, TURN_UNSAVED, WRAPUP_GROWING};
use crate::store::wire;

pub fn document() -> Value {
    let mut schemas = Map::new();
    let mut messages = Map::new();
    let mut message = |kind: &str, data: &str, about: &str| {
        messages.insert(
            kind.to_owned(),
            json!({
                "name": format!("{TYPE_PREFIX}{kind}"),
                "summary": about,
                "contentType": "application/cloudevents+json",
                "payload": envelope(kind, data),
            }),
        );
    };
    macro_rules! kinds {
        ($($kind:expr, $data:ty, $about:literal;)*) => {$(
            collect::<$data>(&mut schemas);
            message($kind, &<$data as ToSchema>::name(), $about);
        )*};
    }
    kinds! {
        "conversation.started", wire::ConversationStarted, "A conversation begins.";
        "conversation.ended", wire::ConversationEnded, "A conversation is over.";
        "audio.started", wire::AudioStarted, "A party's audio begins.";
        "audio.gap", wire::AudioGap, "A stretch of audio is missing.";
        "audio.paused", wire::AudioPaused, "A party's audio stands still; nothing is heard.";
        "audio.resumed", wire::AudioResumed, "A party is heard again.";
        "audio.stopped", wire::AudioStopped, "A party's audio ends.";
        TURN_PARTIAL, wire::TurnPartial, "An utterance in progress. Streamed, never stored: no sequence, no SSE id.";
        TURN_UNSAVED, wire::TurnFinal, "A finished utterance that can't be stored at the moment; `turn.final` with the same `turn_id` follows when it can. Streamed, never stored: no sequence, no SSE id.";
        "turn.final", wire::TurnFinal, "A finished utterance, secrets masked.";
        "insight.redaction", wire::RedactionResolved, "How a held-back run of digits turned out.";
        codec::INSIGHT_SEALED, wire::SecretsSealed, "What a turn's new placeholders stand for, if settings name a vault's key: the service itself can't open it.";
        codec::INSIGHT_INTENT, wire::InsightIntent, "What the customer wants, as a turn says it, or that it is unsure.";
        codec::INSIGHT_SENTIMENT, wire::InsightSentiment, "How the customer feels after a message. The newest of a conversation stands.";
        codec::INSIGHT_CATEGORY, wire::InsightCategory, "A category rule holds, with what it rests on.";
        codec::INSIGHT_ALERT, wire::InsightAlert, "Somebody should know: comes just behind the category that it belongs to.";
        "suggestion.offered", wire::SuggestionOffered, "A card, with its proof.";
        codec::SUGGESTION_VOICED, wire::SuggestionVoiced, "How a card's answer can be said, by a model and proven. It comes after its card, if at all.";
        codec::SUGGESTION_QUESTIONS, wire::QuestionsSuggested, "What the agent may want to ask now; takes the place of those before.";
        "suggestion.withdrawn", wire::SuggestionWithdrawn, "A card that no longer holds.";
        "suggestion.verdict", wire::SuggestionVerdict, "What the agent did with a card.";
        codec::SUGGESTION_ABSTAINED, wire::SuggestionAbstained, "A customer's question that got no card, once that is certain: when the customer speaks again, or at the end.";
        "question.asked", wire::QuestionAsked, "The agent's own question.";
        "question.answered", wire::QuestionAnswered, "Its answer, or the nearest articles.";
        codec::ARTICLE_SEARCHED, wire::ArticleSearched, "The articles were searched for the conversation.";
        codec::ARTICLE_OPENED, wire::ArticleOpened, "Something that such a search had found was opened.";
        codec::WRAPUP_SUMMARY, wire::WrapUpSummary, "A summary or hand-over, each sentence with its proof. A draft.";
        codec::WRAPUP_EMAIL, wire::WrapUpEmail, "An e-mail to the customer, never sent by itself. A draft.";
        codec::WRAPUP_ARTICLE, wire::WrapUpArticle, "What an article could say that none says yet. A draft.";
        codec::WRAPUP_FOLLOW_UP, wire::WrapUpFollowUp, "Something that somebody promised, with its date. A draft.";
        codec::WRAPUP_DISPOSITION, wire::WrapUpDisposition, "The likeliest dispositions. A draft.";
        WRAPUP_GROWING, wire::WrapUpGrowing, "A draft that a model is writing, as far as it is proven; without one, it won't come. Streamed, never stored: no sequence, no SSE id.";
        codec::WRAPUP_VERDICT, wire::WrapUpVerdict, "What the agent did with a draft.";
        codec::ARTICLE_COMPARED, wire::ArticleCompared, "What became of a proposed article beside those in force: nothing, a change, or a draft.";
        "article.drafted", wire::ArticleChanged, "An article was written or changed; a draft. Like the others of its kind, under the subject `system`.";
        "article.submitted", wire::ArticleChanged, "A draft waits for review.";
        "article.approved", wire::ArticleChanged, "It may be published.";
        "article.returned", wire::ArticleChanged, "It went back to its author, with a reason.";
        "article.published", wire::ArticleChanged, "It is in force, and can be found.";
        "article.retired", wire::ArticleChanged, "It is cited no more.";
        "article.imported", wire::ArticlesImported, "Files were taken over, and are in force.";
        codec::WRITING_STRUCK, wire::WritingStruck, "What a model wrote and nothing bears out, where nothing else came of it.";
        codec::CRM_CONTEXT, wire::CrmContext, "What the CRM knows of the customer. The newest stands.";
        codec::CRM_WRITE, wire::CrmWrite, "Something that is to be done in the CRM, a mailbox, a calendar or a chat, and how far it is.";
        codec::ROUTE_RECOMMENDED, wire::RouteRecommended, "Who should take a work item, with every scored term, the runner-up, and what would have changed it.";
        codec::ROUTE_ASSIGNED, wire::RouteAssigned, "A work item has got somebody, by the decision or by somebody else.";
        codec::ROUTE_OFFERED, wire::RouteOffered, "A work item came in, or more is known of it. Under its conversation, or `routing` where it has none, like all of its kind.";
        codec::ROUTE_QUEUED, wire::RouteQueued, "A work item was put into a queue.";
        codec::ROUTE_OVERFLOWED, wire::RouteOverflowed, "A limit of a queue was exceeded, and what is to be done.";
        codec::ROUTE_MOVED, wire::RouteMoved, "A work item was accepted, declined, transferred, ended or released.";
        codec::ROUTE_PRESENCE, wire::RoutePresence, "An agent is there, or isn't. Under `routing`, as plans are.";
        codec::ROUTE_PLANNED, wire::RoutePlanned, "A plan came into force.";
        "system.degraded", wire::SystemDegraded, "Something works less well than it should.";
        "system.recovered", wire::SystemRecovered, "It works again.";
    }
    let erased = json!({
        "type": "object",
        "description": "What was here is erased, because somebody asked for it or its time was over.",
        "required": ["erased"],
        "properties": {"erased": {"const": true}},
        "additionalProperties": false,
    });
    schemas.insert("Erased".to_owned(), erased);
    let references: Map<String, Value> = messages
        .keys()
        .map(|kind| (kind.clone(), json!({"$ref": format!("#/components/messages/{kind}")})))
        .collect();
    let operation = |channel: &str, about: &str| {
        json!({
            "action": "send",
            "channel": {"$ref": format!("#/channels/{channel}")},
            "summary": about,
        })
    };
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Backchannel events",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Server-sent events. `id:` is an opaque position to resume after \
                (`Last-Event-ID`); `data:` is one CloudEvents 1.0 JSON object in one line.",
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {
            "events": {"address": "/v1/events", "messages": references},
            "conversationEvents": {
                "address": "/v1/conversations/{id}/events",
                "parameters": {"id": {"description": "the conversation"}},
                "messages": references,
            },
        },
        "operations": {
            "streamEvents": operation("events", "Streams the events of all conversations."),
            "streamConversationEvents":
                operation("conversationEvents", "Streams the events of one conversation."),
        },
        "components": {"messages": messages, "schemas": schemas},
    })
}

fn envelope(kind: &str, data: &str) -> Value {
    let mut required = vec![
        "specversion",
        "id",
        "source",
        "type",
        "time",
        "subject",
        "tenant",
        "dataschema",
        "data",
    ];
    let data = json!({"$ref": format!("#/components/schemas/{data}")});
    let mut properties = json!({
        "specversion": {"const": "1.0"},
        "id": {"type": "string"},
        "source": {"type": "string", "pattern": "^backchannel/"},
        "type": {"const": format!("{TYPE_PREFIX}{kind}")},
        "time": {"type": "string", "format": "date-time"},
        "subject": {"type": "string", "description": "the conversation's id, `system` or `routing`"},
        "tenant": {"type": "string"},
        "dataschema": {"const": format!("backchannel/{kind}/1")},
        "data": data,
    });
    if ![TURN_PARTIAL, TURN_UNSAVED, WRAPUP_GROWING].contains(&kind) {
        properties["sequence"] = json!({"type": "integer", "minimum": 1});
        properties["data"] = json!({"anyOf": [data, {"$ref": "#/components/schemas/Erased"}]});
        required.push("sequence");
    }
    json!({
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": false,
    })
}

/// Adds a type's schema and those that it refers to.
fn collect<T: ToSchema + PartialSchema>(schemas: &mut Map<String, Value>) {
    let mut found: Vec<(String, RefOr<Schema>)> = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut found);
    for (name, schema) in found {
        let schema = serde_json::to_value(schema).expect("a schema is JSON; this is a bug");
        schemas.insert(name, schema);
    }
}
