//! What the articles say to a gap's question today, and since when.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::app::blocking::blocking;
use crate::domain::{ArticleId, ArticleState, TenantId};
use crate::flow::suggestion::{SuggestionSettings, likely_articles, question_query};
use crate::knowledge::Library;
use crate::serve::{Failure, NearestArticle};
use crate::store::gaps::GapRow;
use crate::store::{ArticleLog, StoreError};

/// More answers than this are not remembered.
const REMEMBERED: usize = 4_096;
/// Letters and digits of a gap's identifier that an article's name ends with.
const NAME_DIGITS: usize = 8;
const NAME_WORDS: usize = 8;

/// The articles, with what they were found to say. The library holds one tenant's.
pub(super) struct Shelf {
    library: Library,
    log: Arc<dyn ArticleLog>,
    tenant: Option<TenantId>,
    settings: SuggestionSettings,
    /// By the question that stands for a gap: what was said when the log of articles was so long.
    known: Mutex<HashMap<u64, (u64, Said)>>,
}

/// What the articles in force say to a question.
#[derive(Clone, Default)]
struct Said {
    nearest: Option<NearestArticle>,
    /// The articles that answer it, the likeliest first.
    answers: Vec<ArticleId>,
}

/// What was written for a gap.
#[derive(Clone, Default)]
pub(super) struct Standing {
    pub nearest: Option<NearestArticle>,
    /// What was drafted for it or answers it.
    pub article: Option<ArticleId>,
    /// When that came into force after the gap was opened; `None` if it isn't in force.
    pub published_at: Option<Timestamp>,
    /// Whether it is found by the gap's question.
    pub answers: bool,
    /// Whether it is a draft that never was in force.
    pub is_drafted: bool,
}

impl Shelf {
    pub fn new(
        library: Library,
        log: Arc<dyn ArticleLog>,
        tenant: Option<TenantId>,
        settings: SuggestionSettings,
    ) -> Self {
        Self { library, log, tenant, settings, known: Mutex::default() }
    }

    /// # Errors
    /// The log of articles can't be read, or the search fails.
    pub async fn standing(&self, tenant: &TenantId, row: &GapRow) -> Result<Standing, Failure> {
        let failed = |error: StoreError| Failure::of(&error);
        let said = self.said(tenant, row).await?;
        let drafted = draft_id(&row.id, row.opener.as_str());
        let draft = self.log.article(tenant, &drafted).await.map_err(failed)?;
        let draft = draft.filter(|draft| draft.state() != ArticleState::Retired);
        if let Some(draft) = &draft
            && draft.published.is_none()
        {
            return Ok(Standing {
                nearest: said.nearest,
                article: Some(drafted),
                is_drafted: true,
                ..Standing::default()
            });
        }
        let of_draft = draft.is_some().then_some(&drafted);
        for article in of_draft.into_iter().chain(&said.answers) {
            let published_at =
                self.published_after(tenant, article, row.opened_at).await.map_err(failed)?;
            if published_at.is_some() {
                return Ok(Standing {
                    answers: said.answers.contains(article),
                    article: Some(article.clone()),
                    nearest: said.nearest,
                    published_at,
                    is_drafted: false,
                });
            }
        }
        Ok(Standing { nearest: said.nearest, ..Standing::default() })
    }

    /// When an article that is in force was first published after a moment.
    async fn published_after(
        &self,
        tenant: &TenantId,
        article: &ArticleId,
        moment: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let in_force = self.log.article(tenant, article).await?.and_then(|row| row.published);
        if in_force.is_none() {
            return Ok(None);
        }
        let history = self.log.history(tenant, article).await?;
        let mut published =
            history.iter().filter(|line| line.action.leads_to() == ArticleState::Published);
        Ok(published.find(|line| line.time > moment).map(|line| line.time))
    }

    async fn said(&self, tenant: &TenantId, row: &GapRow) -> Result<Said, Failure> {
        if self.tenant.as_ref() != Some(tenant) {
            return Ok(Said::default());
        }
        // Before the search: what changes meanwhile is looked up again.
        let length = self.log.newest_revision().await.map_err(|error| Failure::of(&error))?;
        if let Some((at, said)) = self.lock().get(&row.medoid)
            && *at == length
        {
            return Ok(said.clone());
        }
        let (library, settings) = (self.library.clone(), self.settings.clone());
        let question = row.context.as_ref().unwrap_or(&row.question).clone();
        let (said, is_degraded) = blocking(move || {
            let query = question_query(question.as_str(), &[], &settings);
            let found = library.search(&query.request).map_err(|error| Failure::of(&error))?;
            let likely = likely_articles(&query, &found);
            let answers = likely.iter().filter(|(.., score)| *score >= settings.ask_threshold);
            let answers = answers.map(|(id, ..)| id.clone()).collect();
            let nearest = likely.into_iter().next().map(|(id, title, score)| NearestArticle {
                article_id: id.to_string(),
                title,
                score,
            });
            Ok((Said { nearest, answers }, found.degraded))
        })
        .await?;
        // With its vectors the library may know better.
        if !is_degraded {
            let mut known = self.lock();
            if known.len() >= REMEMBERED {
                known.clear();
            }
            known.insert(row.medoid, (length, said.clone()));
        }
        Ok(said)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, (u64, Said)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name of the article that is drafted for a gap: from its first question, so that it stays.
pub(super) fn draft_id(gap: &str, opener: &str) -> ArticleId {
    let words = opener.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let mut name: Vec<String> = words.take(NAME_WORDS).map(str::to_lowercase).collect();
    name.push(gap.trim_start_matches("g-").chars().take(NAME_DIGITS).collect());
    let name: String = name.join("-");
    let cut = name.char_indices().rev().nth(120).map_or(0, |(at, _)| at);
    ArticleId::from(format!("gaps/{}", name[cut..].trim_start_matches('-')))
}

#[cfg(test)]
mod tests {
    use super::draft_id;

    #[test]
    fn a_drafts_name_says_what_is_asked_and_is_like_no_other() {
        let of = |gap: &str, opener: &str| draft_id(gap, opener).to_string();
        let name = of("g-0123456789abcdef", "Do you do a [digits-1] discount?");
        assert_eq!(name, "gaps/do-you-do-a-digits-1-discount-01234567");
        assert_eq!(of("g-0123456789abcdef", "…"), "gaps/01234567");
        assert!(of("g-0123456789abcdef", &"ü".repeat(900)).chars().count() < 140);
    }
}
