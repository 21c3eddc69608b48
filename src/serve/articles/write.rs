//! Drafts, changes of them, and the review.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::read::{self, ArticleView, view};
use crate::domain::{
    AccessRole, ArticleAction, ArticleContent, ArticleId, ArticleRevision, Audience, NewRevision,
    Redacted, SentenceOrigin, TenantId, TurnQuote,
};
use crate::insight::redaction;
use crate::knowledge::{FileArticle, check};
use crate::serve::ServeState;
use crate::serve::auth::Principal;
use crate::serve::error::{Problem, shown};
use crate::serve::extract::{Json, Path};
use crate::store::{StoreError, wire};

const MAX_COMMENT_CHARS: usize = 2_000;
const MAX_ORIGINS: usize = 500;
pub(super) const MAX_QUOTES: usize = 50;
const MAX_NAME_BYTES: usize = 800;
/// Names that are tried for an article without an id.
const NAMES_TRIED: u32 = 50;

/// What an article shall say. Of a change, fields that are absent stay as they are.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArticleText {
    /// A path such as `billing/refunds`; made from the title when a new article has none.
    pub id: Option<String>,
    /// The newest revision, which the change was made from. Needed with a change.
    pub revision: Option<u32>,
    pub title: Option<String>,
    /// Markdown; a heading begins a passage.
    pub body: Option<String>,
    /// agent, customer or both; agent unless told
    pub audience: Option<Vec<String>>,
    pub products: Option<Vec<String>>,
    /// ISO 639-1; en unless told
    pub language: Option<String>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub valid_from: Option<Option<String>>,
    /// The last day on which it holds.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub valid_until: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub review_by: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub source: Option<Option<String>>,
    /// Its words may be quoted and never changed.
    pub verbatim: Option<bool>,
    /// How people ask for what stands below a heading.
    pub asked_as: Option<BTreeMap<String, Vec<String>>>,
    /// What stood above the body in the file that it comes from.
    pub front_matter: Option<String>,
    /// Why it is changed.
    pub comment: Option<String>,
    /// Which turns its sentences come from.
    pub provenance: Option<Vec<wire::SentenceOrigin>>,
}

/// Tells `null` from a field that isn't there.
#[expect(clippy::option_option, reason = "a date can be taken away, or left as it is")]
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl ArticleText {
    /// What the article says then; masked and checked.
    pub fn over(
        self,
        id: ArticleId,
        before: Option<&ArticleContent>,
        mask: &dyn Fn(&str) -> Redacted,
    ) -> Result<ArticleContent, Problem> {
        is_no_secret("id", id.as_str(), mask)?;
        let blank = ArticleContent::plain(mask(""), mask(""));
        let mut article = FileArticle::of_content(id.clone(), before.unwrap_or(&blank));
        if let Some(title) = self.title {
            article.title = title.trim().to_owned();
        }
        article.body = self.body.unwrap_or(article.body);
        if let Some(names) = self.audience {
            let audience = names.iter().map(|name| {
                let wrong = "audience is agent, customer or both, not";
                Audience::parse(name)
                    .ok_or_else(|| Problem::invalid(format!("{wrong} `{}`", shown(name))))
            });
            article.audience = audience.collect::<Result<_, _>>()?;
        }
        article.products = self.products.unwrap_or(article.products);
        article.language = self.language.unwrap_or(article.language);
        for (field, place, day) in [
            ("valid_from", &mut article.valid_from, self.valid_from),
            ("valid_until", &mut article.valid_until, self.valid_until),
            ("review_by", &mut article.review_by, self.review_by),
        ] {
            if let Some(day) = day {
                *place = read::day(field, day)?;
            }
        }
        if let Some(source) = self.source {
            article.source = source.filter(|source| !source.trim().is_empty());
        }
        article.verbatim = self.verbatim.unwrap_or(article.verbatim);
        article.asked_as = self.asked_as.unwrap_or(article.asked_as);
        article.front_matter = self.front_matter.or(article.front_matter);
        let content = article.masked(mask);
        // Masked, since that is what is searched, and a mask may be longer than what it hides.
        check(&FileArticle::of_content(id, &content))
            .map_err(|mistake| Problem::invalid(mistake.to_string()))?;
        Ok(content)
    }
}

/// Writes an article down as a draft.
#[utoipa::path(post, path = "/v1/articles", tag = "articles", request_body = ArticleText,
    responses((status = 201, body = ArticleView), super::super::openapi::Refusals))]
pub async fn create(
    State(state): State<ServeState>,
    principal: Principal,
    Json(mut text): Json<ArticleText>,
) -> Result<(StatusCode, axum::Json<ArticleView>), Problem> {
    if text.revision.is_some_and(|revision| revision != 0) {
        return Err(Problem::invalid("a new article is made from no revision"));
    }
    let named = text.id.take();
    let name = match &named {
        Some(id) => id.clone(),
        None => slug(redaction::published(text.title.as_deref().unwrap_or_default()).as_str()),
    };
    let comment = masked_comment(&state, text.comment.take())?;
    let provenance = origins(&state, text.provenance.take())?;
    let mut tries = 1;
    loop {
        let id = match tries {
            1 => name.clone(),
            number => format!("{name}-{number}"),
        };
        let id = ArticleId::from(id);
        let content = text.clone().over(id.clone(), None, &redaction::published)?;
        let new = NewRevision {
            article: id,
            based_on: 0,
            action: ArticleAction::Draft,
            author: principal.name.clone(),
            by: principal.name.clone(),
            approver: None,
            time: Timestamp::now(),
            comment: comment.clone(),
            content: Arc::new(content),
            provenance: provenance.clone(),
        };
        match state.desk.revise(&principal.tenant, new).await {
            Err(StoreError::StaleRevision { .. }) if named.is_none() && tries < NAMES_TRIED => {
                tries += 1;
            }
            other => {
                let written = answer(&state, &principal.tenant, other).await?;
                return Ok((StatusCode::CREATED, written));
            }
        }
    }
}

/// Changes an article: a new draft, made from the revision that is named. What is in force stays in
/// force until the draft is published.
#[utoipa::path(put, path = "/v1/articles/{id}", tag = "articles",
    params(("id" = String, Path)), request_body = ArticleText,
    responses((status = 200, body = ArticleView), super::super::openapi::Refusals))]
pub async fn change(
    State(state): State<ServeState>,
    principal: Principal,
    Path(id): Path<String>,
    Json(mut text): Json<ArticleText>,
) -> Result<axum::Json<ArticleView>, Problem> {
    let id = ArticleId::from(id);
    if text.id.take().is_some_and(|given| given != id.as_str()) {
        return Err(Problem::invalid("an article keeps its id"));
    }
    let based_on = text.revision.take().ok_or_else(|| {
        Problem::invalid("`revision` is the newest revision, which the change was made from")
    })?;
    let row = read::row(&state, &principal.tenant, &id).await?;
    is_newest(&id, based_on, row.number)?;
    let before = read::revision(&state, &principal.tenant, &id, row.number).await?;
    let comment = masked_comment(&state, text.comment.take())?;
    let provenance = match text.provenance.take() {
        Some(origins) => self::origins(&state, Some(origins))?,
        None => Arc::clone(&before.provenance),
    };
    let content = text.over(id.clone(), Some(&before.content), &redaction::published)?;
    let new = NewRevision {
        article: id,
        based_on,
        action: ArticleAction::Draft,
        author: principal.name.clone(),
        by: principal.name.clone(),
        approver: None,
        time: Timestamp::now(),
        comment,
        content: Arc::new(content),
        provenance,
    };
    let written = state.desk.revise(&principal.tenant, new).await;
    answer(&state, &principal.tenant, written).await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// submit, approve, return, publish or retire
    action: String,
    /// The newest revision, which was looked at.
    revision: u32,
    /// Needed with `return`.
    reason: Option<String>,
}

/// Takes an article a step further: `submit` a draft, `approve` or `return` what was submitted,
/// `publish` it, `retire` what nobody shall be told any more. When `publish` is answered it can be
/// found; when `retire` is, it is cited no more.
#[utoipa::path(post, path = "/v1/articles/{id}/review", tag = "articles",
    params(("id" = String, Path)), request_body = Review,
    responses((status = 200, body = ArticleView), super::super::openapi::Refusals))]
pub async fn review(
    State(state): State<ServeState>,
    principal: Principal,
    Path(id): Path<String>,
    Json(review): Json<Review>,
) -> Result<axum::Json<ArticleView>, Problem> {
    let action = match review.action.as_str() {
        "submit" => ArticleAction::Submit,
        "approve" => ArticleAction::Approve,
        "return" => ArticleAction::Return,
        "publish" => ArticleAction::Publish,
        "retire" => ArticleAction::Retire,
        other => {
            let known = "submit, approve, return, publish or retire";
            return Err(Problem::invalid(format!("action is {known}, not `{}`", shown(other))));
        }
    };
    if action != ArticleAction::Submit && !may_decide(&principal) {
        let detail =
            "deciding about articles is for knowledge managers, supervisors and administrators";
        return Err(Problem::new(StatusCode::FORBIDDEN, "denied", detail));
    }
    let comment = masked_comment(&state, review.reason)?;
    if action == ArticleAction::Return && comment.is_none() {
        return Err(Problem::invalid("with `return` comes `reason`, for the author"));
    }
    let id = ArticleId::from(id);
    let row = read::row(&state, &principal.tenant, &id).await?;
    is_newest(&id, review.revision, row.number)?;
    if !action.fits(Some(row.state())) {
        let (asked, is) = (&review.action, row.state().as_str());
        let detail = format!("{asked} doesn't fit: revision {} of {id} is {is}", row.number);
        return Err(Problem::new(StatusCode::CONFLICT, "wrong-state", detail));
    }
    let approver = match action {
        ArticleAction::Approve => Some(principal.name.clone()),
        // Whoever may approve may publish in one step.
        ArticleAction::Publish => {
            Some(row.approver.clone().unwrap_or_else(|| principal.name.clone()))
        }
        _ => None,
    };
    if approver.as_ref().is_some_and(|approver| *approver == row.author) && state.desk.four_eyes() {
        let detail = format!(
            "{} wrote it, and somebody else has to approve it (knowledge.four_eyes)",
            row.author
        );
        return Err(Problem::new(StatusCode::FORBIDDEN, "four-eyes", detail));
    }
    let before = read::revision(&state, &principal.tenant, &id, row.number).await?;
    let new = NewRevision {
        article: id,
        based_on: review.revision,
        action,
        author: before.author.clone(),
        by: principal.name.clone(),
        approver,
        time: Timestamp::now(),
        comment,
        content: Arc::clone(&before.content),
        provenance: Arc::clone(&before.provenance),
    };
    let written = state.desk.revise(&principal.tenant, new).await;
    answer(&state, &principal.tenant, written).await
}

fn may_decide(principal: &Principal) -> bool {
    let deciders = [AccessRole::KnowledgeManager, AccessRole::Supervisor, AccessRole::Admin];
    principal.is_operator || deciders.contains(&principal.role)
}

async fn answer(
    state: &ServeState,
    tenant: &TenantId,
    written: Result<Arc<ArticleRevision>, StoreError>,
) -> Result<axum::Json<ArticleView>, Problem> {
    let written = written?;
    let row = read::row(state, tenant, &written.article).await?;
    Ok(axum::Json(view(&row, &written)))
}

fn is_newest(id: &ArticleId, based_on: u32, newest: u32) -> Result<(), Problem> {
    match based_on == newest {
        true => Ok(()),
        false => Err(StoreError::StaleRevision { article: id.clone(), based_on, newest }.into()),
    }
}

fn masked_comment(state: &ServeState, text: Option<String>) -> Result<Option<Redacted>, Problem> {
    let text = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if text.as_ref().is_some_and(|text| text.chars().count() > MAX_COMMENT_CHARS) {
        let detail = format!("a reason or comment has {MAX_COMMENT_CHARS} characters at most");
        return Err(Problem::invalid(detail));
    }
    Ok(text.map(|text| (state.masker)(&text)))
}

fn origins(
    state: &ServeState,
    given: Option<Vec<wire::SentenceOrigin>>,
) -> Result<Arc<[SentenceOrigin]>, Problem> {
    let given = given.unwrap_or_default();
    if given.len() > MAX_ORIGINS {
        return Err(Problem::invalid(format!("provenance has {MAX_ORIGINS} sentences at most")));
    }
    for origin in &given {
        if origin.turns.len() > MAX_QUOTES {
            let detail = format!("a sentence of provenance has {MAX_QUOTES} turns at most");
            return Err(Problem::invalid(detail));
        }
        let turns = origin.turns.iter().map(|quote| &quote.turn_id);
        for id in turns.chain([&origin.conversation_id]) {
            is_no_secret("provenance", id, &*state.masker)?;
        }
    }
    let quote = |quote: wire::TurnQuote| TurnQuote {
        turn: quote.turn_id.into(),
        quote: (state.masker)(&quote.quote),
    };
    let origin = |origin: wire::SentenceOrigin| SentenceOrigin {
        sentence: (state.masker)(&origin.sentence),
        conversation: origin.conversation_id.into(),
        quotes: origin.turns.into_iter().map(quote).collect(),
    };
    Ok(given.into_iter().map(origin).collect())
}

/// Names are not masked, since they name something: one that would be is none.
pub(super) fn is_no_secret(
    field: &str,
    name: &str,
    mask: &dyn Fn(&str) -> Redacted,
) -> Result<(), Problem> {
    match mask(name).as_str() == name && name.len() <= MAX_NAME_BYTES {
        true => Ok(()),
        false => Err(Problem::invalid(format!(
            "{field}: a name has {MAX_NAME_BYTES} bytes at most and holds no number of a card"
        ))),
    }
}

/// A name for the address, from a title.
fn slug(title: &str) -> String {
    let words = title.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let name: String = words.take(12).map(str::to_lowercase).collect::<Vec<_>>().join("-");
    match name.is_empty() {
        true => "article".to_owned(),
        false => name.chars().take(100).collect(),
    }
}
