//! The edges: the roles `api` and `gateway`, which people reach.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use klatch_ports::presence::Rate;
use klatch_server::api::{self, ApiState};
use klatch_server::conversations::Conversations;
use klatch_server::gateway::upgrade::{Door, upgrade};
use klatch_server::gateway::{self, Gateway};
use klatch_server::heads::Heads;
use klatch_server::sealing::Sealer;
use tokio::net::TcpListener;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::Stage;
use crate::config::{Config, Role};
use crate::listener::{Entrance, Plain};
use crate::proxy_protocol::announced;
use crate::tls::{Certificate, secured};
use crate::{pages, serving};

/// Between two looks whether keys in memory were destroyed by another process.
const DESTROYED_EVERY: Duration = Duration::from_secs(20);

/// Where people will be served: taken before anything else is begun, so that nothing needs to be undone where it cannot be.
pub struct Front {
    listener: TcpListener,
    /// The certificate that is shown, if this process speaks TLS itself.
    pub certificate: Option<Arc<Certificate>>,
    /// Its address.
    pub address: SocketAddr,
}

impl Front {
    /// The front on the socket of this process, if it has one.
    ///
    /// # Errors
    /// A sentence that says what to change.
    pub fn on(listener: Option<TcpListener>, config: &Config) -> anyhow::Result<Option<Self>> {
        let Some(listener) = listener else { return Ok(None) };
        let certificate = Certificate::configured(&config.http)?;
        let address = listener.local_addr()?;
        Ok(Some(Self { listener, certificate, address }))
    }
}

/// Serves people. Returns the gateway, if that is a role of this process.
///
/// # Errors
/// A port failed.
pub async fn start(stage: &Stage, front: Front) -> anyhow::Result<Option<Arc<Gateway>>> {
    let (config, services, sealer) = (&stage.config, &stage.services, &stage.sealer);
    let conversations = Conversations::start(services.clone(), stage.dismissed.clone()).await?;
    let site = Arc::new(api_options(config));
    let state = ApiState {
        services: services.clone(),
        sealer: sealer.clone(),
        conversations: conversations.clone(),
        accounts: stage.accounts.clone(),
        options: site.clone(),
    };
    stage.edge.spawn(forget_destroyed(sealer.clone(), stage.draining.clone()));
    let mut router = Router::new();
    let mut gateway = None;
    if config.runs(Role::Gateway) {
        let options = gateway_options(config, stage.overrides.gateway);
        let (accounts, stop) = (stage.accounts.clone(), stage.draining.clone());
        let heads = Heads::new(services.clone(), stage.peers.clone());
        let sealer = sealer.clone();
        let started = Gateway::start(services.clone(), sealer, conversations, accounts, heads, options, stop).await?;
        let door = Door::new(started.clone(), config.limits.connections);
        let socket = get(upgrade).layer(from_fn_with_state(site, own_pages)).with_state(door);
        router = api::framed(&state, Router::new().route("/api/v1/gateway", socket));
        gateway = Some(started);
    }
    if config.runs(Role::Api) {
        router = api::router(state).merge(router).fallback(pages::page);
    }
    serve(stage, front, router)?;
    Ok(gateway)
}

/// Forgets keys that were destroyed, also where nobody is connected who would hear of it.
async fn forget_destroyed(sealer: Arc<Sealer>, stop: CancellationToken) {
    let mut tick = tokio::time::interval(DESTROYED_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = sealer.forget_destroyed().await {
            tracing::warn!(%error, "keys in memory could not be compared with the store");
        }
    }
}

/// Lets a WebSocket begin from pages of this site only, by the same rule as the API's cookies.
async fn own_pages(State(site): State<Arc<api::Options>>, request: Request, next: Next) -> Response {
    match api::origin::check(&site, request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

fn serve(stage: &Stage, front: Front, router: Router) -> anyhow::Result<()> {
    let http = &stage.config.http;
    let plain = Plain(front.listener);
    match (http.proxy_protocol, front.certificate) {
        (false, None) => spawn(stage, plain, router),
        (false, Some(certificate)) => spawn(stage, secured(plain, certificate)?, router),
        (true, None) => spawn(stage, announced(plain, http.proxies())?, router),
        (true, Some(certificate)) => spawn(stage, secured(announced(plain, http.proxies())?, certificate)?, router),
    }
    Ok(())
}

fn spawn(stage: &Stage, listener: impl Entrance, router: Router) {
    stage.edge.spawn(serving::serve(listener, router, serving::HEAD_WITHIN, stage.draining.clone()));
}

fn gateway_options(config: &Config, options: gateway::Options) -> gateway::Options {
    let limits = &config.limits;
    gateway::Options {
        commands: commands_rate(config),
        frames: Rate { burst: limits.frames_burst, per_minute: limits.frames_per_minute },
        ..options
    }
}

fn commands_rate(config: &Config) -> Rate {
    Rate { burst: config.limits.commands_burst, per_minute: config.limits.commands_per_minute }
}

fn api_options(config: &Config) -> api::Options {
    api::Options {
        public_url: config.http.public_url.clone(),
        origins: Vec::new(),
        proxies: config.http.proxies(),
        secure_cookies: config.http.is_secure(),
        commands: commands_rate(config),
    }
}
