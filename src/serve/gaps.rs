//! Questions that were asked and not answered.

use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ServeState;
use super::articles::read::{self, ArticleView};
use super::auth::Principal;
use super::error::{Problem, shown};
use super::extract::{Path, Query};

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 200;

/// What handling the conversations took, as far as they are over.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct HandlingTime {
    /// Null while none is over.
    #[schema(required)]
    pub mean: Option<u64>,
    pub total: u64,
}

/// How the questions were missed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct GapReasons {
    /// A customer asked, and there was no card.
    pub abstained: u64,
    /// All cards were dismissed or withdrawn.
    pub dismissed: u64,
    /// The agent asked, and nothing answered.
    pub asked: u64,
    /// The agent searched and opened nothing.
    pub searched: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct GapSample {
    pub conversation_id: String,
    /// Null where the agent asked or searched.
    #[schema(required)]
    pub turn_id: Option<String>,
    pub text: String,
    pub at: String,
}

/// The article that comes nearest to a gap's question.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct NearestArticle {
    pub article_id: String,
    pub title: String,
    /// How likely it answers, 0 to 1.
    pub score: f32,
}

/// Questions that ask the same and were not answered.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Gap {
    /// The same after a restart, and after everything was read anew.
    pub id: String,
    /// The one in their middle.
    pub question: String,
    /// It with what was said before, where it says too little by itself.
    #[schema(required)]
    pub context: Option<String>,
    /// How many were not answered, and in how many conversations.
    pub count: u64,
    pub conversations: u64,
    pub handling_ms: HandlingTime,
    /// By which gaps are ranked: conversations × mean handling time.
    pub cost_ms: u64,
    pub first_seen: String,
    pub last_seen: String,
    pub reasons: GapReasons,
    /// The newest, of as many conversations as there are; five at most.
    pub samples: Vec<GapSample>,
    #[schema(required)]
    pub nearest: Option<NearestArticle>,
    /// open; drafted: an article is being written for it; closed: an article that was published since the question
    /// was first asked answers it, and most of the questions since that were answered
    pub state: &'static str,
    /// The article that was drafted for it, or that was published since and answers it.
    #[schema(required)]
    pub article_id: Option<String>,
    /// When that came into force.
    #[schema(required)]
    pub published_at: Option<String>,
    /// How often it was asked since then, and how many of those questions were answered.
    #[schema(required)]
    pub asked_since_publication: Option<u64>,
    #[schema(required)]
    pub answered_since: Option<u64>,
}

/// What became of a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapState {
    Open,
    Drafted,
    Closed,
}

impl GapState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Drafted => "drafted",
            Self::Closed => "closed",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Open, Self::Drafted, Self::Closed].into_iter().find(|state| state.as_str() == text)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct GapList {
    pub items: Vec<Gap>,
    /// Give it back as `cursor` for the next page.
    #[schema(required)]
    pub next: Option<String>,
    /// So many of the tenant's events are not counted in yet; 1,000 are as many or more.
    pub behind: u64,
}

#[derive(Deserialize)]
pub struct Wanted {
    since: Option<String>,
    state: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

/// Which gaps are wanted, and how many.
#[derive(Clone, Debug)]
pub struct WantedGaps {
    /// Only what was asked from then on counts.
    pub since: Option<Timestamp>,
    /// `None`: any.
    pub state: Option<GapState>,
    pub limit: usize,
    pub cursor: Option<String>,
}

/// Questions asked and not answered, those that ask the same together, the dearest first.
#[utoipa::path(get, path = "/v1/gaps", tag = "gaps",
    params(("since" = Option<String>, Query, description = "a day or a time (RFC 3339): only what was asked from then on counts"),
        ("state" = Option<String>, Query, description = "open, drafted or closed; all unless told"),
        ("limit" = Option<usize>, Query, description = "1 to 200, 50 unless told"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before")),
    responses((status = 200, body = GapList), super::openapi::Refusals))]
pub async fn list(
    State(state): State<ServeState>,
    principal: Principal,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<GapList>, Problem> {
    let limit = wanted.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Problem::invalid(format!("limit is 1 to {MAX_LIMIT}")));
    }
    let since = wanted.since.as_deref().map(moment).transpose()?;
    let only = wanted.state.as_deref().map(|name| {
        let wrong =
            || Problem::invalid(format!("state is open, drafted or closed, not `{}`", shown(name)));
        GapState::parse(name).ok_or_else(wrong)
    });
    let wanted = WantedGaps { since, state: only.transpose()?, limit, cursor: wanted.cursor };
    Ok(axum::Json(state.gaps.list(&principal.tenant, wanted).await?))
}

/// One gap.
#[utoipa::path(get, path = "/v1/gaps/{id}", tag = "gaps", params(("id" = String, Path)),
    responses((status = 200, body = Gap), super::openapi::Refusals))]
pub async fn show(
    State(state): State<ServeState>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<axum::Json<Gap>, Problem> {
    let gap = state.gaps.show(&principal.tenant, &id).await?;
    gap.map(axum::Json).ok_or_else(|| Problem::not_found(format!("there is no gap {}", shown(&id))))
}

/// Drafts an article for a gap: the question, and what agents answered to it, word for word. The same again answers
/// with the same draft, as it is by now.
#[utoipa::path(post, path = "/v1/gaps/{id}/draft", tag = "gaps", params(("id" = String, Path)),
    responses((status = 200, body = ArticleView, description = "it was drafted before"),
        (status = 201, body = ArticleView), super::openapi::Refusals))]
pub async fn draft(
    State(state): State<ServeState>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<(StatusCode, axum::Json<ArticleView>), Problem> {
    let tenant = &principal.tenant;
    let drafted = state.gaps.draft(tenant, &id, &principal.name).await?;
    let (article, is_new) =
        drafted.ok_or_else(|| Problem::not_found(format!("there is no gap {}", shown(&id))))?;
    let row = read::row(&state, tenant, &article).await?;
    let newest = read::revision(&state, tenant, &article, row.number).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, axum::Json(read::compared(&state, tenant, &row, &newest).await)))
}

/// A time, or the beginning of a day (UTC).
fn moment(text: &str) -> Result<Timestamp, Problem> {
    let wrong = |_| {
        let detail =
            "since is a day such as 2026-12-31, or a time such as 2026-12-31T08:00:00Z, not";
        Problem::invalid(format!("{detail} `{}`", shown(text)))
    };
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let day: Date = text.parse().map_err(wrong)?;
    day.to_zoned(TimeZone::UTC).map(|begins| begins.timestamp()).map_err(wrong)
}
