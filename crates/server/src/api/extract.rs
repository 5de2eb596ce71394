//! What a request holds, read with limits; what cannot be read is a problem that says where.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use klatch_protocol::objects::Slug;
use klatch_protocol::rest::Page;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::problem::Refusal;

/// Items on a page of a list where the request does not say.
const LIMIT_DEFAULT: usize = 50;
/// Items on a page of a list, at most.
pub const LIMIT_MAX: usize = 200;

/// A body of JSON.
pub struct Json<T>(pub T);

/// A body of JSON, or none: then what `T` is without one.
pub struct OptionalJson<T>(pub T);

/// The one id in the path.
pub struct PathId(pub Uuid);

/// The two ids in the path.
pub struct PathIds(pub Uuid, pub Uuid);

/// The query.
pub struct Params<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let is_json = is_json(request.headers());
        let bytes = Bytes::from_request(request, state).await.map_err(unread)?;
        // A page of another site can send a form or plain text without asking, but not this.
        if !is_json {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Refusal::invalid("The Content-Type must be application/json.").status(status));
        }
        parse(&bytes).map(Json)
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for OptionalJson<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let is_json = is_json(request.headers());
        let bytes = Bytes::from_request(request, state).await.map_err(unread)?;
        if bytes.is_empty() || !is_json { Ok(Self(T::default())) } else { parse(&bytes).map(OptionalJson) }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let id = axum::extract::Path::<String>::from_request_parts(parts, state).await;
        let id = id.ok().and_then(|id| Uuid::try_parse(&id.0).ok());
        id.map(Self).ok_or_else(|| Refusal::invalid("The id in the path must be a UUID."))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PathIds {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let ids = axum::extract::Path::<(String, String)>::from_request_parts(parts, state).await;
        let ids = ids.ok().and_then(|ids| Some((Uuid::try_parse(&ids.0.0).ok()?, Uuid::try_parse(&ids.0.1).ok()?)));
        ids.map(|(one, other)| Self(one, other)).ok_or_else(|| Refusal::invalid("The ids in the path must be UUIDs."))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let query = axum::extract::Query::try_from_uri(&parts.uri);
        query.map(|query| Self(query.0)).map_err(|error| Refusal::invalid(error.body_text()))
    }
}

/// Which page of a list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// `next` of the page before.
    #[serde(default)]
    pub after: Option<String>,
    /// Items on the page: 1 to 200, 50 where absent.
    #[serde(default)]
    pub limit: Option<usize>,
}

impl Paging {
    /// How many items are wanted.
    pub fn limit(&self) -> usize {
        self.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX)
    }

    /// The page of these items; where it is full, the next one begins after its last.
    pub fn page<T>(&self, items: Vec<T>, cursor: impl Fn(&T) -> String) -> Page<T> {
        let next = items.last().filter(|_| items.len() >= self.limit()).map(cursor);
        Page { items, next }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(bytes).map_err(|error| Refusal::invalid(format!("The body was not understood: {error}.")))
}

fn unread(rejection: BytesRejection) -> Refusal {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Refusal::new(Slug::TooLarge);
    }
    Refusal::invalid("The body ended early.")
}
