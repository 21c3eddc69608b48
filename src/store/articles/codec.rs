//! What an article says ⇄ the JSON that is stored, version 1.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use sha2::{Digest as _, Sha256};

use crate::domain::{
    ArticleContent, ArticleId, Audience, NewRevision, Redacted, SentenceOrigin, TurnQuote,
};
use crate::store::{StoreError, wire};

pub const SCHEMA: &str = "backchannel/article/1";
/// What stands in the place of a content that a backup holds under keys only. It is read as no article.
pub const SEALED: &str = "{}";

/// As it stands in the log and in answers.
pub fn content(content: &ArticleContent) -> wire::ArticleContent {
    let date = |date: Option<Date>| date.map(|date| date.to_string());
    let text = |text: &Redacted| text.as_str().to_owned();
    let asked = |(heading, phrasings): (&String, &Vec<Redacted>)| {
        (heading.clone(), phrasings.iter().map(text).collect())
    };
    wire::ArticleContent {
        title: text(&content.title),
        body: text(&content.body),
        audience: content.audience.iter().map(|one| one.as_str().to_owned()).collect(),
        products: content.products.clone(),
        language: content.language.clone(),
        valid_from: date(content.valid_from),
        valid_until: date(content.valid_until),
        review_by: date(content.review_by),
        source: content.source.clone(),
        verbatim: content.verbatim,
        asked_as: content.asked_as.iter().map(asked).collect(),
        front_matter: content.front_matter.as_ref().map(text),
    }
}

/// The same content has the same hash, whoever wrote it.
pub fn content_hash(content: &ArticleContent) -> String {
    hash(&encode(content))
}

pub fn encode(of: &ArticleContent) -> String {
    serde_json::to_string(&content(of)).expect("wire types have string keys only; this is a bug")
}

pub fn hash(encoded: &str) -> String {
    Sha256::digest(encoded.as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// A revision as it is written, but for where its sentences come from: an erasure cuts that.
pub struct Written<'a> {
    pub article: &'a str,
    pub number: i64,
    pub action: &'a str,
    pub author: &'a str,
    pub by: &'a str,
    pub approver: Option<&'a str>,
    pub time_ms: i64,
    pub comment: Option<&'a str>,
    pub content: &'a str,
}

/// What its event tells of a revision, so that an audit can hold its row against the chain.
pub fn revision_hash(new: &NewRevision) -> String {
    written_hash(&Written {
        article: new.article.as_str(),
        number: i64::from(new.based_on) + 1,
        action: new.action.as_str(),
        author: &new.author,
        by: &new.by,
        approver: new.approver.as_deref(),
        time_ms: new.time.as_millisecond(),
        comment: new.comment.as_ref().map(Redacted::as_str),
        content: &encode(&new.content),
    })
}

pub fn written_hash(of: &Written<'_>) -> String {
    let who = (of.author, of.by, of.approver);
    let all = (of.article, of.number, of.action, who, of.time_ms, of.comment, of.content);
    hash(&serde_json::to_string(&all).expect("texts and numbers are JSON; this is a bug"))
}

/// Reads what the log holds.
///
/// # Errors
/// It is damaged.
pub fn decode(article: &ArticleId, json: &str) -> Result<Arc<ArticleContent>, StoreError> {
    let damaged = |what: String| StoreError::Corrupt(format!("article {article}: {what}"));
    let wire: wire::ArticleContent =
        serde_json::from_str(json).map_err(|error| damaged(error.to_string()))?;
    let date = |text: Option<String>| -> Result<Option<Date>, StoreError> {
        text.map(|text| text.parse().map_err(|_| damaged(format!("{text} is no date")))).transpose()
    };
    let audience = wire.audience.iter().map(|name| {
        Audience::parse(name).ok_or_else(|| damaged(format!("nobody is called {name}")))
    });
    let vouched = |texts: Vec<String>| texts.into_iter().map(Redacted::vouched).collect();
    let asked_as: BTreeMap<String, Vec<Redacted>> =
        wire.asked_as.into_iter().map(|(heading, texts)| (heading, vouched(texts))).collect();
    Ok(Arc::new(ArticleContent {
        audience: audience.collect::<Result<_, _>>()?,
        title: Redacted::vouched(wire.title),
        body: Redacted::vouched(wire.body),
        products: wire.products,
        language: wire.language,
        valid_from: date(wire.valid_from)?,
        valid_until: date(wire.valid_until)?,
        review_by: date(wire.review_by)?,
        source: wire.source,
        verbatim: wire.verbatim,
        asked_as,
        front_matter: wire.front_matter.map(Redacted::vouched),
    }))
}

pub fn provenance(origins: &[SentenceOrigin]) -> Vec<wire::SentenceOrigin> {
    let quote = |quote: &TurnQuote| wire::TurnQuote {
        turn_id: quote.turn.to_string(),
        quote: quote.quote.as_str().to_owned(),
    };
    let origin = |origin: &SentenceOrigin| wire::SentenceOrigin {
        sentence: origin.sentence.as_str().to_owned(),
        conversation_id: origin.conversation.to_string(),
        turns: origin.quotes.iter().map(quote).collect(),
    };
    origins.iter().map(origin).collect()
}

/// `None` when nothing is known about where its sentences come from.
pub fn encode_provenance(origins: &[SentenceOrigin]) -> Option<String> {
    let json = serde_json::to_string(&provenance(origins));
    (!origins.is_empty()).then(|| json.expect("wire types are JSON; this is a bug"))
}

/// # Errors
/// It is damaged.
pub fn decode_provenance(
    article: &ArticleId,
    json: Option<&str>,
) -> Result<Arc<[SentenceOrigin]>, StoreError> {
    let Some(json) = json else { return Ok(Arc::default()) };
    let wire: Vec<wire::SentenceOrigin> = serde_json::from_str(json)
        .map_err(|error| StoreError::Corrupt(format!("article {article}: {error}")))?;
    let quote = |quote: wire::TurnQuote| TurnQuote {
        turn: quote.turn_id.into(),
        quote: Redacted::vouched(quote.quote),
    };
    let origin = |origin: wire::SentenceOrigin| SentenceOrigin {
        sentence: Redacted::vouched(origin.sentence),
        conversation: origin.conversation_id.into(),
        quotes: origin.turns.into_iter().map(quote).collect(),
    };
    Ok(wire.into_iter().map(origin).collect())
}
