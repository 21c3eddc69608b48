//! The `data` of each event as it stands on disk and on the stream, version 1 of each.
//!
//! The fields are a contract with everybody who reads the stream: more may be added, these stay. A
//! change that isn't an addition is a new type with a new version.

mod articles;
mod audit;
mod crm;
mod effects;
mod insight;
mod routing;
mod wrapup;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use self::articles::{
    ArticleChanged, ArticleContent, ArticlesImported, ImportedRevision, SentenceOrigin, TurnQuote,
};
pub use self::audit::AuditNoted;
pub use self::crm::{AccountFacts, Activity, Case, Contact, CrmContext, CrmWrite, Searched};
pub use self::effects::{CaseRef, DueAt, Effect, Mail, Mailbox};
pub use self::insight::{
    InsightAlert, InsightCategory, InsightEvidence, InsightIntent, InsightSentiment, RankedIntent,
    SentimentTerm,
};
pub use self::routing::{
    HandOverPack, PackArticle, PackCustomer, PackPromise, PackSentiment, RouteAssigned,
    RouteCandidate, RouteFeature, RouteFeatureValue, RouteMatched, RouteMoved, RouteOffered,
    RouteOverflowed, RoutePlanned, RoutePresence, RouteQueued, RouteRecommended, RouteTerm,
};
pub use self::wrapup::{
    ArticleCompared, Authorship, CaseEntry, CasePromise, CaseSummary, DispositionChoice, Due,
    EmailPart, Evidence, Prompt, Sentence, Struck, SummarySection, WrapUpArticle,
    WrapUpDisposition, WrapUpEmail, WrapUpFollowUp, WrapUpGrowing, WrapUpHead, WrapUpSummary,
    WrapUpVerdict,
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Party {
    pub id: String,
    pub role: String,
    #[schema(required)]
    pub name: Option<String>,
}

/// A party as other data name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PartyRef {
    pub id: String,
    pub role: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConversationStarted {
    pub channel: String,
    pub direction: String,
    #[schema(required)]
    pub external_id: Option<String>,
    pub parties: Vec<Party>,
    pub attributes: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConversationEnded {
    /// hangup, disconnected, timeout, protocol_error, shutdown or crash
    pub reason: String,
    pub duration_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AudioStarted {
    pub party: PartyRef,
    /// The party's, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub codec: String,
    pub sample_rate_hz: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AudioGap {
    pub party: PartyRef,
    pub start_ms: u64,
    pub lost_ms: u64,
    pub why: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AudioPaused {
    pub party: PartyRef,
    pub at_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AudioResumed {
    pub party: PartyRef,
    pub at_ms: u64,
    pub paused_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AudioStopped {
    pub party: PartyRef,
    pub duration_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Word {
    pub text: String,
    pub start_ms: u64,
    pub end_ms: u64,
    pub confidence: f32,
}

/// An utterance in progress; streamed, never stored. An empty text withdraws it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TurnPartial {
    pub turn_id: String,
    pub party: PartyRef,
    pub start_ms: u64,
    pub text: String,
    pub stable_prefix_chars: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TurnFinal {
    pub turn_id: String,
    pub party: PartyRef,
    pub start_ms: u64,
    pub end_ms: u64,
    /// As it was heard; offsets and citations count in it.
    pub text: String,
    /// As people would write it: numbers, amounts, dates, addresses. Absent when that is `text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_text: Option<String>,
    pub words: Vec<Word>,
    /// Absent for typed text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_logprob: Option<f32>,
    /// ISO 639-1
    pub language: String,
}

/// The newest turn of a conversation, in lists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LastTurn {
    pub turn_id: String,
    pub party: PartyRef,
    pub start_ms: u64,
    pub end_ms: u64,
    pub text: String,
}

/// How a held-back run of digits turned out: `kept` (masked, of this kind) or `released` (this text).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RedactionResolved {
    pub turn_id: String,
    pub placeholder: String,
    pub state: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// What new placeholders of a turn stand for, sealed for whoever has the private half of `redaction.vault_key`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SecretsSealed {
    pub turn_id: String,
    /// Base64 of an encapsulated key (32 bytes) and the sealed JSON object from placeholders to what they stand for: HPKE
    /// (RFC 9180), base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, `info` "backchannel vault 1",
    /// additional data the turn's identifier.
    pub sealed: String,
}

/// `start` and `end` are offsets in Unicode code points into the passage's text; `quote` stands there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Citation {
    pub article_id: String,
    pub passage_id: String,
    pub revision: u32,
    pub start: usize,
    pub end: usize,
    pub quote: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SuggestionOffered {
    pub card_id: String,
    pub kind: String,
    pub title: String,
    pub text: String,
    pub citations: Vec<Citation>,
    pub score: f32,
    pub trigger_turn: String,
    pub latency_ms: u64,
    pub generator: String,
    pub why: Vec<String>,
    pub heading: String,
    pub article_title: String,
    #[schema(required)]
    pub valid_from: Option<String>,
    /// Its article's words may not be changed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub verbatim: bool,
    /// What was asked; absent in events from before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<TurnQuestion>,
}

/// What was asked in a turn, in the words that were searched for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TurnQuestion {
    /// The turn that asks; with a card for the agent's reply, the one that is replied to.
    pub turn_id: String,
    pub text: String,
    /// The question with what was said before, where it says too little by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
}

/// A customer's question that got no card, neither at once nor at the agent's reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SuggestionAbstained {
    /// The turn that asks.
    pub turn_id: String,
    /// In the words that were searched for.
    pub question: String,
    /// The question with what was said before, where it says too little by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// nothing_found, or unsure: what came nearest isn't likely enough
    pub why: String,
    /// Of what came nearest, how likely it answers, 0 to 1.
    #[schema(required)]
    pub score: Option<f32>,
    #[schema(required)]
    pub nearest: Option<Nearest>,
}

/// How a card's answer can be said: one or two sentences, each with its proof.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SuggestionVoiced {
    pub card_id: String,
    /// The sentences in one piece.
    pub text: String,
    pub sentences: Vec<Sentence>,
    pub authorship: Authorship,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub struck: Vec<Struck>,
    pub latency_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SuggestedQuestion {
    pub question: String,
    pub article_id: String,
    pub passage_id: String,
}

/// What may be asked now, three at most; takes the place of those before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QuestionsSuggested {
    pub questions: Vec<SuggestedQuestion>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SuggestionWithdrawn {
    pub card_id: String,
    pub why: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SuggestionVerdict {
    pub card_id: String,
    /// accepted, edited, dismissed or ignored
    pub verdict: String,
    /// The edited text; null with every other verdict.
    #[schema(required)]
    pub text: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QuestionAsked {
    pub question_id: String,
    pub question: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Answer {
    pub title: String,
    pub heading: String,
    pub text: String,
    pub citations: Vec<Citation>,
    pub score: f32,
    pub why: Vec<String>,
    /// extractive: quoted; provider: written, see `sentences`
    pub generator: String,
    /// Quoted word for word from an article whose words may not be changed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub verbatim: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Nearest {
    pub article_id: String,
    pub title: String,
    pub heading: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QuestionAnswered {
    pub question_id: String,
    pub question: String,
    /// answered, asks_back, abstained or abandoned (whoever asked stopped waiting, or it failed)
    pub state: String,
    #[schema(required)]
    pub answer: Option<Answer>,
    /// What a model wrote, each sentence with its proof; absent when the answer is quoted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sentences: Vec<Sentence>,
    /// What must be known first; with `asks_back`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask_back: Option<String>,
    /// nothing_proven when something was written and none of it stood; else absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// Of what a model wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorship: Option<Authorship>,
    /// What a model wrote and nothing bears out, also beside a quotation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub struck: Vec<Struck>,
    /// What comes nearest when nothing answers, or may be meant when it asks back.
    pub nearest: Vec<Nearest>,
    pub latency_ms: u64,
}

/// The articles were searched for a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ArticleSearched {
    pub search_id: String,
    pub query: String,
    /// So many passages were found.
    pub hits: usize,
}

/// Something that such a search had found was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ArticleOpened {
    pub search_id: String,
    pub article_id: String,
}

/// What a model wrote and nothing bears out, where it left neither voice, answer nor draft to keep it with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WritingStruck {
    /// card, email or follow_ups
    pub task: String,
    /// The card, or the identifier that the draft would have had.
    pub about: String,
    pub authorship: Authorship,
    pub struck: Vec<Struck>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SystemDegraded {
    /// A stable word for programs.
    pub what: String,
    /// A sentence for people.
    pub detail: String,
    pub since: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SystemRecovered {
    pub what: String,
    pub since: String,
}
