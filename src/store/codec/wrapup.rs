//! Wrap-ups ⇄ the JSON that is stored and streamed.

use std::sync::Arc;

use super::{Encoded, citation, data, finite, json, party, wire};
use crate::domain::{
    ArticleProposal, Authorship, CaseSummary, Citation, Due, EmailDraft, EmailPart, EmailPurpose,
    Proof, ProposalCompared, ProposalOutcome, ProvenSentence, Recorded, Redacted, Role,
    StruckSentence, Summary, SummarySection, TurnCitation, WrapUp, WrapUpBody, WrapUpId,
    WrapUpVerdict,
};
use crate::store::StoreError;

pub const WRAPUP_SUMMARY: &str = "wrapup.summary";
pub const WRAPUP_EMAIL: &str = "wrapup.email";
pub const WRAPUP_ARTICLE: &str = "wrapup.article";
pub const WRAPUP_FOLLOW_UP: &str = "wrapup.followup";
pub const WRAPUP_DISPOSITION: &str = "wrapup.disposition";
pub const WRAPUP_VERDICT: &str = "wrapup.verdict";
pub const ARTICLE_COMPARED: &str = "article.compared";
/// Streamed only.
pub const WRAPUP_GROWING: &str = "wrapup.growing";

/// Drafts are written as drafts; what became of one is an event of its own.
const DRAFT: &str = "draft";

pub(super) fn encode(wrap_up: &WrapUp) -> Encoded {
    let head = head(wrap_up);
    match &wrap_up.body {
        WrapUpBody::Summary(x) => encoded!("wrapup.summary", summary(head, x)),
        WrapUpBody::Email(x) => encoded!("wrapup.email", email(head, x)),
        WrapUpBody::Article(x) => encoded!(
            "wrapup.article",
            wire::WrapUpArticle {
                head,
                question: sentence(&x.question),
                answer: sentences(&x.answer),
            }
        ),
        WrapUpBody::FollowUp(x) => encoded!(
            "wrapup.followup",
            wire::WrapUpFollowUp {
                head,
                kind: x.kind.as_str().into(),
                promised_by: x.promised_by.as_str().into(),
                sentence: sentence(&x.sentence),
                due: x.due.as_ref().map(due),
            }
        ),
        WrapUpBody::Disposition(x) => encoded!(
            "wrapup.disposition",
            wire::WrapUpDisposition {
                head,
                choices: x
                    .choices
                    .iter()
                    .map(|choice| wire::DispositionChoice {
                        code: choice.code.clone(),
                        label: choice.label.clone(),
                        probability: finite(choice.probability),
                        citations: choice.proofs.iter().map(evidence).collect(),
                    })
                    .collect(),
                none: finite(x.none),
            }
        ),
    }
}

pub fn wrapup_verdict(verdict: &WrapUpVerdict) -> wire::WrapUpVerdict {
    wire::WrapUpVerdict {
        wrapup_id: verdict.wrapup_id.to_string(),
        verdict: verdict.verdict.as_str().into(),
        text: verdict.edited_text.as_ref().map(|text| text.as_str().into()),
        sequence: verdict.seen,
    }
}

pub(super) fn compared(x: &ProposalCompared) -> wire::ArticleCompared {
    wire::ArticleCompared {
        wrapup_id: x.wrapup_id.to_string(),
        outcome: x.outcome.as_str().into(),
        article_id: x.article.to_string(),
        revision: x.revision,
        coverage: finite(x.coverage),
        conflicts: x.conflicts,
    }
}

/// The comparison behind a `article.compared`; `None` for every other kind.
///
/// # Errors
/// The event is damaged.
pub fn decode_compared(event: &Recorded) -> Result<Option<ProposalCompared>, StoreError> {
    if &*event.kind != ARTICLE_COMPARED {
        return Ok(None);
    }
    let wire: wire::ArticleCompared = data(event)?;
    let outcome = ProposalOutcome::parse(&wire.outcome).ok_or_else(|| {
        StoreError::Corrupt(format!("event {} names an unknown outcome", event.id))
    })?;
    Ok(Some(ProposalCompared {
        wrapup_id: wire.wrapup_id.into(),
        outcome,
        article: wire.article_id.into(),
        revision: wire.revision,
        coverage: wire.coverage,
        conflicts: wire.conflicts,
    }))
}

/// What an article could say, who wrote that and in which language, behind a `wrapup.article`; `None` for every other
/// kind.
///
/// # Errors
/// The event is damaged.
pub fn decode_proposal(
    event: &Recorded,
) -> Result<Option<(WrapUpId, String, String, ArticleProposal)>, StoreError> {
    if &*event.kind != WRAPUP_ARTICLE {
        return Ok(None);
    }
    let wire: wire::WrapUpArticle = data(event)?;
    let unknown = || StoreError::Corrupt(format!("event {} names an unknown role", event.id));
    let proven = |sentence: wire::Sentence| {
        let proofs = sentence.citations.into_iter().map(|one| proof(one).ok_or_else(unknown));
        Ok::<_, StoreError>(ProvenSentence {
            text: Redacted::vouched(sentence.text),
            proofs: proofs.collect::<Result<_, _>>()?,
            support: sentence.support,
        })
    };
    let proposal = ArticleProposal {
        question: proven(wire.question)?,
        answer: wire.answer.into_iter().map(proven).collect::<Result<_, _>>()?,
    };
    let wire::WrapUpHead { wrapup_id, language, authorship, .. } = wire.head;
    Ok(Some((wrapup_id.into(), authorship.provider, language, proposal)))
}

fn proof(evidence: wire::Evidence) -> Option<Proof> {
    Some(match evidence {
        wire::Evidence::Turn { turn_id, role, start, end, quote } => Proof::Turn(TurnCitation {
            turn_id: turn_id.into(),
            role: Role::parse(&role)?,
            start_chars: start,
            end_chars: end,
            quote: Redacted::vouched(quote),
        }),
        wire::Evidence::Passage(cited) => Proof::Passage(Citation {
            article_id: cited.article_id.into(),
            passage_id: cited.passage_id.into(),
            revision: cited.revision,
            start_chars: cited.start,
            end_chars: cited.end,
            quote: cited.quote,
        }),
    })
}

/// A case is asked for and not stored: it is made of conversations that are.
pub fn case_summary(case: &CaseSummary) -> wire::CaseSummary {
    wire::CaseSummary {
        conversations: case
            .entries
            .iter()
            .map(|entry| wire::CaseEntry {
                conversation: entry.conversation.to_string(),
                date: entry.date.to_string(),
                sentences: sentences(&entry.sentences),
            })
            .collect(),
        promises: case
            .promises
            .iter()
            .map(|(conversation, promise)| wire::CasePromise {
                conversation: conversation.to_string(),
                sentence: sentence(promise),
            })
            .collect(),
    }
}

/// The `data` of a `wrapup.growing` as JSON text: a draft as far as it is written and proven, or that
/// it won't come.
pub fn growing_data(id: &WrapUpId, so_far: Option<&WrapUp>) -> Arc<str> {
    let mut growing =
        wire::WrapUpGrowing { wrapup_id: id.as_str().into(), summary: None, email: None };
    match so_far.map(|draft| (draft, &draft.body)) {
        Some((draft, WrapUpBody::Summary(x))) => growing.summary = Some(summary(head(draft), x)),
        Some((draft, WrapUpBody::Email(x))) => growing.email = Some(email(head(draft), x)),
        _ => {}
    }
    json(&growing).into()
}

fn summary(head: wire::WrapUpHead, x: &Summary) -> wire::WrapUpSummary {
    wire::WrapUpSummary {
        head,
        sections: x.sections.iter().map(section).collect(),
        paragraph: sentences(&x.paragraph),
        parties: x.parties.iter().map(party).collect(),
        articles: x.articles.iter().map(citation).collect(),
    }
}

fn email(head: wire::WrapUpHead, x: &EmailDraft) -> wire::WrapUpEmail {
    wire::WrapUpEmail {
        head,
        purpose: x.purpose.as_str().into(),
        wish: match &x.purpose {
            EmailPurpose::Custom(wish) => Some(wish.as_str().into()),
            _ => None,
        },
        length: x.length.as_str().into(),
        tone: x.tone.as_str().into(),
        subject: x.subject.as_str().into(),
        subject_citations: x.subject_proofs.iter().map(evidence).collect(),
        parts: x.parts.iter().map(part).collect(),
    }
}

fn head(wrap_up: &WrapUp) -> wire::WrapUpHead {
    wire::WrapUpHead {
        wrapup_id: wrap_up.id.to_string(),
        state: DRAFT.into(),
        occasion: wrap_up.occasion.as_str().into(),
        language: wrap_up.language.clone(),
        authorship: authorship(&wrap_up.authorship),
        struck: struck(&wrap_up.struck),
    }
}

pub(super) fn struck(sentences: &[StruckSentence]) -> Vec<wire::Struck> {
    let struck = sentences.iter().map(|struck| wire::Struck {
        text: struck.text.as_str().into(),
        fault: struck.fault.as_str().into(),
        why: struck.why.as_str().into(),
    });
    struck.collect()
}

pub(super) fn authorship(authorship: &Authorship) -> wire::Authorship {
    wire::Authorship {
        provider: authorship.provider.clone(),
        model: authorship.model.clone(),
        prompt: authorship.prompt.as_ref().map(|prompt| wire::Prompt {
            id: prompt.id.clone(),
            version: prompt.version,
            sha256: prompt.sha256.clone(),
        }),
        seed: authorship.seed,
    }
}

fn section(section: &SummarySection) -> wire::SummarySection {
    wire::SummarySection { key: section.key.clone(), sentences: sentences(&section.sentences) }
}

pub(super) fn sentences(proven: &[ProvenSentence]) -> Vec<wire::Sentence> {
    proven.iter().map(sentence).collect()
}

pub(super) fn sentence(proven: &ProvenSentence) -> wire::Sentence {
    wire::Sentence {
        text: proven.text.as_str().into(),
        citations: proven.proofs.iter().map(evidence).collect(),
        support: finite(proven.support),
    }
}

fn part(part: &EmailPart) -> wire::EmailPart {
    wire::EmailPart {
        kind: part.kind.as_str().into(),
        paragraph: Some(part.paragraph),
        text: part.text.as_str().into(),
        citations: part.proofs.iter().map(evidence).collect(),
        support: finite(part.support),
    }
}

fn evidence(proof: &Proof) -> wire::Evidence {
    match proof {
        Proof::Turn(turn) => wire::Evidence::Turn {
            turn_id: turn.turn_id.to_string(),
            role: turn.role.as_str().into(),
            start: turn.start_chars,
            end: turn.end_chars,
            quote: turn.quote.as_str().into(),
        },
        Proof::Passage(passage) => wire::Evidence::Passage(citation(passage)),
    }
}

fn due(due: &Due) -> wire::Due {
    wire::Due {
        phrase: due.phrase.as_str().into(),
        date: due.date.map(|date| date.to_string()),
        time: due.time.map(|time| time.strftime("%H:%M").to_string()),
        until: due.until.map(|time| time.strftime("%H:%M").to_string()),
        is_limit: due.is_limit,
        time_zone: due.time_zone.clone(),
    }
}
