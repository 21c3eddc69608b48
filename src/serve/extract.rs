//! axum's extractors, with problem documents when they fail.

use axum::Json as AxumJson;
use axum::body::{Body, Bytes};
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path as AxumPath, Query as AxumQuery, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::body;
use super::error::Problem;
use super::plain::plain;

/// Of an object: no body of ours is anything else.
pub struct Json<T>(pub T);
pub struct Path<T>(pub T);
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let whole = Request::from_parts(parts.clone(), body);
        let bytes = Bytes::from_request(whole, state).await;
        let bytes = bytes.map_err(|rejection| json_problem(&JsonRejection::from(rejection)))?;
        let is_list = bytes.trim_ascii_start().starts_with(b"[");
        let request = Request::from_parts(parts, Body::from(bytes));
        match AxumJson::<T>::from_request(request, state).await {
            // serde takes a list's elements for the fields, one after the other.
            Ok(_) if is_list => Err(Problem::invalid("the body has to be an object")),
            Ok(AxumJson(value)) => Ok(Self(value)),
            Err(rejection) => Err(json_problem(&rejection)),
        }
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let found: Result<AxumPath<T>, PathRejection> =
            AxumPath::from_request_parts(parts, state).await;
        match found {
            Ok(AxumPath(value)) => Ok(Self(value)),
            Err(rejection) => Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "bad-address",
                plain(&rejection.body_text()),
            )),
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let found: Result<AxumQuery<T>, QueryRejection> =
            AxumQuery::from_request_parts(parts, state).await;
        match found {
            Ok(AxumQuery(value)) => Ok(Self(value)),
            Err(rejection) => Err(Problem::invalid(plain(&rejection.body_text()))),
        }
    }
}

fn json_problem(rejection: &JsonRejection) -> Problem {
    let status = rejection.status();
    let name = match status {
        StatusCode::UNPROCESSABLE_ENTITY => "invalid",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "not-json",
        StatusCode::PAYLOAD_TOO_LARGE => return body::too_large(),
        _ => "malformed",
    };
    Problem::new(status, name, plain(&rejection.body_text()))
}
