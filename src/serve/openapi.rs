//! The routes and their description, made from one list so that they can't differ.

use axum::Router;
use axum::body::Bytes;
use axum::response::IntoResponse;
use axum::routing::get;
use serde_json::Value;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::{IntoResponses, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::Problem;
use super::{
    ServeState, articles, ask, asyncapi, audiosocket, audit, auth, batches, channels, chat,
    conversations, crm, erasures, events, gaps, health, hooks, replies, routing, searches,
    suggestions, system, texts, tokens, uses, wrapups,
};

#[derive(OpenApi)]
#[openapi(
    info(title = "Backchannel", description = "Self-hosted copilot and conversation intelligence \
        for contact centres. Errors are problem documents (RFC 9457)."),
    security(("api_key" = []), ("session" = []))
)]
struct Description;

/// How any route may refuse.
#[derive(IntoResponses)]
#[allow(dead_code, reason = "it stands in the description only")]
pub enum Refusals {
    #[response(status = "4XX", content_type = "application/problem+json")]
    Asker(#[to_schema] Problem),
    #[response(status = "5XX", content_type = "application/problem+json")]
    Service(#[to_schema] Problem),
}

pub fn routes() -> OpenApiRouter<ServeState> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(health::livez))
        .routes(routes!(health::readyz))
        .routes(routes!(health::metrics))
        .routes(routes!(auth::sign_in::follow_link, auth::sign_in::sign_in))
        .routes(routes!(auth::sign_in::sign_out))
        .routes(routes!(auth::sign_in::ways))
        .routes(routes!(auth::oidc::begin))
        .routes(routes!(auth::oidc::callback))
        .routes(routes!(tokens::issue))
        .routes(routes!(system::me))
        .routes(routes!(system::system))
        .routes(routes!(audit::list))
        .routes(routes!(erasures::erase))
        .routes(routes!(conversations::list, texts::open))
        .routes(routes!(conversations::show))
        .routes(routes!(channels::twilio))
        .routes(routes!(channels::teams))
        .routes(routes!(chat::invite, chat::may_invite))
        .routes(routes!(chat::write, chat::may_write))
        .routes(routes!(chat::watch, chat::may_watch))
        .routes(routes!(texts::turn))
        .routes(routes!(texts::end))
        .routes(routes!(replies::reply))
        .routes(routes!(replies::retry))
        .routes(routes!(events::of_one))
        .routes(routes!(events::of_all))
        .routes(routes!(ask::ask))
        .routes(routes!(suggestions::give_verdict))
        .routes(routes!(wrapups::summary))
        .routes(routes!(wrapups::handover))
        .routes(routes!(wrapups::email))
        .routes(routes!(wrapups::article))
        .routes(routes!(wrapups::followups))
        .routes(routes!(wrapups::review))
        .routes(routes!(wrapups::case))
        .routes(routes!(batches::begin, batches::list))
        .routes(routes!(batches::show, batches::remove))
        .routes(routes!(batches::cancel))
        .routes(routes!(batches::results))
        .routes(routes!(batches::errors))
        .routes(routes!(batches::provenance))
        .routes(routes!(audiosocket::announce))
        .routes(routes!(articles::read::list, articles::write::create))
        .routes(routes!(uses::show))
        .routes(routes!(articles::search))
        .routes(routes!(articles::import::import))
        .routes(routes!(articles::propose::propose))
        .routes(routes!(articles::read::show, articles::write::change))
        .routes(routes!(articles::write::review))
        .routes(routes!(articles::history::revisions))
        .routes(routes!(articles::history::revision))
        .routes(routes!(articles::history::diff))
        .routes(routes!(searches::opened))
        .routes(routes!(gaps::list))
        .routes(routes!(gaps::show))
        .routes(routes!(gaps::draft))
        .routes(routes!(crm::contact::choose))
        .routes(routes!(crm::outcome::show, crm::outcome::write))
        .routes(routes!(crm::outcome::swarm))
        .routes(routes!(crm::outcome::experts))
        .routes(routes!(crm::outbox::list))
        .routes(routes!(crm::outbox::retry))
        .routes(routes!(crm::outbox::discard))
        .routes(routes!(crm::outbox::systems))
        .routes(routes!(routing::items::offer))
        .routes(routes!(routing::items::show))
        .routes(routes!(routing::items::accept))
        .routes(routes!(routing::items::decline))
        .routes(routes!(routing::items::transfer))
        .routes(routes!(routing::items::assign))
        .routes(routes!(routing::items::end))
        .routes(routes!(routing::items::release))
        .routes(routes!(routing::floor::queues))
        .routes(routes!(routing::floor::agents))
        .routes(routes!(routing::floor::presence))
        .routes(routes!(routing::floor::decisions))
        .routes(routes!(routing::floor::decision))
        .routes(routes!(routing::floor::pack))
        .routes(routes!(routing::floor::recommendation))
        .routes(routes!(routing::plan::show, routing::plan::replace))
        .routes(routes!(routing::taskrouter::callback))
        .routes(routes!(hooks::eventgrid, hooks::eventgrid_handshake))
}

pub fn finish(mut document: Document) -> Document {
    let components = document.components.get_or_insert_with(Default::default);
    components
        .add_security_scheme("api_key", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    components.add_security_scheme(
        "session",
        SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(
            "backchannel_session",
            "over https `__Host-backchannel_session`",
        ))),
    );
    document
}

/// `/openapi.json` and `/asyncapi.json`.
pub fn documents(document: &Document) -> Router<ServeState> {
    let open: Value = serde_json::to_value(document).expect("a document is JSON; this is a bug");
    let events = asyncapi::document();
    let json = |document: Value| {
        // A handler is copied for every request: the text is shared.
        let text = Bytes::from(document.to_string());
        get(move || {
            let headers = [(axum::http::header::CONTENT_TYPE, "application/json")];
            std::future::ready((headers, text.clone()).into_response())
        })
    };
    Router::new().route("/openapi.json", json(open)).route("/asyncapi.json", json(events))
}
