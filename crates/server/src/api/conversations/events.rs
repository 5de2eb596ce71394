//! `GET /conversations/{id}/events`

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use klatch_core::ids::Seq;
use klatch_protocol::rest::HistoryPage;
use serde::Deserialize;

use crate::api::ApiState;
use crate::api::auth::Signed;
use crate::api::extract::{Params, PathId};
use crate::api::problem::Refusal;
use crate::history::Part;

const LIMIT_DEFAULT: u64 = 100;
const LIMIT_MAX: u64 = 200;

/// Which part of the log.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Events before this seq.
    #[serde(default)]
    before: Option<u64>,
    /// Events after this seq.
    #[serde(default)]
    after: Option<u64>,
    /// Events around this seq.
    #[serde(default)]
    around: Option<u64>,
    /// Events from this time on: milliseconds since 1970.
    #[serde(default)]
    at: Option<u64>,
    /// How many: 1 to 200, 100 where absent.
    #[serde(default)]
    limit: Option<u64>,
}

/// A page of history: a range of the log, and what later events made of its messages.
#[utoipa::path(get, path = "/conversations/{id}/events", tag = "History",
    params(("id" = Uuid, Path, description = "The conversation."), Wanted),
    responses((status = 200, description = "The page.", body = HistoryPage),
        (status = 304, description = "It is as the client has it.")))]
pub async fn events(
    State(state): State<ApiState>,
    Signed(identity): Signed,
    PathId(id): PathId,
    Params(wanted): Params<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let part = part(&wanted)?;
    let limit = wanted.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
    let page = super::reader(&state, identity.user, id).await?.page(part, limit).await?;
    let json = serde_json::to_vec(&page).map_err(|error| Refusal::invalid(error.to_string()))?;
    let tag = format!("\"{}\"", blake3::hash(&json).to_hex().split_at(32).0);
    let tag = HeaderValue::try_from(tag).map_err(|error| Refusal::invalid(error.to_string()))?;
    let is_known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known == tag);
    let kept = [(header::ETAG, tag), (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"))];
    if is_known {
        return Ok((StatusCode::NOT_MODIFIED, kept).into_response());
    }
    Ok((kept, [(header::CONTENT_TYPE, "application/json")], json).into_response())
}

fn part(wanted: &Wanted) -> Result<Part, Refusal> {
    match (wanted.before, wanted.after, wanted.around, wanted.at) {
        (None, None, None, None) => Ok(Part::Newest),
        (Some(seq), None, None, None) => Ok(Part::Before(Seq(seq))),
        (None, Some(seq), None, None) => Ok(Part::After(Seq(seq))),
        (None, None, Some(seq), None) => Ok(Part::Around(Seq(seq))),
        (None, None, None, Some(at)) => Ok(Part::From(at)),
        _ => Err(Refusal::invalid("Give one of `before`, `after`, `around` and `at`, or none.")),
    }
}
