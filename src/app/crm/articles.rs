//! Articles that were published here, as drafts for the CRM's own knowledge base.

use super::CrmDesk;
use super::desk::of;
use crate::domain::{ArticleId, DedupeKey, Effect, PushedArticle, Recorded, TenantId};
use crate::flow::feedback::outcome::{Planned, Rule};
use crate::serve::Failure;
use crate::store::{codec, wire};

impl CrmDesk {
    /// Puts a published article into the outbox. Its next revision is another effect, after this one.
    ///
    /// # Errors
    /// The log can't be read or written.
    pub(super) async fn push_article(
        &self,
        tenant: &TenantId,
        event: &Recorded,
    ) -> Result<(), Failure> {
        let Some(crm) = self.crm.as_ref().filter(|_| self.settings.pushes_articles) else {
            return Ok(());
        };
        let changed: wire::ArticleChanged = codec::data(event).map_err(of)?;
        let (article, revision) = (ArticleId::from(changed.article_id), changed.revision);
        let published = self.articles.revision(tenant, &article, revision).await.map_err(of)?;
        let Some(published) = published else { return Ok(()) };
        let planned = Planned {
            id: "article".into(),
            rule: Rule::Automatic,
            title: "Article",
            destination: crm.name().to_owned(),
            lane: format!("article:{article}"),
            key: DedupeKey::of(&["article", article.as_str(), &revision.to_string()]),
            effect: Effect::PushArticle(PushedArticle {
                article,
                revision,
                title: published.content.title.clone(),
                body: published.content.body.clone(),
            }),
            from: None,
        };
        self.post(tenant, &event.conversation, vec![planned], None).await.map(drop)
    }
}
