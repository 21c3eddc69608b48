//! Where articles go to and come from: a running service, or the data folder of one that isn't.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use reqwest::header::AUTHORIZATION;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::app::articles::{IMPORT, import};
use crate::batch::articles::to_markdown;
use crate::cli::client::client_of;
use crate::domain::{Classify, ErrorKind, TenantId};
use crate::insight::redaction;
use crate::knowledge::FileArticle;
use crate::serve::ImportItem;
use crate::store::{ArticleLog, ArticleQuery, SqliteStore, Store};

/// A request takes no more than this, with room for what stands around the articles.
const REQUEST_BYTES: usize = 200 << 10;
const REQUEST_ARTICLES: usize = 100;

#[derive(Debug, Args)]
pub struct ServiceArgs {
    /// The running service; its key is read from BACKCHANNEL_API_KEY
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    url: String,
}

#[derive(Debug, Args)]
pub struct TargetArgs {
    #[command(flatten)]
    service: ServiceArgs,
    /// The data folder of a service that isn't running, instead
    #[arg(long, value_name = "DIR", conflicts_with = "url")]
    data: Option<PathBuf>,
    /// Whose articles, with --data
    #[arg(long, default_value = "default", requires = "data")]
    tenant: String,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    kind: ErrorKind,
    message: String,
}

impl Refusal {
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

impl Classify for Refusal {
    fn kind(&self) -> ErrorKind {
        self.kind
    }
}

/// What became of an article.
#[derive(Debug)]
pub struct Outcome {
    pub id: String,
    /// new, changed, unchanged, kept or refused
    pub what: String,
    pub detail: Option<String>,
}

pub enum Target {
    Service(Service),
    Folder(Arc<SqliteStore>, TenantId),
}

impl ServiceArgs {
    /// # Errors
    /// There is no key, or the address is none.
    pub fn open(&self) -> anyhow::Result<Service> {
        let key = std::env::var("BACKCHANNEL_API_KEY").unwrap_or_default();
        if key.is_empty() {
            let why = "no key: set BACKCHANNEL_API_KEY to that of the running service";
            return Err(Refusal::new(ErrorKind::Invalid, why).into());
        }
        let wrong =
            |why: String| Refusal::new(ErrorKind::Invalid, format!("--url {}: {why}", self.url));
        let (url, builder) = client_of(&self.url).map_err(wrong)?;
        // Article by article goes to one place; nothing is sent on to another.
        let client = builder.redirect(reqwest::redirect::Policy::none()).build()?;
        let url = url.as_str().trim_end_matches('/').to_owned();
        Ok(Service { client, url, key })
    }
}

impl TargetArgs {
    /// # Errors
    /// The folder is in use, or the address is none.
    pub async fn open(&self) -> anyhow::Result<Target> {
        if let Some(folder) = &self.data {
            let store = SqliteStore::open(folder, Arc::new(|_| ())).await?;
            return Ok(Target::Folder(Arc::new(store), self.tenant.as_str().into()));
        }
        Ok(Target::Service(self.service.open()?))
    }
}

impl Target {
    /// # Errors
    /// The service or the log refuses the whole.
    pub async fn import(
        &self,
        articles: Vec<FileArticle>,
        is_dry_run: bool,
    ) -> anyhow::Result<Vec<Outcome>> {
        match self {
            Self::Service(service) => service.import(&articles, is_dry_run).await,
            Self::Folder(store, tenant) => {
                let ids: Vec<String> = articles.iter().map(|one| one.id.to_string()).collect();
                let item = |article: FileArticle| ImportItem {
                    id: article.id.clone(),
                    content: article.masked(&redaction::published),
                };
                let items = articles.into_iter().map(item).collect();
                let outcomes = import(store.as_ref(), tenant, IMPORT, items, is_dry_run).await?;
                let outcome = |(id, outcome): (String, crate::serve::ImportOutcome)| Outcome {
                    id,
                    what: outcome.as_str().to_owned(),
                    detail: outcome.detail(),
                };
                Ok(ids.into_iter().zip(outcomes).map(outcome).collect())
            }
        }
    }

    /// The articles in force that came from files.
    ///
    /// # Errors
    /// The list can't be read.
    pub async fn imported(&self) -> anyhow::Result<Vec<String>> {
        let lines = self.in_force().await?;
        Ok(lines.into_iter().filter(|one| one.is_imported).map(|one| one.id).collect())
    }

    async fn in_force(&self) -> anyhow::Result<Vec<Line>> {
        let mut lines = Vec::new();
        match self {
            Self::Service(service) => {
                let mut cursor = None;
                loop {
                    let mut query = vec![("state", "published"), ("limit", "500")];
                    query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
                    let page = service.get("/v1/articles", &query).await?;
                    let items = page["items"].as_array().cloned().unwrap_or_default();
                    lines.extend(items.iter().map(|item| Line {
                        id: item["id"].as_str().unwrap_or_default().to_owned(),
                        is_imported: item["imported_hash"].is_string(),
                    }));
                    match page["next"].as_str() {
                        Some(next) => cursor = Some(next.to_owned()),
                        None => break,
                    }
                }
            }
            Self::Folder(store, tenant) => {
                let mut query = ArticleQuery::all(tenant.clone());
                query.state = Some(crate::domain::ArticleState::Published);
                loop {
                    let page = store.articles(&query).await?;
                    lines.extend(page.items.iter().map(|row| Line {
                        id: row.id.to_string(),
                        is_imported: row.imported_hash.is_some(),
                    }));
                    match page.next {
                        Some(next) => query.after = Some(next),
                        None => break,
                    }
                }
            }
        }
        Ok(lines)
    }

    /// All articles in force as files: their paths and texts.
    ///
    /// # Errors
    /// One of them can't be read.
    pub async fn export(
        &self,
        on_file: &mut dyn FnMut(&str, &str) -> anyhow::Result<()>,
    ) -> anyhow::Result<usize> {
        let mut count = 0;
        match self {
            Self::Service(service) => {
                for line in self.in_force().await? {
                    let path = format!("/v1/articles/{}", line.id.replace('/', "%2F"));
                    let article = service.get(&path, &[]).await?;
                    let article = article_of(&article).context(line.id.clone())?;
                    on_file(&line.id, &to_markdown(&article))?;
                    count += 1;
                }
            }
            Self::Folder(store, tenant) => {
                let mut after = None;
                loop {
                    let page = store.in_force(tenant, after.as_ref()).await?;
                    let Some(last) = page.last() else { break };
                    after = Some(last.article.clone());
                    for revision in &page {
                        let id = revision.article.clone();
                        let article = FileArticle::of_content(id, &revision.content);
                        on_file(article.id.as_str(), &to_markdown(&article))?;
                        count += 1;
                    }
                }
            }
        }
        Ok(count)
    }

    pub async fn close(&self) {
        if let Self::Folder(store, _) = self {
            store.close().await;
        }
    }
}

struct Line {
    id: String,
    is_imported: bool,
}

pub struct Service {
    client: Client,
    url: String,
    key: String,
}

impl Service {
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<String>,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let url = reqwest::Url::parse_with_params(&format!("{}{path}", self.url), query)?;
        let mut request = self.client.request(method, url);
        request = request.header(AUTHORIZATION, format!("Bearer {}", self.key));
        if let Some(body) = body {
            request = request.header(reqwest::header::CONTENT_TYPE, "application/json").body(body);
        }
        let answer = request.send().await.map_err(|error| {
            let why = format!("{} doesn't answer: {error}", self.url);
            Refusal::new(ErrorKind::Unavailable, why)
        })?;
        let status = answer.status();
        let text = answer.text().await?;
        let value = serde_json::from_str(&text)
            .with_context(|| format!("{} answers {status}, and no JSON", self.url))?;
        Ok((status, value))
    }

    pub(super) fn refusal(&self, status: StatusCode, problem: &Value) -> anyhow::Error {
        let kind = match status.as_u16() {
            401 | 403 => ErrorKind::Denied,
            429 | 503 | 504 => ErrorKind::Busy,
            500..=599 => ErrorKind::Internal,
            _ => ErrorKind::Invalid,
        };
        Refusal::new(kind, format!("{} answers {status}: {}", self.url, detail(problem))).into()
    }

    pub(super) async fn get(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<Value> {
        let (status, value) = self.send(Method::GET, path, query, None).await?;
        match status.is_success() {
            true => Ok(value),
            false => Err(self.refusal(status, &value)),
        }
    }

    async fn import(
        &self,
        articles: &[FileArticle],
        is_dry_run: bool,
    ) -> anyhow::Result<Vec<Outcome>> {
        let mut outcomes = Vec::new();
        let texts: Vec<Value> = articles.iter().map(text_of).collect();
        let mut at = 0;
        while at < texts.len() {
            let mut bytes = 0;
            let fitting = texts[at..].iter().take(REQUEST_ARTICLES).take_while(|text| {
                bytes += text.to_string().len();
                bytes <= REQUEST_BYTES
            });
            let end = at + fitting.count().max(1);
            let body = json!({"articles": &texts[at..end], "dry_run": is_dry_run}).to_string();
            let path = "/v1/articles/import";
            let (status, answer) = self.send(Method::POST, path, &[], Some(body)).await?;
            match answer["items"].as_array() {
                Some(items) if status.is_success() => outcomes.extend(items.iter().map(|item| {
                    let text = |name: &str| item[name].as_str().map(str::to_owned);
                    Outcome {
                        id: text("id").unwrap_or_default(),
                        what: text("outcome").unwrap_or_default(),
                        detail: text("detail"),
                    }
                })),
                // One alone that is too large for a request.
                _ if status == StatusCode::PAYLOAD_TOO_LARGE && end - at == 1 => {
                    outcomes.push(Outcome {
                        id: articles[at].id.to_string(),
                        what: "refused".to_owned(),
                        detail: Some(detail(&answer)),
                    });
                }
                _ => return Err(self.refusal(status, &answer)),
            }
            at = end;
        }
        Ok(outcomes)
    }
}

fn detail(problem: &Value) -> String {
    problem["detail"].as_str().unwrap_or("it doesn't say why").to_owned()
}

fn text_of(article: &FileArticle) -> Value {
    let audience: Vec<&str> = article.audience.iter().map(|audience| audience.as_str()).collect();
    let mut text = json!({
        "id": article.id.as_str(),
        "title": article.title,
        "body": article.body,
        "audience": audience,
        "products": article.products,
        "language": article.language,
        "verbatim": article.verbatim,
        "asked_as": article.asked_as,
    });
    let days = [
        ("valid_from", article.valid_from),
        ("valid_until", article.valid_until),
        ("review_by", article.review_by),
    ];
    for (name, day) in days {
        if let Some(day) = day {
            text[name] = day.to_string().into();
        }
    }
    if let Some(source) = &article.source {
        text["source"] = source.as_str().into();
    }
    if let Some(front) = &article.front_matter {
        text["front_matter"] = front.as_str().into();
    }
    text
}

/// The article in an answer of the service.
fn article_of(answer: &Value) -> anyhow::Result<FileArticle> {
    const KEPT: &[&str] = &[
        "title",
        "body",
        "audience",
        "products",
        "language",
        "valid_from",
        "valid_until",
        "review_by",
        "source",
        "verbatim",
        "asked_as",
        "front_matter",
    ];
    let kept = KEPT.iter().filter_map(|name| {
        let value = answer.get(*name).filter(|value| !value.is_null())?;
        Some(((*name).to_owned(), value.clone()))
    });
    let content: Map<String, Value> = kept.collect();
    let id = answer["id"].as_str().unwrap_or_default().into();
    let content = crate::store::articles::codec::decode(&id, &Value::Object(content).to_string())?;
    Ok(FileArticle::of_content(id, &content))
}
