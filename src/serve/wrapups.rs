//! Summaries, e-mails and the like on demand, and what the agent made of them.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::ServeState;
use super::auth::Principal;
use super::error::{Problem, shown};
use super::extract::{Json, Path};
use super::sources::WrapUpOrder;
use super::view::WrapUpView;
use crate::bus::{PartialSignal, Signal};
use crate::domain::{
    ConversationId, EmailLength, EmailPurpose, EmailTone, EventBody, EventId, NewEvent, Occasion,
    ReviewVerdict, WrapUpId, WrapUpVerdict,
};
use crate::flow::author::OnGrowth;
use crate::flow::wrapup::{Draft, EmailOrder, Language};
use crate::store::{KindFilter, MAX_READ, ReadQuery, codec, wire};

const MAX_TEXT_CHARS: usize = 20_000;
const MAX_WISH_CHARS: usize = 200;
const MAX_CASE: usize = 50;
/// Of a draft's event, beside the draft.
const SEQUENCE: &str = "backchannel-sequence";

/// What e-mail is wanted; each has a default.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WantedEmail {
    /// follow_up, resolution, information, apology, appointment or custom
    purpose: String,
    /// What a custom e-mail is about, in a few words.
    wish: Option<String>,
    /// short, medium or long
    length: String,
    /// friendly, professional or formal
    tone: String,
    /// en, de, fr or es; the customer's unless told
    language: Option<String>,
}

impl Default for WantedEmail {
    fn default() -> Self {
        Self {
            purpose: "follow_up".to_owned(),
            wish: None,
            length: "medium".to_owned(),
            tone: "professional".to_owned(),
            language: None,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct FollowUps {
    items: Vec<wire::WrapUpFollowUp>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Identifiers, 1 to 50
    conversations: Vec<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// accepted, edited or discarded
    verdict: String,
    /// With `edited`, what the text became or the code of another disposition; with `accepted`, the
    /// code of a disposition, if you like.
    text: Option<String>,
    /// The `sequence` of the draft that was looked at. Where another text stands under its identifier
    /// by now, nothing is accepted or discarded unseen: 409.
    sequence: Option<u64>,
}

/// Writes a summary of what was said so far: sections and a paragraph, each sentence with its proof.
#[utoipa::path(post, path = "/v1/conversations/{id}/summary", tag = "wrap-up",
    params(("id" = String, Path)),
    responses((status = 200, body = wire::WrapUpSummary,
        headers(("backchannel-sequence" = u64))), super::openapi::Refusals))]
pub async fn summary(
    State(state): State<ServeState>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    one(&state, principal, id, Draft::Summary, Occasion::Demand).await
}

/// Writes what the next agent needs: the summary, who takes part, where the cards came from.
#[utoipa::path(post, path = "/v1/conversations/{id}/handover", tag = "wrap-up",
    params(("id" = String, Path)),
    responses((status = 200, body = wire::WrapUpSummary,
        headers(("backchannel-sequence" = u64))), super::openapi::Refusals))]
pub async fn handover(
    State(state): State<ServeState>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    one(&state, principal, id, Draft::HandOver, Occasion::HandOver).await
}

/// The same for whoever is asked for help; `None` where nothing can be told yet.
pub(super) async fn hand_over_now(
    state: &ServeState,
    principal: &Principal,
    id: &ConversationId,
) -> Option<wire::WrapUpSummary> {
    let (principal, id) = (principal.clone(), id.to_string());
    let written = write(state, principal, id, Draft::HandOver, Occasion::HandOver).await;
    let (_, data) = written.ok()?.into_iter().next()?;
    serde_json::from_str(&data).ok()
}

/// Drafts an e-mail to the customer. It is never sent from here.
#[utoipa::path(post, path = "/v1/conversations/{id}/email", tag = "wrap-up",
    params(("id" = String, Path)), request_body = WantedEmail,
    responses((status = 200, body = wire::WrapUpEmail,
        headers(("backchannel-sequence" = u64))), super::openapi::Refusals))]
pub async fn email(
    State(state): State<ServeState>,
    principal: Principal,
    Path(id): Path<String>,
    Json(wanted): Json<WantedEmail>,
) -> Result<Response, Problem> {
    let order = order_of(&state, &wanted)?;
    one(&state, principal, id, Draft::Email(order), Occasion::Demand).await
}

/// Proposes an article from what was explained and no card said.
#[utoipa::path(post, path = "/v1/conversations/{id}/article", tag = "wrap-up",
    params(("id" = String, Path)),
    responses((status = 200, body = wire::WrapUpArticle,
        headers(("backchannel-sequence" = u64))), super::openapi::Refusals))]
pub async fn article(
    State(state): State<ServeState>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    one(&state, principal, id, Draft::Article, Occasion::Demand).await
}

/// Lists what somebody promised, with dates where the words are certain.
#[utoipa::path(post, path = "/v1/conversations/{id}/followups", tag = "wrap-up",
    params(("id" = String, Path)),
    responses((status = 200, body = FollowUps), super::openapi::Refusals))]
pub async fn followups(
    State(state): State<ServeState>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let written = write(&state, principal, id, Draft::FollowUps, Occasion::Demand).await?;
    let written: Vec<String> = written.into_iter().map(|(_, data)| data).collect();
    Ok(json(format!(r#"{{"items":[{}]}}"#, written.join(","))))
}

/// Tells a case over several conversations, oldest first. Stores nothing.
#[utoipa::path(post, path = "/v1/cases/summary", tag = "wrap-up", request_body = Case,
    responses((status = 200, body = wire::CaseSummary), super::openapi::Refusals))]
pub async fn case(
    State(state): State<ServeState>,
    principal: Principal,
    Json(case): Json<Case>,
) -> Result<axum::Json<wire::CaseSummary>, Problem> {
    if !(1..=MAX_CASE).contains(&case.conversations.len()) {
        let detail = format!("a case has 1 to {MAX_CASE} conversations");
        return Err(Problem::invalid(detail));
    }
    let ids = case.conversations.into_iter().map(ConversationId::from).collect();
    let summary = state.wrapups.case(&principal.tenant, ids).await?;
    Ok(axum::Json(codec::case_summary(&summary)))
}

/// Records what the agent did with a draft; the same again changes nothing.
#[utoipa::path(post, path = "/v1/conversations/{id}/wrapups/{wrapup_id}/verdict", tag = "wrap-up",
    params(("id" = String, Path), ("wrapup_id" = String, Path)), request_body = Review,
    responses((status = 200, body = wire::WrapUpVerdict), super::openapi::Refusals))]
pub async fn review(
    State(state): State<ServeState>,
    principal: Principal,
    Path((id, wrapup_id)): Path<(String, String)>,
    Json(review): Json<Review>,
) -> Result<axum::Json<wire::WrapUpVerdict>, Problem> {
    let verdict = ReviewVerdict::parse(&review.verdict).ok_or_else(|| {
        let detail = "verdict is accepted, edited or discarded, not";
        Problem::invalid(format!("{detail} `{}`", shown(&review.verdict)))
    })?;
    let edited_text = match (verdict, review.text.as_deref().map(str::trim)) {
        (ReviewVerdict::Edited, None | Some("")) => {
            return Err(Problem::invalid("with `edited` comes `text`, what the draft became"));
        }
        (ReviewVerdict::Edited, Some(text)) if text.chars().count() > MAX_TEXT_CHARS => {
            return Err(Problem::invalid(format!("text has {MAX_TEXT_CHARS} characters at most")));
        }
        (ReviewVerdict::Edited | ReviewVerdict::Accepted, Some(text)) => Some((state.masker)(text)),
        (ReviewVerdict::Discarded, Some(_)) => {
            return Err(Problem::invalid("`text` comes with `edited`, or a disposition's code"));
        }
        (_, None) => None,
    };
    let conversation = ConversationId::from(id);
    let given = WrapUpVerdict {
        wrapup_id: WrapUpId::from(wrapup_id),
        verdict,
        edited_text,
        seen: review.sequence,
    };
    let wire = codec::wrapup_verdict(&given);
    let before = Before::of(&state, &principal, &conversation, &wire.wrapup_id).await?;
    before.admits(&given)?;
    if !before.verdicts.last().is_some_and(|last| says_the_same(last, &wire)) {
        let event = NewEvent {
            id: event_id(before.verdicts.len(), &principal, &conversation, &wire),
            time: Timestamp::now(),
            body: EventBody::WrapUpVerdict(given),
        };
        state.store.append(&principal.tenant, &conversation, vec![event]).await?;
    }
    Ok(axum::Json(wire))
}

/// Whoever doesn't say which draft was seen means the one that was.
fn says_the_same(one: &wire::WrapUpVerdict, other: &wire::WrapUpVerdict) -> bool {
    let of_another = one.sequence.zip(other.sequence).is_some_and(|(one, other)| one != other);
    !of_another && (&one.verdict, &one.text) == (&other.verdict, &other.text)
}

fn order_of(state: &ServeState, wanted: &WantedEmail) -> Result<EmailOrder, Problem> {
    let unknown = |field: &str, given: &str, known: &[&str]| {
        let known = known.join(", ");
        Problem::invalid(format!("{field} is one of {known}, not `{}`", shown(given)))
    };
    let wish = wanted.wish.as_deref().map(str::trim).filter(|wish| !wish.is_empty());
    let purpose = match (wanted.purpose.as_str(), wish) {
        ("custom", Some(wish)) if wish.chars().count() <= MAX_WISH_CHARS => {
            EmailPurpose::Custom((state.masker)(wish))
        }
        ("custom", _) => {
            let detail =
                format!("with `custom` comes `wish`, of {MAX_WISH_CHARS} characters at most");
            return Err(Problem::invalid(detail));
        }
        (_, Some(_)) => return Err(Problem::invalid("`wish` comes only with `custom`")),
        (purpose, None) => EmailPurpose::parse(purpose).ok_or_else(|| {
            let mut known: Vec<&str> =
                EmailPurpose::NAMED.iter().map(EmailPurpose::as_str).collect();
            known.push("custom");
            unknown("purpose", purpose, &known)
        })?,
    };
    let length = EmailLength::parse(&wanted.length)
        .ok_or_else(|| unknown("length", &wanted.length, &["short", "medium", "long"]))?;
    let tone = EmailTone::parse(&wanted.tone)
        .ok_or_else(|| unknown("tone", &wanted.tone, &["friendly", "professional", "formal"]))?;
    let language = match wanted.language.as_deref() {
        Some(code) => Some(
            Language::parse(code)
                .ok_or_else(|| unknown("language", code, &Language::ALL.map(Language::code)))?,
        ),
        None => None,
    };
    Ok(EmailOrder { purpose, length, tone, language })
}

/// One draft, and in a header the `sequence` under which it stands in the log.
async fn one(
    state: &ServeState,
    principal: Principal,
    id: String,
    draft: Draft,
    occasion: Occasion,
) -> Result<Response, Problem> {
    let written = write(state, principal, id, draft, occasion).await?;
    let Some((sequence, data)) = written.into_iter().next() else {
        return Ok(json(String::new()));
    };
    let mut response = json(data);
    response.headers_mut().insert(SEQUENCE, sequence.into());
    Ok(response)
}

/// Writes and logs; answers with the sequences and data of the events.
async fn write(
    state: &ServeState,
    principal: Principal,
    id: String,
    draft: Draft,
    occasion: Occasion,
) -> Result<Vec<(u64, String)>, Problem> {
    let conversation = ConversationId::from(id);
    let order = WrapUpOrder {
        tenant: principal.tenant.clone(),
        conversation: conversation.clone(),
        draft,
        occasion,
        stem: WrapUpId::fresh(),
    };
    let (bus, tenant, id) = (state.bus.clone(), principal.tenant.clone(), conversation.clone());
    let on_growth: OnGrowth = Arc::new(move |wrapup_id, so_far| {
        bus.publish(Signal::Partial(Arc::new(PartialSignal {
            tenant: tenant.clone(),
            conversation: id.clone(),
            time: Timestamp::now(),
            kind: codec::WRAPUP_GROWING,
            data: codec::growing_data(wrapup_id, so_far),
        })));
    });
    let written = state.wrapups.write(order, on_growth).await?;
    let now = Timestamp::now();
    let events: Vec<NewEvent> = written
        .into_iter()
        .map(|wrap_up| NewEvent::at(now, EventBody::WrapUp(Box::new(wrap_up))))
        .collect();
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let recorded = state.desk.append_citing(&principal.tenant, &conversation, events).await?;
    let recorded = recorded.ok_or_else(|| {
        let detail = "an article that it cites was taken back meanwhile; ask again";
        Problem::new(StatusCode::CONFLICT, "taken-back", detail)
    })?;
    Ok(recorded.iter().map(|event| (event.sequence, event.data.to_string())).collect())
}

fn json(data: String) -> Response {
    let kind = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, kind)], Bytes::from(data)).into_response()
}

/// What is known of a draft before it is judged.
struct Before {
    verdicts: Vec<wire::WrapUpVerdict>,
    /// Of the text that stands under its identifier.
    sequence: u64,
    /// Of a disposition: what accepting it chooses.
    code: Option<String>,
}

impl Before {
    /// There must be such a draft.
    async fn of(
        state: &ServeState,
        principal: &Principal,
        conversation: &ConversationId,
        wrapup: &str,
    ) -> Result<Self, Problem> {
        let mut query = ReadQuery::all(principal.tenant.clone(), 0).of(conversation.clone());
        query.kinds =
            KindFilter::parse("wrapup.*").map_err(|error| Problem::invalid(error.to_string()))?;
        #[derive(Deserialize)]
        struct Named {
            wrapup_id: String,
        }
        let (mut newest, mut verdicts, mut view) = (None, Vec::new(), WrapUpView::default());
        loop {
            let page = state.store.read(&query).await?;
            for event in &page {
                view.take(event)?;
                if codec::data::<Named>(event)?.wrapup_id != wrapup {
                    continue;
                }
                match &*event.kind {
                    codec::WRAPUP_VERDICT => verdicts.push(codec::data(event)?),
                    _ => newest = Some(event.sequence),
                }
            }
            match page.last() {
                Some(last) if page.len() == MAX_READ => query.after = last.position,
                _ => break,
            }
        }
        let Some(newest) = newest else {
            return Err(Problem::not_found(format!("there is no draft {}", shown(wrapup))));
        };
        // One that came after a verdict is in the log and not in the view.
        let sequence = view.sequence(wrapup).unwrap_or(newest);
        Ok(Self { verdicts, sequence, code: view.likeliest(wrapup).map(str::to_owned) })
    }

    /// Whether the draft that was looked at is the one that the verdict will be read as being about.
    /// Somebody's own words say by themselves what they are.
    fn admits(&self, given: &WrapUpVerdict) -> Result<(), Problem> {
        let replaced = || {
            let detail = "this draft was written anew meanwhile; look at it again";
            Err(Problem::new(StatusCode::CONFLICT, "conflict", detail))
        };
        if given.verdict == ReviewVerdict::Edited {
            return Ok(());
        }
        if given.seen.is_some_and(|seen| seen != self.sequence) {
            return replaced();
        }
        match (&given.edited_text, &self.code) {
            (None, _) => Ok(()),
            (Some(chosen), Some(code)) if chosen.as_str() == code => Ok(()),
            (Some(_), Some(_)) => replaced(),
            (Some(_), None) => {
                Err(Problem::invalid("with `accepted`, `text` is a disposition's code"))
            }
        }
    }
}

/// The same verdict after the same number of others has the same id, so two requests at once
/// leave one event.
fn event_id(
    before: usize,
    principal: &Principal,
    conversation: &ConversationId,
    verdict: &wire::WrapUpVerdict,
) -> EventId {
    let mut hash = Sha256::new();
    let parts = [
        principal.tenant.as_str(),
        conversation.as_str(),
        &verdict.wrapup_id,
        &before.to_string(),
        &verdict.verdict,
        verdict.text.as_deref().unwrap_or_default(),
    ];
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let hex: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("review-{hex}").into()
}
