//! The role `api`: HTTP in, problems or JSON out. One endpoint, one file; what they share lies beside this one. Rules are
//! elsewhere: an endpoint reads the request, asks, and writes the answer down.

mod accounts;
pub mod address;
mod auth;
mod channels;
mod conversations;
mod cookie;
mod docs;
mod extract;
mod frame;
mod idempotency;
mod invites;
mod me;
mod openapi;
pub mod origin;
mod page;
mod problem;
mod problems;
mod sessions;
mod site;
mod users;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get};
use bytes::Bytes;
use klatch_ports::presence::Rate;
use klatch_protocol::objects::Slug;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

pub use openapi::document;
pub use page::PAGE_POLICY;
pub use problem::Refusal;

use crate::accounts::Accounts;
use crate::conversations::Conversations;
use crate::sealing::Sealer;
use crate::services::Services;

/// Where everything lies.
const ROOT: &str = "/api/v1";
/// LIMIT: bytes of a request, where its endpoint does not say otherwise.
const REQUEST_BYTES_MAX: usize = 64 * 1024;
/// Answers from this size on are compressed. Smaller ones fit a packet or two, and some of them hold secrets.
const COMPRESSED_BYTES_MIN: u16 = 2_048;

/// What an operator decides about the API.
#[derive(Clone, Debug)]
pub struct Options {
    /// The address that people open, such as `https://chat.example.org`; links begin with it.
    pub public_url: Option<String>,
    /// Further origins whose pages are this site's own, such as that of a development server.
    pub origins: Vec<String>,
    /// The proxies that are believed about who the client is.
    pub proxies: address::Proxies,
    /// Whether cookies are only sent over TLS: so wherever the node listens beyond this machine, or is behind a proxy.
    pub secure_cookies: bool,
    /// Commands of one person, counted together with those on the gateway.
    pub commands: Rate,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            public_url: None,
            origins: Vec::new(),
            proxies: address::Proxies::default(),
            secure_cookies: false,
            commands: Rate { burst: 200, per_minute: 1_200 },
        }
    }
}

/// What endpoints are given.
#[derive(Clone)]
pub struct ApiState {
    /// The ports, the time and chance.
    pub services: Arc<Services>,
    /// What seals bodies.
    pub sealer: Arc<Sealer>,
    /// The handle with which conversations are commanded.
    pub conversations: Arc<Conversations>,
    /// Accounts.
    pub accounts: Arc<Accounts>,
    /// What the operator decided.
    pub options: Arc<Options>,
}

/// The role's router, to be merged with those of other roles and with the pages of the web client. Serve it with
/// `into_make_service_with_connect_info::<SocketAddr>()`, so that tries can be counted by address.
pub fn router(state: ApiState) -> Router {
    let once = from_fn_with_state(state.clone(), idempotency::once);
    let endpoints = OpenApiRouter::new().merge(by_themselves()).merge(with_a_key().layer(once));
    let (endpoints, description) = OpenApiRouter::new().nest(ROOT, endpoints).split_for_parts();
    let openapi = Bytes::from(openapi::complete(description).to_string());
    let large = SizeAbove::new(COMPRESSED_BYTES_MIN).and(NotForContentType::IMAGES);
    Router::new()
        .merge(endpoints)
        .route("/api/openapi.json", get(move || openapi::serve(openapi.clone())))
        .merge(docs::router())
        .merge(problems::router())
        .route("/.well-known/jwks.json", get(sessions::jwks))
        .route("/api", any(nothing))
        .route("/api/{*path}", any(nothing))
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .layer(from_fn_with_state(state.clone(), frame::frame))
        .layer(CompressionLayer::new().gzip(true).compress_when(large))
        .with_state(state)
}

/// Addresses of another role with what lies around every request here: its id, its line in the log, and problems for refusals.
pub fn framed(state: &ApiState, routes: Router) -> Router {
    routes.method_not_allowed_fallback(wrong_method).layer(from_fn_with_state(state.clone(), frame::frame))
}

/// Endpoints whose writes carry an id of their own, or do no harm twice.
fn by_themselves() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .merge(accounts::router())
        .merge(sessions::router())
        .merge(channels::router())
        .merge(conversations::router())
}

/// Endpoints whose writes are told apart by their `Idempotency-Key`.
fn with_a_key() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .merge(me::router())
        .merge(conversations::with_a_key())
        .merge(users::router())
        .merge(invites::router())
        .merge(site::router())
}

/// What the endpoints say about themselves.
fn description() -> OpenApi {
    let endpoints = OpenApiRouter::new().merge(by_themselves()).merge(with_a_key());
    OpenApiRouter::<ApiState>::new().nest(ROOT, endpoints).into_openapi()
}

async fn nothing() -> Refusal {
    Refusal::not_found().detail("There is no such address. /api/docs lists all there are.")
}

async fn wrong_method() -> Refusal {
    Refusal::new(Slug::InvalidRequest)
        .detail("This address does not take this method. /api/docs lists those it takes.")
        .status(StatusCode::METHOD_NOT_ALLOWED)
}
