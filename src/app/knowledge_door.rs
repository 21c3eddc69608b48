//! The library as the HTTP doors need it.

use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::{Article, ArticleId, ErrorKind, QuestionAnswer, TenantId, Turn};
use crate::flow::suggestion::{self, SuggestionSettings};
use crate::knowledge::{Library, SearchHit, SearchMode, SearchRequest};
use crate::serve::{
    Answerer, ArticleHit, ArticleSource, AskedQuestion, Failure, FoundArticles, FoundSentence,
};
use crate::store::{KindFilter, MAX_READ, ReadQuery, Store, codec};

/// An agent's question may lean on so many of the last turns.
const RECENT_TURNS: usize = 8;

/// Searches run on blocking threads.
pub(super) struct KnowledgeDoor {
    pub library: Library,
    pub store: Arc<dyn Store>,
    pub suggestion: SuggestionSettings,
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

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let failed = |error: tokio::task::JoinError| Failure {
        kind: ErrorKind::Internal,
        message: error.to_string(),
    };
    tokio::task::spawn_blocking(work).await.map_err(failed)?
}

#[async_trait]
impl Answerer for KnowledgeDoor {
    async fn answer(&self, asked: AskedQuestion) -> Result<QuestionAnswer, Failure> {
        let begun = std::time::Instant::now();
        let recent = self.recent_turns(&asked).await?;
        let (library, settings) = (self.library.clone(), self.suggestion.clone());
        blocking(move || {
            let query = suggestion::question_query(asked.question.as_str(), &recent, &settings);
            let found = library.search(&query.request).map_err(|error| Failure::of(&error))?;
            let (answer, nearest) = match suggestion::answer_question(&query, &found, &settings) {
                Ok(answer) => (Some(answer), Vec::new()),
                Err(nearest) => (None, nearest),
            };
            Ok(QuestionAnswer {
                question_id: asked.id,
                question: asked.question,
                answer,
                nearest,
                latency_ms: begun.elapsed().as_millis() as u64,
            })
        })
        .await
    }
}

#[async_trait]
impl ArticleSource for KnowledgeDoor {
    fn article(&self, _tenant: &TenantId, id: &ArticleId) -> Option<Arc<Article>> {
        self.library.article(id)
    }

    fn articles(&self, _tenant: &TenantId) -> Vec<Arc<Article>> {
        self.library.articles()
    }

    async fn search(
        &self,
        _tenant: &TenantId,
        query: &str,
        limit: usize,
        mode: SearchMode,
    ) -> Result<FoundArticles, Failure> {
        let library = self.library.clone();
        let mut request = SearchRequest::new(query);
        request.limit = limit;
        request.mode = mode;
        blocking(move || {
            let found = library.search(&request).map_err(|error| Failure::of(&error))?;
            let items = found.hits.iter().map(article_hit).collect();
            Ok(FoundArticles { items, degraded: found.degraded })
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
