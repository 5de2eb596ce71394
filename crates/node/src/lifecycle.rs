//! A node from start to stop: engines, then roles, then sockets; and back, softly, then hard.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state, map_request};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use klatch_ports::directory::Registration;
use klatch_ports::event_log::EventLog;
use klatch_ports::live::Live;
use klatch_ports::presence::Rate;
use klatch_server::accounts::{self, Accounts, Secret, Signer};
use klatch_server::api::{self, ApiState};
use klatch_server::conversations::Conversations;
use klatch_server::environment::{Clock, Entropy};
use klatch_server::gateway::upgrade::{Door, upgrade};
use klatch_server::gateway::{self, Gateway};
use klatch_server::processor::partition;
use klatch_server::workers::{eraser, projector};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::backup::take::Source;
use crate::config::Config;
use crate::engines::{self, Embedded, Opened};
use crate::environment::{SystemClock, SystemEntropy};
use crate::listener::{Peer, Plain, bind, tell_peer};
use crate::operator::Socket;
use crate::tls::{Certificate, Tls};
use crate::{admin, compaction, pages};

/// Between two looks at what has expired, and at what was closed and not finished.
const HOUSEKEEPING: Duration = Duration::from_secs(600);

/// How often a node that stops looks whether its data are closed.
const CLOSED_POLL: Duration = Duration::from_millis(2);

/// Puts something around the log: tests that break it on purpose.
pub type Decorate = fn(Arc<dyn EventLog>) -> Arc<dyn EventLog>;

/// What tests put in place of the world.
#[derive(Clone)]
pub struct Overrides {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// The live bus, if not the configured one.
    pub live: Option<Arc<dyn Live>>,
    /// Something around the log.
    pub decorate_log: Option<Decorate>,
    /// How the gateway behaves.
    pub gateway: gateway::Options,
    /// How much work a password is, and how often one may try.
    pub accounts: accounts::Options,
    /// When the log is compacted.
    pub compaction: compaction::Pace,
}

impl Default for Overrides {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            live: None,
            decorate_log: None,
            gateway: gateway::Options::default(),
            accounts: accounts::Options::default(),
            compaction: compaction::Pace::default(),
        }
    }
}

/// A node that runs.
pub struct Node {
    address: SocketAddr,
    admin: Option<SocketAddr>,
    certificate: Option<Arc<Certificate>>,
    accounts: Arc<Accounts>,
    gateway: Arc<Gateway>,
    embedded: Arc<Embedded>,
    /// Clients are told to go, and nobody new comes.
    draining: CancellationToken,
    /// The processor and the workers finish what they have.
    stopping: CancellationToken,
    edge: TaskTracker,
    core: TaskTracker,
    drain: Duration,
}

impl Node {
    /// Starts a node.
    ///
    /// # Errors
    /// A sentence that says what to change.
    pub async fn start(
        config: Config,
        overrides: Overrides,
        metrics: Option<PrometheusHandle>,
    ) -> anyhow::Result<Self> {
        config.validate().map_err(anyhow::Error::msg).context("the configuration cannot run")?;
        // Certificate and sockets first: if one cannot be used, nothing else needs to be undone.
        let certificate = Certificate::configured(&config.http)?;
        let listener = bind(config.http.listen).await?;
        let admin_listener = match config.http.admin_listen {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        let Opened { services, sealer, embedded } = engines::open(&config, &overrides).await?;
        projector::catch_up(&services).await?;
        let operators = Socket::bind(&config.data);
        let (draining, stopping) = (CancellationToken::new(), CancellationToken::new());
        let (edge, core) = (TaskTracker::new(), TaskTracker::new());
        for number in 0..config.limits.partitions {
            core.spawn(partition::run(services.clone(), number, stopping.clone()));
        }
        match operators {
            Ok(operators) => {
                let master_key = config.data.join(&config.engines.master_key);
                let source = Source { services: services.clone(), embedded: embedded.clone(), master_key };
                core.spawn(operators.serve(Arc::new(source), stopping.clone()));
            }
            // People can chat without it.
            Err(error) => tracing::warn!(error = format!("{error:#}"), "no backups can be taken"),
        }
        core.spawn(projector::run(services.clone(), stopping.clone()));
        core.spawn(eraser::run(services.clone(), stopping.clone()));
        core.spawn(compaction::run(embedded.store.clone(), overrides.compaction, stopping.clone()));

        let mut seed = [0; 32];
        overrides.entropy.fill(&mut seed);
        let signer = Signer::new(*sealer.secret("signing", &seed).await?)?;
        let accounts = Arc::new(Accounts::new(services.clone(), signer, overrides.accounts)?);
        accounts.open_site(&config.name, Registration::Invite).await?;
        core.spawn(keep_house(accounts.clone(), stopping.clone()));
        let conversations = Conversations::start(services.clone()).await?;
        let options = gateway_options(&config, overrides.gateway);
        let gateway = Gateway::start(
            services.clone(),
            sealer.clone(),
            conversations.clone(),
            accounts.clone(),
            options,
            draining.clone(),
        )
        .await?;
        let site = Arc::new(api_options(&config));
        let state = ApiState { services, sealer, conversations, accounts: accounts.clone(), options: site.clone() };
        let door = Door::new(gateway.clone(), config.limits.connections);
        let socket = get(upgrade).layer(from_fn_with_state(site, own_pages)).with_state(door);
        let socket = api::framed(&state, Router::new().route("/api/v1/gateway", socket));
        let router = api::router(state).merge(socket).fallback(pages::page);
        let address = listener.local_addr()?;
        serve(&edge, certificate.clone(), listener, router, draining.clone())?;
        let admin = admin_listener.as_ref().map(TcpListener::local_addr).transpose()?;
        if let Some(listener) = admin_listener {
            let router = admin::router(embedded.clone(), gateway.clone(), draining.clone(), metrics);
            // It answers until the end: whoever balances the load asks it whether there still is a node.
            core.spawn(serve_admin(listener, router, stopping.clone()));
        }
        let drain = Duration::from_secs(config.limits.drain_s);
        Ok(Self { address, admin, certificate, accounts, gateway, embedded, draining, stopping, edge, core, drain })
    }

    /// The address of the site.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of health and metrics, if there is one.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// A one-time token that makes whoever signs up with it the owner, if the site has none yet.
    ///
    /// # Errors
    /// The directory failed.
    pub async fn claim(&self) -> anyhow::Result<Option<Secret>> {
        if self.accounts.site().await?.owned {
            return Ok(None);
        }
        Ok(Some(self.accounts.make_claim().await?))
    }

    /// The certificate that it shows, if it speaks TLS itself.
    pub fn certificate(&self) -> Option<&Certificate> {
        self.certificate.as_deref()
    }

    /// How many times the disk was asked to sync the log.
    pub fn syncs(&self) -> u64 {
        self.embedded.store.syncs()
    }

    /// How many connections the gateway has.
    pub fn connections(&self) -> usize {
        self.gateway.connections()
    }

    /// Stops: first no one new comes and clients are told to resume elsewhere, then what was begun is finished.
    pub async fn stop(self) {
        self.draining.cancel();
        self.edge.close();
        let drained = async {
            self.gateway.stopped().await;
            self.edge.wait().await;
        };
        if tokio::time::timeout(self.drain, drained).await.is_err() {
            tracing::warn!("some connections did not go in time");
        }
        self.stopping.cancel();
        self.core.close();
        if tokio::time::timeout(self.drain, self.core.wait()).await.is_err() {
            tracing::warn!("some work was not finished in time; it will be taken up again at the next start");
        }
        // Whoever opens the data next must find them closed; what has just ended may hold on to them for a moment.
        let (store, drain) = (Arc::downgrade(&self.embedded.store), self.drain);
        drop(self);
        let closed = async {
            while store.strong_count() > 0 {
                tokio::time::sleep(CLOSED_POLL).await;
            }
        };
        if tokio::time::timeout(drain, closed).await.is_err() {
            tracing::warn!("the data are still in use");
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

fn serve(
    tasks: &TaskTracker,
    certificate: Option<Arc<Certificate>>,
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let service = router.layer(map_request(tell_peer)).into_make_service_with_connect_info::<Peer>();
    if let Some(certificate) = certificate {
        let listener = Tls::start(listener, certificate)?;
        tasks.spawn(async move { axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned()).await });
    } else {
        let listener = Plain(listener);
        tasks.spawn(async move { axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned()).await });
    }
    Ok(())
}

async fn serve_admin(listener: TcpListener, router: Router, stop: CancellationToken) {
    let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
    if let Err(error) = served {
        tracing::error!(%error, "the admin listener failed");
    }
}

async fn keep_house(accounts: Arc<Accounts>, stop: CancellationToken) {
    let mut tick = tokio::time::interval(HOUSEKEEPING);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = accounts.keep_house().await {
            tracing::warn!(%error, "what has expired was not forgotten");
        }
    }
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
        behind_proxy: config.http.behind_proxy,
        secure_cookies: config.http.is_secure(),
        commands: commands_rate(config),
    }
}
