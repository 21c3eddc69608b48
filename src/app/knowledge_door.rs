//! The library as the HTTP doors need it.

use std::sync::Arc;

use async_trait::async_trait;

use super::blocking::blocking;
use crate::domain::{
    Answer, Citation, ErrorKind, Generator, Proof, QuestionAnswer, Redacted, Reply, Spoken,
    StruckSentence, TenantId, Turn, Unanswered, Wording,
};
use crate::flow::suggestion::{self, Asked, Nearest, SuggestionSettings};
use crate::flow::voice::{Answered, OnStep, QuestionOrder, Voice};
use crate::knowledge::{Library, SearchHit, SearchRequest, SearchResponse};
use crate::serve::{
    Answerer, ArticleHit, ArticleSource, AskedQuestion, Failure, FoundArticles, FoundSentence,
    Question,
};
use crate::store::wire::QuestionsSuggested;
use crate::store::{KindFilter, MAX_READ, ReadQuery, Store, StoreError, codec};

/// An agent's question may lean on so many of the last turns.
const RECENT_TURNS: usize = 8;
/// Kinds that tell what a question goes on with.
const QUESTIONS: &str = "question.answered,suggestion.questions";

/// Searches run on blocking threads.
pub(super) struct KnowledgeDoor {
    pub library: Library,
    /// Whose articles these are.
    pub tenant: TenantId,
    pub store: Arc<dyn Store>,
    pub suggestion: SuggestionSettings,
    pub voice: Voice,
}

impl KnowledgeDoor {
    async fn recent_turns(&self, asked: &AskedQuestion) -> Result<Vec<Turn>, Failure> {
        let mut query = ReadQuery::all(asked.tenant.clone(), 0).of(asked.conversation.clone());
        query.kinds = KindFilter::exactly("turn.final");
        let mut turns: Vec<Turn> = Vec::new();
        loop {
            let page = self.store.read(&query).await.map_err(|error| Failure::of(&error))?;
            for event in &page {
                query.after = event.position;
                turns.extend(codec::decode_turn(event).map_err(|error| Failure::of(&error))?);
            }
            turns.drain(..turns.len().saturating_sub(RECENT_TURNS));
            if page.len() < MAX_READ {
                return Ok(turns);
            }
        }
    }
}

impl KnowledgeDoor {
    /// The question that this one goes on with: the one that it is said to answer, or the last one if
    /// that was answered by a question back and this is none.
    async fn asked_before(&self, asked: &AskedQuestion) -> Result<Option<Redacted>, Failure> {
        let failed = |error: StoreError| Failure::of(&error);
        let mut query = ReadQuery::all(asked.tenant.clone(), 0).of(asked.conversation.clone());
        query.kinds =
            KindFilter::parse(QUESTIONS).expect("the kinds are a constant; this is a bug");
        let (mut open, mut named, mut was_suggested) = (None, None, false);
        loop {
            let page = self.store.read(&query).await.map_err(failed)?;
            for event in &page {
                query.after = event.position;
                if &*event.kind == codec::SUGGESTION_QUESTIONS {
                    let suggested: QuestionsSuggested = codec::data(event).map_err(failed)?;
                    let text = asked.question.as_str();
                    was_suggested |= suggested.questions.iter().any(|one| one.question == text);
                    continue;
                }
                open = codec::decode_asked_back(event, open).map_err(failed)?;
                named = open.clone().filter(|(id, _)| asked.answers.as_ref() == Some(id)).or(named);
            }
            if page.len() < MAX_READ {
                break;
            }
        }
        let before = match &asked.answers {
            Some(_) => Some(named.ok_or_else(|| Failure {
                kind: ErrorKind::Invalid,
                message: "answers: no question of this call with that id was asked back".to_owned(),
            })?),
            None if was_suggested => None,
            None => open.filter(|_| !suggestion::is_own_question(asked.question.as_str())),
        };
        Ok(before.map(|(_, question)| question))
    }
}

/// What was found without a model.
struct Found {
    quoted: Asked,
    response: SearchResponse,
}

impl Found {
    fn reply(quoted: Asked, struck: &[StruckSentence]) -> (Reply, Nearest) {
        match quoted {
            Asked::Answer(answer) => (Reply::Answer(*answer), Vec::new()),
            Asked::Ambiguous(meant) => {
                let question = suggestion::which_of(&meant);
                (Reply::AskBack { question, authorship: None }, meant)
            }
            Asked::Nothing(nearest) => {
                let why = match struck.is_empty() {
                    true => Unanswered::NothingFound,
                    false => Unanswered::NothingProven,
                };
                (Reply::None { why }, nearest)
            }
        }
    }

    /// What a model wrote in the form of an answer: where it is from, and how likely it is.
    fn written(&self, spoken: &Spoken) -> Answer {
        let proofs = spoken.sentences.iter().flat_map(|sentence| &sentence.proofs);
        let passages = proofs.filter_map(|proof| match proof {
            Proof::Passage(citation) => Some(citation.clone()),
            Proof::Turn(_) => None,
        });
        let mut citations: Vec<Citation> = Vec::new();
        for citation in passages {
            if !citations.contains(&citation) {
                citations.push(citation);
            }
        }
        let first = citations.first().and_then(|first| {
            self.response.hits.iter().find(|hit| hit.passage().id == first.passage_id)
        });
        Answer {
            title: first.map_or_else(|| "This call".to_owned(), |hit| hit.article.title.clone()),
            heading: first.map_or_else(String::new, |hit| hit.passage().heading.clone()),
            text: spoken.text(),
            citations,
            score: spoken.sentences.iter().map(|one| one.support).fold(1.0, f32::min),
            why: first.map_or_else(Vec::new, |hit| hit.why.clone()),
            generator: Generator::Provider,
            valid_from: first.and_then(|hit| hit.article.valid_from),
            is_verbatim: false,
        }
    }
}

#[async_trait]
impl Answerer for KnowledgeDoor {
    async fn answer(
        &self,
        asked: AskedQuestion,
        on_step: OnStep<'_>,
    ) -> Result<QuestionAnswer, Failure> {
        let begun = std::time::Instant::now();
        let recent = self.recent_turns(&asked).await?;
        let question = match self.asked_before(&asked).await? {
            Some(before) => Redacted::assembled(&[
                Wording::Of(&before),
                Wording::Fixed(" "),
                Wording::Of(&asked.question),
            ]),
            None => asked.question.clone(),
        };
        let (library, settings) = (self.library.clone(), self.suggestion.clone());
        let (turns, words) = (recent.clone(), question.clone());
        let may_see = asked.tenant == self.tenant;
        let found = blocking(move || {
            let mut query = suggestion::question_query(words.as_str(), &turns, &settings);
            query.request.filter.valid_on.get_or_insert(jiff::Zoned::now().date());
            let response = match may_see {
                true => library.search(&query.request).map_err(|error| Failure::of(&error))?,
                false => SearchResponse::default(),
            };
            let quoted = suggestion::answer_question(&query, &response, &settings);
            Ok(Found { quoted, response })
        })
        .await?;
        // Words that may not be changed are the answer as they stand.
        let is_verbatim = matches!(&found.quoted, Asked::Answer(answer) if answer.is_verbatim);
        let written = match self.voice.answers() && !is_verbatim {
            true => {
                let order = QuestionOrder {
                    tenant: asked.tenant.clone(),
                    question,
                    turns: recent,
                    passages: suggestion::passages(&found.response),
                };
                self.voice.answer(order, on_step).await
            }
            false => Answered::NotWritten,
        };
        let mut struck = Vec::new();
        let (reply, nearest) = match written {
            Answered::Spoken(spoken) => {
                (Reply::Written(Box::new(found.written(&spoken)), Box::new(spoken)), Vec::new())
            }
            Answered::AskBack { question, authorship } => {
                (Reply::AskBack { question, authorship: Some(authorship) }, Vec::new())
            }
            Answered::Nothing { struck: gone } => {
                struck = gone;
                Found::reply(found.quoted, &struck)
            }
            Answered::NotWritten => Found::reply(found.quoted, &[]),
        };
        Ok(QuestionAnswer {
            question_id: asked.id,
            question: asked.question,
            reply,
            struck,
            nearest,
            latency_ms: begun.elapsed().as_millis() as u64,
        })
    }
}

#[async_trait]
impl ArticleSource for KnowledgeDoor {
    async fn search(
        &self,
        tenant: &TenantId,
        question: Question,
    ) -> Result<FoundArticles, Failure> {
        if *tenant != self.tenant {
            return Ok(FoundArticles::default());
        }
        let library = self.library.clone();
        let mut request = SearchRequest::new(question.query);
        request.limit = question.limit;
        request.mode = question.mode;
        request.filter = question.filter;
        blocking(move || {
            let found = library.search(&request).map_err(|error| Failure::of(&error))?;
            let items = found.hits.iter().map(article_hit).collect();
            Ok(FoundArticles { items, degraded: found.degraded, search_id: None })
        })
        .await
    }
}

fn article_hit(hit: &SearchHit) -> ArticleHit {
    let passage = hit.passage();
    ArticleHit {
        article_id: hit.article.id.to_string(),
        passage_id: passage.id.to_string(),
        title: hit.article.title.clone(),
        heading: passage.heading.clone(),
        text: passage.text.clone(),
        score: hit.score,
        why: hit.why.clone(),
        sentence: Some(FoundSentence {
            start: hit.sentence.start_chars,
            end: hit.sentence.end_chars,
            quote: hit.quote().to_owned(),
        }),
    }
}
