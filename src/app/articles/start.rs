//! What the service does about articles when it starts: takes over files, builds the library.

use std::sync::Arc;
use std::time::Instant;

use super::import::{IMPORT, import};
use crate::app::{AppError, SAMPLE};
use crate::config::Config;
use crate::domain::TenantId;
use crate::insight::redaction;
use crate::knowledge::{Library, LibrarySettings, Source, cache_folder, read};
use crate::serve::{ImportItem, ImportOutcome};
use crate::store::ArticleLog;

/// A library, and up to where it follows the log.
pub struct Opened {
    pub library: Library,
    pub position: u64,
}

/// Takes over the configured folder, or the sample in the demo, and builds the library from the log.
///
/// # Errors
/// The folder can't be listed, or the log can't be read.
pub async fn open(
    config: &Config,
    demo: bool,
    tenant: &TenantId,
    log: &Arc<dyn ArticleLog>,
) -> Result<Opened, AppError> {
    let source = match &config.knowledge.folder {
        Some(folder) => Some(Source::Folder(folder.clone())),
        None => demo.then_some(Source::Embedded(&SAMPLE)),
    };
    if let Some(source) = source.clone() {
        take_over(source, tenant, log).await?;
    }
    let mut settings = LibrarySettings::new(source.unwrap_or(Source::Folder("".into())));
    settings.cache = cache_folder(&|name| std::env::var(name).ok());
    let opened = library_of(log.as_ref(), tenant, settings).await?;
    if opened.library.articles().is_empty() {
        tracing::warn!("there are no articles, so there will be no cards: set knowledge.folder");
    }
    Ok(opened)
}

async fn take_over(
    source: Source,
    tenant: &TenantId,
    log: &Arc<dyn ArticleLog>,
) -> Result<(), AppError> {
    let files = move || -> Result<Vec<ImportItem>, AppError> {
        let mut items = Vec::new();
        for (file, text) in source.files().map_err(|error| AppError::of(&error))? {
            match text.map(|text| read(&file, &text)) {
                Ok(Ok(article)) => items.push(ImportItem {
                    id: article.id.clone(),
                    content: article.masked(&redaction::published),
                }),
                Ok(Err(complaint)) => tracing::warn!(%complaint, "an article was left out"),
                Err(reason) => tracing::warn!(file, reason, "an article was left out"),
            }
        }
        Ok(items)
    };
    let items = tokio::task::spawn_blocking(files).await.map_err(AppError::broke)??;
    let ids: Vec<_> = items.iter().map(|item| item.id.clone()).collect();
    let outcomes = import(log.as_ref(), tenant, IMPORT, items, false).await;
    let outcomes = outcomes.map_err(|error| AppError::of(&error))?;
    let (mut new, mut changed) = (0, 0);
    for (article, outcome) in ids.iter().zip(&outcomes) {
        match outcome {
            ImportOutcome::New => new += 1,
            ImportOutcome::Changed => changed += 1,
            ImportOutcome::Unchanged => {}
            ImportOutcome::Kept(why) | ImportOutcome::Refused(why) => {
                tracing::warn!(%article, why, "its file says something else, which was left");
            }
        }
    }
    if new + changed > 0 {
        tracing::info!(new, changed, "articles were taken over from files");
    }
    Ok(())
}

/// The library of what is in force.
///
/// # Errors
/// The log can't be read, or the index can't be built.
pub async fn library_of(
    log: &dyn ArticleLog,
    tenant: &TenantId,
    settings: LibrarySettings,
) -> Result<Opened, AppError> {
    let begun = Instant::now();
    // Before what is in force: whatever comes between is seen twice, and none is missed.
    let position = log.newest_revision().await.map_err(|error| AppError::of(&error))?;
    let mut in_force = Vec::new();
    loop {
        let after = in_force.last().map(|one: &Arc<crate::domain::ArticleRevision>| &one.article);
        let page = log.in_force(tenant, after).await.map_err(|error| AppError::of(&error))?;
        if page.is_empty() {
            break;
        }
        in_force.extend(page);
    }
    let build = move || Library::of_revisions(&in_force, &settings);
    let library = tokio::task::spawn_blocking(build)
        .await
        .map_err(AppError::broke)?
        .map_err(|error| AppError::of(&error))?;
    tracing::info!(
        articles = library.articles().len(),
        milliseconds = begun.elapsed().as_millis() as u64,
        "the articles are indexed"
    );
    Ok(Opened { library, position })
}
