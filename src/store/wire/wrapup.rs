//! The `data` of wrap-ups, version 1 of each.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Citation, Party};

/// What every wrap-up has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WrapUpHead {
    pub wrapup_id: String,
    /// draft: nothing is sent or written anywhere by itself
    pub state: String,
    /// end, hand_over or demand
    pub occasion: String,
    /// ISO 639-1, of the program's own words in it.
    pub language: String,
    pub authorship: Authorship,
    /// Sentences that were taken out because their sources don't bear them out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub struck: Vec<Struck>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Authorship {
    /// `extractive`, or the provider's name in the settings
    pub provider: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<Prompt>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Prompt {
    pub id: String,
    pub version: u32,
    pub sha256: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Struck {
    pub text: String,
    /// A stable word for programs: no_source, unknown_source, number, date, name, code, negation,
    /// speaker, condition, meaning or dangling
    pub fault: String,
    pub why: String,
}

/// Where words come from. Offsets are code points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum Evidence {
    /// A turn's `text`, with the digits that were released in it.
    Turn {
        turn_id: String,
        role: String,
        start: usize,
        end: usize,
        quote: String,
    },
    Passage(Citation),
}

/// A sentence with what bears it out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Sentence {
    pub text: String,
    pub citations: Vec<Evidence>,
    /// 0 to 1; 1 for words that stand in the source as they are.
    pub support: f32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SummarySection {
    /// issue, root_cause, steps_tried, outcome, promises, next_steps, error_codes, or the tenant's
    pub key: String,
    pub sentences: Vec<Sentence>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WrapUpSummary {
    #[serde(flatten)]
    pub head: WrapUpHead,
    /// A section with nothing found is absent.
    pub sections: Vec<SummarySection>,
    /// The same in a few sentences.
    pub paragraph: Vec<Sentence>,
    /// Who took part; with a hand-over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parties: Vec<Party>,
    /// Where the cards came from that were shown; with a hand-over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub articles: Vec<Citation>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EmailPart {
    /// greeting, template, claim or signature; only a claim says something of the conversation
    pub kind: String,
    /// Parts with the same number stand in one paragraph; without one, it is a paragraph by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paragraph: Option<usize>,
    pub text: String,
    pub citations: Vec<Evidence>,
    pub support: f32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WrapUpEmail {
    #[serde(flatten)]
    pub head: WrapUpHead,
    /// follow_up, resolution, information, apology, appointment or custom
    pub purpose: String,
    /// The agent's words for a custom purpose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wish: Option<String>,
    /// short, medium or long
    pub length: String,
    /// friendly, professional or formal
    pub tone: String,
    pub subject: String,
    /// Of a subject that says something of the conversation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subject_citations: Vec<Evidence>,
    /// In reading order.
    pub parts: Vec<EmailPart>,
}

/// A draft that a model is writing, as far as it is proven. Streamed, never stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WrapUpGrowing {
    /// What the draft will be called.
    pub wrapup_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<WrapUpSummary>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<WrapUpEmail>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WrapUpArticle {
    #[serde(flatten)]
    pub head: WrapUpHead,
    pub question: Sentence,
    pub answer: Vec<Sentence>,
}

/// What became of an article's proposal beside the articles in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ArticleCompared {
    pub wrapup_id: String,
    /// covered: an article says it already, and nothing was written; changed: an article says a part, and the
    /// rest was proposed as a change to it; drafted: a new article was drafted
    pub outcome: String,
    /// The article that says it, that was changed, or that was drafted.
    pub article_id: String,
    /// The one in force that says it, or the one that was written.
    pub revision: u32,
    /// How likely the nearest article says it all, 0 to 1.
    pub coverage: f32,
    /// Published sentences that it contradicts.
    pub conflicts: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Due {
    /// The words that say when.
    pub phrase: String,
    /// Absent when the words may mean more than one day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Absent when no time was said, or more than one may be meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// The end of a window that begins at `time`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// By then at the latest.
    pub is_limit: bool,
    pub time_zone: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WrapUpFollowUp {
    #[serde(flatten)]
    pub head: WrapUpHead,
    /// task, callback or meeting
    pub kind: String,
    /// The role of whoever said that they will.
    pub promised_by: String,
    pub sentence: Sentence,
    #[schema(required)]
    pub due: Option<Due>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DispositionChoice {
    pub code: String,
    pub label: String,
    pub probability: f32,
    pub citations: Vec<Evidence>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WrapUpDisposition {
    #[serde(flatten)]
    pub head: WrapUpHead,
    /// Three at most, the likeliest first; empty when none of the list fits.
    pub choices: Vec<DispositionChoice>,
    /// The probability that none fits.
    pub none: f32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WrapUpVerdict {
    pub wrapup_id: String,
    /// accepted, edited or discarded
    pub verdict: String,
    /// What the text became, or the code of the disposition that was chosen; else null.
    #[schema(required)]
    pub text: Option<String>,
    /// Of the draft that was looked at; absent where the client didn't say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
}

/// Several conversations about one thing. Asked for, never stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CaseSummary {
    /// Oldest first.
    pub conversations: Vec<CaseEntry>,
    pub promises: Vec<CasePromise>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CaseEntry {
    pub conversation: String,
    pub date: String,
    pub sentences: Vec<Sentence>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CasePromise {
    pub conversation: String,
    pub sentence: Sentence,
}
