//! Drafts out of what conversations explain.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::write::{MAX_QUOTES, is_no_secret};
use crate::domain::{ArticleProposal, Proof, ProposalOutcome, ProvenSentence, Role, TurnCitation};
use crate::serve::auth::Principal;
use crate::serve::error::Problem;
use crate::serve::extract::Json;
use crate::serve::{Proposed, ServeState, WantedProposal};
use crate::store::wire;

const MAX_SENTENCES: usize = 50;
const MAX_SENTENCE_CHARS: usize = 2_000;

/// A conversation, and what somebody explained in it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    conversation_id: String,
    /// With the answer; without both, what the stored conversation explains.
    question: Option<SaidSentence>,
    answer: Option<Vec<SaidSentence>>,
    /// ISO 639-1; en unless told
    language: Option<String>,
    /// Tells what would become of it, and writes nothing.
    #[serde(default)]
    dry_run: bool,
}

/// A sentence, and the turns that it rests on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SaidSentence {
    sentence: String,
    #[serde(default)]
    turns: Vec<wire::TurnQuote>,
}

#[derive(Serialize, ToSchema)]
pub struct ProposalResult {
    /// covered: an article or a draft says it already; changed: the rest was proposed as a change to an article that says a
    /// part; drafted: a new article was drafted; known: what was written for it before stands
    outcome: &'static str,
    /// The article that says it, that was changed, or that was drafted.
    #[schema(required)]
    article_id: Option<String>,
    #[schema(required)]
    revision: Option<u32>,
    /// How likely the nearest article says it all, 0 to 1.
    #[schema(required)]
    coverage: Option<f32>,
    /// Published sentences that it contradicts.
    #[schema(required)]
    conflicts: Option<usize>,
}

/// Compares what a conversation explains with the articles in force, and drafts what none of them says. The
/// same again changes nothing. Who gives `question` and `answer` is the author of what is drafted from them.
#[utoipa::path(post, path = "/v1/articles/proposals", tag = "articles", request_body = Proposal,
    responses((status = 200, body = ProposalResult), super::super::openapi::Refusals))]
pub async fn propose(
    State(state): State<ServeState>,
    principal: Principal,
    Json(wanted): Json<Proposal>,
) -> Result<axum::Json<ProposalResult>, Problem> {
    is_no_secret("conversation_id", &wanted.conversation_id, &*state.masker)?;
    if wanted.conversation_id.trim().is_empty() {
        return Err(Problem::invalid("conversation_id: says which conversation"));
    }
    let wanted = said(&state, principal, wanted)?;
    let result = match state.proposals.propose(wanted).await? {
        Proposed::Known => ProposalResult {
            outcome: "known",
            article_id: None,
            revision: None,
            coverage: None,
            conflicts: None,
        },
        Proposed::Compared(compared) => ProposalResult {
            outcome: ProposalOutcome::as_str(compared.outcome),
            article_id: Some(compared.article.to_string()),
            revision: Some(compared.revision),
            coverage: Some(compared.coverage),
            conflicts: Some(compared.conflicts),
        },
    };
    Ok(axum::Json(result))
}

fn said(
    state: &ServeState,
    principal: Principal,
    wanted: Proposal,
) -> Result<WantedProposal, Problem> {
    let conversation = wanted.conversation_id.into();
    let said = match (wanted.question, wanted.answer) {
        (None, None) => None,
        (Some(question), Some(answer)) if (1..=MAX_SENTENCES).contains(&answer.len()) => {
            let question = proven(state, question, Role::Customer)?;
            let answer = answer.into_iter().map(|one| proven(state, one, Role::Agent));
            let answer = answer.collect::<Result<_, _>>()?;
            let language = wanted.language.unwrap_or_else(|| "en".to_owned());
            Some((language, ArticleProposal { question, answer }))
        }
        _ => {
            let detail = format!("with `question` comes `answer`, 1 to {MAX_SENTENCES} sentences");
            return Err(Problem::invalid(detail));
        }
    };
    let Principal { tenant, name: by, .. } = principal;
    Ok(WantedProposal { tenant, conversation, said, by, is_dry_run: wanted.dry_run })
}

fn proven(state: &ServeState, said: SaidSentence, role: Role) -> Result<ProvenSentence, Problem> {
    if said.turns.len() > MAX_QUOTES {
        return Err(Problem::invalid(format!("a sentence has {MAX_QUOTES} turns at most")));
    }
    if said.sentence.chars().count() > MAX_SENTENCE_CHARS {
        return Err(Problem::invalid(format!(
            "a sentence has {MAX_SENTENCE_CHARS} characters at most"
        )));
    }
    // One line, and no heading of an article.
    let words = said.sentence.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = (state.masker)(words.trim_start_matches(['#', ' ']));
    if text.as_str().is_empty() {
        return Err(Problem::invalid("a sentence says something"));
    }
    let cited = said.turns.into_iter().map(|turn| {
        is_no_secret("turn_id", &turn.turn_id, &*state.masker)?;
        let quote = (state.masker)(&turn.quote);
        let end_chars = quote.as_str().chars().count();
        let turn_id = turn.turn_id.into();
        Ok(Proof::Turn(TurnCitation { turn_id, role, start_chars: 0, end_chars, quote }))
    });
    Ok(ProvenSentence { text, proofs: cited.collect::<Result<_, Problem>>()?, support: 1.0 })
}
