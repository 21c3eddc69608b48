//! What files say, taken over into the log.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::{
    ArticleAction, ArticleId, ArticleState, ArticlesImported, EventBody, ImportedRevision,
    NewEvent, NewRevision, TenantId,
};
use crate::insight::redaction;
use crate::serve::{ImportItem, ImportOutcome};
use crate::store::articles::codec::{content_hash, revision_hash};
use crate::store::{ArticleLog, ArticleRow, StoreError};

/// The author of what comes from files.
pub const IMPORT: &str = "import";
/// Revisions that are made durable together.
const TOGETHER: usize = 200;

/// Publishes what is new or has changed in its file since the last import. What people have changed
/// or retired since stays as it is.
///
/// # Errors
/// The log can't be read or written; what was written before stands, and the same import goes on.
pub async fn import(
    log: &dyn ArticleLog,
    tenant: &TenantId,
    by: &str,
    items: Vec<ImportItem>,
    is_dry_run: bool,
) -> Result<Vec<ImportOutcome>, StoreError> {
    let mut outcomes = Vec::with_capacity(items.len());
    let mut seen = BTreeSet::new();
    let mut news = ArticlesImported::default();
    let mut waiting: BTreeMap<usize, NewRevision> = BTreeMap::new();
    let ids: Vec<ArticleId> = items.iter().map(|item| item.id.clone()).collect();
    let rows = log.articles_named(tenant, &ids).await?;
    let mut rows: HashMap<ArticleId, ArticleRow> =
        rows.into_iter().map(|row| (row.id.clone(), row)).collect();
    for item in items {
        if !seen.insert(item.id.clone()) {
            let why = format!("the id {} stands twice; the first one was taken", item.id);
            outcomes.push(ImportOutcome::Refused(why));
            continue;
        }
        if redaction::published(item.id.as_str()).as_str() != item.id.as_str() {
            let why = "its id looks like the number of a card: give it another".to_owned();
            outcomes.push(ImportOutcome::Refused(why));
            continue;
        }
        let row = rows.remove(&item.id);
        let outcome = outcome(row.as_ref(), &content_hash(&item.content));
        match outcome {
            ImportOutcome::New => news.new += 1,
            ImportOutcome::Changed => news.changed += 1,
            _ => {
                outcomes.push(outcome);
                continue;
            }
        }
        let based_on = row.map_or(0, |row| row.number);
        waiting.insert(outcomes.len(), revision(item, based_on, by));
        outcomes.push(outcome);
        if waiting.len() >= TOGETHER && !is_dry_run {
            write(log, tenant, std::mem::take(&mut waiting), &mut news, &mut outcomes).await?;
        }
    }
    if !is_dry_run && !waiting.is_empty() {
        write(log, tenant, waiting, &mut news, &mut outcomes).await?;
    }
    Ok(outcomes)
}

fn revision(item: ImportItem, based_on: u32, by: &str) -> NewRevision {
    NewRevision {
        article: item.id,
        based_on,
        action: ArticleAction::Import,
        author: IMPORT.to_owned(),
        by: by.to_owned(),
        approver: None,
        time: Timestamp::now(),
        comment: None,
        content: Arc::new(item.content),
        provenance: Arc::default(),
    }
}

/// What is told of one.
fn imported(new: &NewRevision) -> ImportedRevision {
    ImportedRevision {
        article_id: new.article.clone(),
        revision: new.based_on + 1,
        hash: revision_hash(new),
    }
}

fn outcome(row: Option<&ArticleRow>, hash: &str) -> ImportOutcome {
    let Some(row) = row else { return ImportOutcome::New };
    let imported = row.imported_hash.as_deref();
    if imported == Some(hash) || (row.content_hash == hash && row.published == Some(row.number)) {
        return ImportOutcome::Unchanged;
    }
    let (number, by) = (row.number, &row.by);
    if row.state() == ArticleState::Retired {
        return ImportOutcome::Kept(format!("{by} has retired it (revision {number})"));
    }
    match imported == Some(&*row.content_hash) {
        true => ImportOutcome::Changed,
        false => ImportOutcome::Kept(format!("{by} has changed it (revision {number})")),
    }
}

/// One group, with one notice. Where somebody was faster, that stands, and the others are written
/// one by one.
async fn write(
    log: &dyn ArticleLog,
    tenant: &TenantId,
    waiting: BTreeMap<usize, NewRevision>,
    news: &mut ArticlesImported,
    outcomes: &mut [ImportOutcome],
) -> Result<(), StoreError> {
    let notice = |news| NewEvent::at(Timestamp::now(), EventBody::ArticlesImported(news));
    let all: Vec<NewRevision> = waiting.values().cloned().collect();
    news.revisions = all.iter().map(imported).collect();
    match log.revise(tenant, all, vec![notice(std::mem::take(news))]).await {
        Ok(_) => return Ok(()),
        Err(StoreError::StaleRevision { .. }) => {}
        Err(error) => return Err(error),
    }
    for (at, revision) in waiting {
        let one = match revision.based_on {
            0 => ArticlesImported { new: 1, ..Default::default() },
            _ => ArticlesImported { changed: 1, ..Default::default() },
        };
        let one = ArticlesImported { revisions: vec![imported(&revision)], ..one };
        match log.revise(tenant, vec![revision], vec![notice(one)]).await {
            Ok(_) => {}
            Err(StoreError::StaleRevision { newest, .. }) => {
                let why = format!("somebody has changed it at this moment (revision {newest})");
                outcomes[at] = ImportOutcome::Kept(why);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
