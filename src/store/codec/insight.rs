//! Intents, sentiment, categories and alerts ⇄ the JSON that is stored.

use super::{data, finite, wire};
use crate::domain::{
    Alert, CategoryMatched, Evidence, Intent, IntentSeen, Recorded, Redacted, Role, Sentiment,
    SentimentLevel, SentimentTerm, SentimentTrend, TurnCitation, TurnId, TurnIntent,
};
use crate::store::StoreError;

pub const INSIGHT_INTENT: &str = "insight.intent";
pub const INSIGHT_SENTIMENT: &str = "insight.sentiment";
pub const INSIGHT_CATEGORY: &str = "insight.category";
pub const INSIGHT_ALERT: &str = "insight.alert";

/// The intents behind an `insight.intent`; `None` for every other kind.
pub fn decode_intent(event: &Recorded) -> Result<Option<TurnIntent>, StoreError> {
    if &*event.kind != INSIGHT_INTENT {
        return Ok(None);
    }
    let wire: wire::InsightIntent = data(event)?;
    let ranked = wire.intents.into_iter();
    let ranked = ranked.map(|one| Intent { label: one.label, probability: one.probability });
    let seen = IntentSeen { ranked: ranked.collect(), abstained: wire.abstained };
    Ok(Some(TurnIntent { turn_id: wire.turn_id.into(), seen }))
}

/// The sentiment behind an `insight.sentiment`; `None` for every other kind.
pub fn decode_sentiment(event: &Recorded) -> Result<Option<Sentiment>, StoreError> {
    if &*event.kind != INSIGHT_SENTIMENT {
        return Ok(None);
    }
    let wire: wire::InsightSentiment = data(event)?;
    let term = |term: wire::SentimentTerm| SentimentTerm {
        start_chars: term.start,
        end_chars: term.end,
        quote: Redacted::vouched(term.quote),
        weight: term.weight,
    };
    Ok(Some(Sentiment {
        turn_id: wire.turn_id.into(),
        score: wire.score,
        // A level that this version doesn't know says nothing.
        level: SentimentLevel::parse(&wire.level).unwrap_or_default(),
        trend: SentimentTrend::parse(&wire.trend).unwrap_or_default(),
        message_score: wire.message_score,
        messages: wire.messages,
        terms: wire.terms.into_iter().map(term).collect(),
    }))
}

/// The match behind an `insight.category`; `None` for every other kind.
pub fn decode_category(event: &Recorded) -> Result<Option<CategoryMatched>, StoreError> {
    if &*event.kind != INSIGHT_CATEGORY {
        return Ok(None);
    }
    let wire: wire::InsightCategory = data(event)?;
    let evidence = wire.evidence.into_iter().map(|evidence| match evidence {
        wire::InsightEvidence::Said { turn_id, role, start, end, quote } => {
            Evidence::Said(TurnCitation {
                turn_id: turn_id.into(),
                role: Role::parse(&role).unwrap_or(Role::Mixed),
                start_chars: start,
                end_chars: end,
                quote: Redacted::vouched(quote),
            })
        }
        wire::InsightEvidence::Signal { name, value, turn_id } => {
            Evidence::Signal { name, value, turn_id: turn_id.map(TurnId::from) }
        }
    });
    Ok(Some(CategoryMatched {
        category: wire.category,
        title: wire.title,
        turn_id: wire.turn_id.map(TurnId::from),
        times: wire.times,
        evidence: evidence.collect(),
    }))
}

pub(super) fn intent(intent: &TurnIntent) -> wire::InsightIntent {
    let ranked = |one: &Intent| wire::RankedIntent {
        label: one.label.clone(),
        probability: finite(one.probability),
    };
    wire::InsightIntent {
        turn_id: intent.turn_id.to_string(),
        abstained: intent.seen.abstained,
        intents: intent.seen.ranked.iter().map(ranked).collect(),
    }
}

pub(super) fn sentiment(sentiment: &Sentiment) -> wire::InsightSentiment {
    let term = |term: &SentimentTerm| wire::SentimentTerm {
        start: term.start_chars,
        end: term.end_chars,
        quote: term.quote.as_str().into(),
        weight: finite(term.weight),
    };
    wire::InsightSentiment {
        turn_id: sentiment.turn_id.to_string(),
        score: finite(sentiment.score),
        level: sentiment.level.as_str().into(),
        trend: sentiment.trend.as_str().into(),
        message_score: finite(sentiment.message_score),
        messages: sentiment.messages,
        terms: sentiment.terms.iter().map(term).collect(),
    }
}

pub(super) fn category(matched: &CategoryMatched) -> wire::InsightCategory {
    let evidence = matched.evidence.iter().map(|evidence| match evidence {
        Evidence::Said(said) => wire::InsightEvidence::Said {
            turn_id: said.turn_id.to_string(),
            role: said.role.as_str().into(),
            start: said.start_chars,
            end: said.end_chars,
            quote: said.quote.as_str().into(),
        },
        Evidence::Signal { name, value, turn_id } => wire::InsightEvidence::Signal {
            name: name.clone(),
            value: value.clone(),
            turn_id: turn_id.as_ref().map(ToString::to_string),
        },
    });
    wire::InsightCategory {
        category: matched.category.clone(),
        title: matched.title.clone(),
        turn_id: matched.turn_id.as_ref().map(ToString::to_string),
        times: matched.times,
        evidence: evidence.collect(),
    }
}

pub(super) fn alert(alert: &Alert) -> wire::InsightAlert {
    wire::InsightAlert {
        category: alert.category.clone(),
        times: alert.times,
        severity: alert.severity.as_str().into(),
        title: alert.title.clone(),
        message: alert.message.clone(),
        to: alert.to.iter().map(|role| role.as_str().into()).collect(),
        turn_id: alert.turn_id.as_ref().map(ToString::to_string),
    }
}
