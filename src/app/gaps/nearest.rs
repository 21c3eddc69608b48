//! What the articles say to a gap's question today.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::app::blocking::blocking;
use crate::domain::TenantId;
use crate::flow::suggestion::{SuggestionSettings, likely_articles, question_query};
use crate::knowledge::Library;
use crate::serve::{Failure, NearestArticle};
use crate::store::gaps::GapRow;

/// More answers than this are not remembered.
const REMEMBERED: usize = 4_096;

/// The articles of one tenant, with what they were found to say.
pub(super) struct Shelf {
    library: Library,
    tenant: Option<TenantId>,
    settings: SuggestionSettings,
    /// By the question that stands for a gap.
    known: Mutex<HashMap<u64, Option<NearestArticle>>>,
}

impl Shelf {
    pub fn new(library: Library, tenant: Option<TenantId>, settings: SuggestionSettings) -> Self {
        Self { library, tenant, settings, known: Mutex::default() }
    }

    /// The article that comes nearest to a gap's question; `None` if nothing is found.
    ///
    /// # Errors
    /// The search fails.
    pub async fn nearest(
        &self,
        tenant: &TenantId,
        row: &GapRow,
    ) -> Result<Option<NearestArticle>, Failure> {
        if self.tenant.as_ref() != Some(tenant) {
            return Ok(None);
        }
        if let Some(known) = self.lock().get(&row.medoid) {
            return Ok(known.clone());
        }
        let (library, settings) = (self.library.clone(), self.settings.clone());
        let question = row.context.as_ref().unwrap_or(&row.question).clone();
        let (nearest, degraded) = blocking(move || {
            let query = question_query(question.as_str(), &[], &settings);
            let found = library.search(&query.request).map_err(|error| Failure::of(&error))?;
            Ok((likely_articles(&query, &found).into_iter().next(), found.degraded))
        })
        .await?;
        let nearest = nearest.map(|(id, title, score)| NearestArticle {
            article_id: id.to_string(),
            title,
            score,
        });
        let mut known = self.lock();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        // With its vectors the library may know better.
        if !degraded {
            known.insert(row.medoid, nearest.clone());
        }
        Ok(nearest)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Option<NearestArticle>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
