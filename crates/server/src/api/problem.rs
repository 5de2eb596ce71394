//! The one shape of every refusal (RFC 9457), and the one place that logs failures of the server.

use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use klatch_protocol::objects::{Problem, Slug};

use crate::accounts;

/// Why a request was not done. Its answer gets its body in [`finish`], where the id of the request is known.
#[derive(Clone, Debug)]
pub struct Refusal {
    slug: Slug,
    status: StatusCode,
    detail: Option<String>,
    retry_after_ms: Option<u64>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Refusal {
    /// Refused for this reason.
    pub fn new(slug: Slug) -> Self {
        let status = StatusCode::from_u16(slug.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { slug, status, detail: None, retry_after_ms: None, source: None }
    }

    /// Refused because the request was not understood; the sentence says what was not.
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(Slug::InvalidRequest).detail(detail)
    }

    /// Refused because there is no such thing, or not for this person.
    pub fn not_found() -> Self {
        Self::new(Slug::NotFound)
    }

    /// With a sentence on what happened and what to do.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// With another status than that of its slug.
    #[must_use]
    pub const fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// With a time to wait.
    #[must_use]
    pub const fn retry_after_ms(mut self, ms: u64) -> Self {
        self.retry_after_ms = Some(ms);
        self
    }

    /// Because of this failure, which is logged and not told.
    #[must_use]
    pub fn because(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }
}

impl From<accounts::Error> for Refusal {
    fn from(error: accounts::Error) -> Self {
        let refusal = Self::new(error.slug());
        match error {
            accounts::Error::Refused(_, detail) => refusal.detail(detail),
            accounts::Error::RateLimited(ms) => refusal.detail(format!("Wait {ms} ms.")).retry_after_ms(ms),
            error if error.slug() == Slug::Unavailable => refusal.retry_after_ms(1_000).because(error),
            error => refusal.because(error),
        }
    }
}

impl From<klatch_ports::Error> for Refusal {
    fn from(error: klatch_ports::Error) -> Self {
        accounts::Error::from(error).into()
    }
}

/// A problem that another role found: the same slug, with the status that goes with it.
impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let mut refusal = Self::new(problem.slug().unwrap_or(Slug::Internal));
        refusal.detail = problem.detail;
        refusal.retry_after_ms = problem.retry_after_ms;
        refusal
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the body of a refusal, and logs it if the server is to blame.
pub(crate) fn finish(mut response: Response, request_id: &str) -> Response {
    let Some(refusal) = response.extensions_mut().remove::<Refusal>() else { return response };
    if refusal.status.is_server_error() {
        let chain = refusal.source.as_deref().map(chain).unwrap_or_default();
        tracing::error!(
            slug = refusal.slug.as_str(),
            status = refusal.status.as_u16(),
            error = chain,
            "a request failed"
        );
    }
    let problem = Problem {
        kind: format!("/problems/{}", refusal.slug.as_str()),
        status: Some(refusal.status.as_u16()),
        instance: Some(request_id.to_owned()),
        detail: refusal.detail,
        retry_after_ms: refusal.retry_after_ms,
        ..Problem::new(refusal.slug)
    };
    let mut finished = (refusal.status, axum::Json(problem)).into_response();
    let headers = finished.headers_mut();
    headers.extend(std::mem::take(response.headers_mut()));
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if refusal.status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(ms) = refusal.retry_after_ms {
        headers.insert(HeaderName::from_static("retry-after"), HeaderValue::from(ms.div_ceil(1_000)));
    }
    finished
}

/// An error and all that led to it, in one line.
fn chain(error: &(dyn std::error::Error + Send + Sync + 'static)) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        line.push_str(": ");
        line.push_str(&error.to_string());
        next = error.source();
    }
    line
}
