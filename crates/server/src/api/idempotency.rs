//! Writes that are repeated with their `Idempotency-Key` take effect once, and get the first answer, for 24 hours.
//!
//! An answer may hold what is shown only once, such as the token of an invite. So it is kept sealed under the key that the client
//! holds and the directory does not: whoever has a copy of the directory cannot read it. What signs somebody in is not kept at
//! all; there a repeat does no harm.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use klatch_core::ids::UserId;
use klatch_ports::directory::{Begun, Digest};
use klatch_protocol::objects::Slug;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::ApiState;
use super::auth::bearer;
use super::problem::Refusal;

const HEADER: &str = "idempotency-key";
/// LIMIT: bytes of a request that can be repeated with a key; others carry ids of their own.
pub const REQUEST_BYTES_MAX: usize = 64 * 1024;
/// LIMIT: bytes of an answer that is kept.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
const PURPOSE: &str = "klatch 2026 idempotency";

/// Runs a write once.
pub async fn once(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    match try_once(state, request, next).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    }
}

async fn try_once(state: ApiState, request: Request, next: Next) -> Result<Response, Refusal> {
    let (true, Some(key)) = (is_write(request.method()), request.headers().get(HEADER)) else {
        return Ok(next.run(request).await);
    };
    let key = key.to_str().ok().and_then(|key| Uuid::try_parse(key).ok());
    let key = key.ok_or_else(|| Refusal::invalid("The Idempotency-Key must be a UUID."))?;
    let Some(token) = bearer(request.headers()) else { return Ok(next.run(request).await) };
    let user = state.accounts.authenticate(token).await?.user;

    let (parts, body) = request.into_parts();
    let body = to_bytes(body, REQUEST_BYTES_MAX).await.map_err(|_| Refusal::new(Slug::TooLarge))?;
    let seal = Seal::new(&state, user, key);
    let digest = seal.digest(&[parts.method.as_str().as_bytes(), parts.uri.to_string().as_bytes(), &body]);
    let now = state.services.clock.now();
    match state.services.directory.begin_answer(user, seal.row, digest, now).await? {
        Begun::Kept(sealed) => return seal.open(&sealed),
        Begun::Different => return Err(Refusal::new(Slug::IdempotencyReused)),
        Begun::Running => {
            return Err(Refusal::new(Slug::Unavailable).detail("The first try is still running.").retry_after_ms(500));
        }
        Begun::New => {}
    }
    let request = Request::from_parts(parts, Body::from(body));
    // In a task of its own: it runs to its end also if the client goes away meanwhile.
    let run = tokio::spawn(async move { run(state, user, seal, request, next).await });
    run.await.unwrap_or_else(|_| Err(Refusal::new(Slug::Internal)))
}

async fn run(state: ApiState, user: UserId, seal: Seal, request: Request, next: Next) -> Result<Response, Refusal> {
    let directory = &state.services.directory;
    let response = next.run(request).await;
    let status = response.status();
    if !is_final(status) || response.extensions().get::<Refusal>().is_some() {
        directory.forget_answer(user, seal.row).await?;
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, ANSWER_BYTES_MAX).await.map_err(|_| Refusal::new(Slug::Internal))?;
    let mut random = [0; 24];
    state.services.entropy.fill(&mut random);
    // The write took effect; if its answer cannot be kept, a repeat is the lesser harm.
    let kept = match seal.close(random, status, &body) {
        Some(sealed) => directory.keep_answer(user, seal.row, sealed).await,
        None => Ok(()),
    };
    if let Err(error) = kept {
        tracing::warn!(error = ?error, "an answer could not be kept");
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

const fn is_write(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH | Method::DELETE)
}

/// Whether a repeat would get the same answer. A refusal took no effect, so its repeat is decided anew.
fn is_final(status: StatusCode) -> bool {
    status.is_success()
}

/// What one key of one person is good for.
struct Seal {
    cipher: XChaCha20Poly1305,
    hashing: Zeroizing<[u8; 32]>,
    /// Under which the directory keeps the answer.
    row: Digest,
}

impl Seal {
    fn new(state: &ApiState, user: UserId, key: Uuid) -> Self {
        let derived = state.accounts.signer().derive(PURPOSE);
        let of = |what: &[u8]| {
            let mut hasher = blake3::Hasher::new_keyed(&derived);
            Zeroizing::new(*hasher.update(what).update(user.as_bytes()).update(key.as_bytes()).finalize().as_bytes())
        };
        Self { cipher: XChaCha20Poly1305::new((&*of(b"seal")).into()), hashing: of(b"hash"), row: Digest(*of(b"row")) }
    }

    /// Tells this request from others. Keyed, because a request may hold a password.
    fn digest(&self, parts: &[&[u8]]) -> Digest {
        let mut hasher = blake3::Hasher::new_keyed(&self.hashing);
        for part in parts {
            hasher.update(&(part.len() as u64).to_be_bytes()).update(part);
        }
        Digest(*hasher.finalize().as_bytes())
    }

    fn close(&self, random: [u8; 24], status: StatusCode, body: &[u8]) -> Option<Bytes> {
        let mut plain = Zeroizing::new(status.as_u16().to_be_bytes().to_vec());
        plain.extend_from_slice(body);
        let sealed = self.cipher.encrypt(&XNonce::from(random), plain.as_slice()).ok()?;
        Some([random.as_slice(), &sealed].concat().into())
    }

    fn open(&self, sealed: &[u8]) -> Result<Response, Refusal> {
        let unread = || Refusal::new(Slug::Internal).detail("The answer that was kept cannot be read.");
        let (random, sealed) = sealed.split_first_chunk::<24>().ok_or_else(unread)?;
        let plain = self.cipher.decrypt(&XNonce::from(*random), sealed).map_err(|_| unread())?;
        let (status, body) = plain.split_first_chunk::<2>().ok_or_else(unread)?;
        let status = StatusCode::from_u16(u16::from_be_bytes(*status)).map_err(|_| unread())?;
        let mut response = (status, body.to_vec()).into_response();
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_TYPE);
        if !body.is_empty() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        headers.insert("idempotent-replayed", HeaderValue::from_static("true"));
        Ok(response)
    }
}
