//! A node from start to stop: engines, then roles, then sockets; and back, softly, then hard.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use axum::Router;
use klatch_ports::directory::Registration;
use klatch_server::accounts::{Accounts, Secret, Signer};
use klatch_server::gateway::Gateway;
use klatch_server::heads::Peers;
use klatch_server::workers::projector;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admin;
use crate::attendance;
use crate::backup::take::Source;
use crate::config::{Config, Role};
use crate::engines::{self, Opened};
use crate::environment::Overrides;
use crate::moving::{self, Asked, Whereabouts, whereabouts};
use crate::operator::{Site, Socket};
use crate::roles::edge::{self, Front};
use crate::roles::{Stage, processor, worker};
use crate::sockets::Sockets;
use crate::tls::Certificate;

/// How often a node that stops looks whether its data are closed.
const CLOSED_POLL: Duration = Duration::from_millis(2);

/// How often a process looks whether a site that is on its way has arrived.
const ARRIVAL_POLL: Duration = Duration::from_millis(250);

/// How long a node that moves waits for the last request to end.
const CLOSED_WITHIN: Duration = Duration::from_secs(60);

/// A node that runs.
pub struct Node {
    stage: Stage,
    address: Option<SocketAddr>,
    admin: Option<SocketAddr>,
    certificate: Option<Arc<Certificate>>,
    gateway: Option<Arc<Gateway>>,
    again: Again,
}

/// With what a node starts again where it is.
struct Again {
    sockets: Sockets,
    config: Config,
    metrics: Option<PrometheusHandle>,
    asked: Mutex<mpsc::Receiver<Asked>>,
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
        let sockets = Sockets::open(&config).await?;
        Self::start_on(sockets, config, overrides, metrics).await
    }

    /// Starts a node on sockets that listen already.
    async fn start_on(
        sockets: Sockets,
        config: Config,
        overrides: Overrides,
        metrics: Option<PrometheusHandle>,
    ) -> anyhow::Result<Self> {
        let kept = sockets.keep()?;
        // Certificate and sockets first: if one cannot be used, nothing else needs to be undone.
        let front = Front::on(sockets.front, &config)?;
        let (ask, asked) = mpsc::channel(1);
        let again = Again { sockets: kept, config: config.clone(), metrics: metrics.clone(), asked: Mutex::new(asked) };
        let stage = settle(config, overrides).await?;
        if stage.embedded.store.is_some() {
            serve_operators(&stage, ask);
        } else {
            let (dismissed, stop) = (stage.dismissed.clone(), stage.stopping.clone());
            stage.core.spawn(attendance::go_on(stage.services.clone(), dismissed, stop));
        }
        if stage.config.runs(Role::Processor) {
            processor::start(&stage, sockets.peers)?;
        }
        if stage.config.runs(Role::Worker) {
            worker::start(&stage);
        }
        let address = front.as_ref().map(|front| front.address);
        let certificate = front.as_ref().and_then(|front| front.certificate.clone());
        let gateway = match front {
            Some(front) => edge::start(&stage, front).await?,
            None => None,
        };
        let admin = sockets.admin.as_ref().map(TcpListener::local_addr).transpose()?;
        if let Some(listener) = sockets.admin {
            let router = admin::router(stage.embedded.clone(), gateway.clone(), stage.leaving.clone(), metrics);
            // It answers until the end: whoever balances the load asks it whether there still is a node.
            stage.core.spawn(serve_admin(listener, router, stage.stopping.clone()));
        }
        Ok(Self { stage, address, admin, certificate, gateway, again })
    }

    /// The address of the site, if this node has a role that people reach.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// The address of health and metrics, if there is one.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// Whether this process is the whole site.
    pub fn is_alone(&self) -> bool {
        self.stage.peers.is_none()
    }

    /// A one-time token that makes whoever signs up with it the owner, if the site has none yet.
    ///
    /// # Errors
    /// The directory failed.
    pub async fn claim(&self) -> anyhow::Result<Option<Secret>> {
        let accounts = &self.stage.accounts;
        if accounts.site().await?.owned {
            return Ok(None);
        }
        Ok(Some(accounts.make_claim().await?))
    }

    /// The certificate that it shows, if it speaks TLS itself.
    pub fn certificate(&self) -> Option<&Certificate> {
        self.certificate.as_deref()
    }

    /// How many connections the gateway has.
    pub fn connections(&self) -> usize {
        self.gateway.as_ref().map_or(0, |gateway| gateway.connections())
    }

    /// Waits until an operator wants the site to be elsewhere, and everything is done that could be done while this node works.
    pub async fn asked_to_move(&self) -> Asked {
        match self.again.asked.lock().await.recv().await {
            Some(asked) => asked,
            // Operators do not reach this node.
            None => std::future::pending().await,
        }
    }

    /// Moves the site, and starts again: as a gateway to where it is then, or as it was. Whoever connects meanwhile waits.
    ///
    /// # Errors
    /// It cannot be started again.
    pub async fn move_to(self, asked: Asked) -> anyhow::Result<Self> {
        let begun = Instant::now();
        let Again { config, metrics, .. } = &self.again;
        let (config, metrics, overrides) = (config.clone(), metrics.clone(), self.stage.overrides.clone());
        let sockets = self.again.sockets.keep()?;
        let Asked { target, known, tell, answer } = asked;
        tell.say("this node stops for a moment");
        // Somebody's request may be slow to end; as long as it lasts, nobody can open the data.
        let is_closed = self.close(Duration::ZERO, CLOSED_WITHIN).await;
        klatch_server::crash::point("while_the_node_has_stopped");
        let moved = match is_closed {
            true => moving::finish(&config, &overrides, &target, Some(known), &tell).await,
            false => Err(anyhow::anyhow!("a request did not end, and so the node could not stop")),
        };
        let node = Self::start_on(sockets, config, overrides, metrics).await?;
        let paused_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        tell.say(format!("this node works again, after {paused_ms} ms"));
        // The operator may have gone away.
        let _ = answer.send(moved.map(|moved| moving::Moved { paused_ms, ..moved }));
        Ok(node)
    }

    /// Waits until the site is about to leave the servers that this process works at.
    pub async fn dismissed(&self) {
        self.stage.dismissed.cancelled().await;
    }

    /// Stops, and starts again where the site is then. Whoever connects meanwhile waits.
    ///
    /// # Errors
    /// It cannot be started again; also where this process is no part of the site any more.
    pub async fn follow(self) -> anyhow::Result<Self> {
        let Again { config, metrics, .. } = &self.again;
        let (config, metrics, overrides) = (config.clone(), metrics.clone(), self.stage.overrides.clone());
        let sockets = self.again.sockets.keep()?;
        // Whoever was here comes back here: the sooner they are told, the sooner.
        self.close(Duration::ZERO, CLOSED_WITHIN).await;
        Self::start_on(sockets, config, overrides, metrics).await
    }

    /// Stops: balancers are told to send nobody new, then clients to resume elsewhere, one after the other; what was begun is finished.
    pub async fn stop(self) {
        let Config { http, limits, .. } = &self.stage.config;
        let (notice, drain) = (Duration::from_secs(limits.notice_s), Duration::from_secs(limits.drain_s));
        self.stage.leaving.cancel();
        if !http.trusted_proxies.is_empty() && self.address.is_some() {
            tokio::time::sleep(notice).await;
        }
        // What lies in this process must be let go of, to be closed.
        let services = &self.stage.services;
        let queue = services.commands.is_durable().then(|| (services.commands.clone(), services.feed.clone()));
        if !self.close(drain / 2, drain).await {
            tracing::warn!("the data are still in use");
        }
        if let Some((commands, feed)) = queue {
            attendance::hand_over(&*commands, &*feed, drain).await;
        }
    }

    /// Stops, with `goodbyes` in this time at most. Whether its data are closed `within` this time after that.
    async fn close(self, goodbyes: Duration, within: Duration) -> bool {
        let Self { stage, gateway, again, .. } = self;
        // From here on nobody waits for this node at its door.
        drop(again);
        let drain = Duration::from_secs(stage.config.limits.drain_s);
        stage.leaving.cancel();
        stage.draining.cancel();
        stage.edge.close();
        let drained = async {
            if let Some(gateway) = &gateway {
                gateway.leave(goodbyes).await;
            }
            stage.edge.wait().await;
        };
        let have_gone = tokio::time::timeout(drain, drained).await.is_ok();
        if !have_gone {
            tracing::warn!("some connections did not go in time");
        }
        stage.stopping.cancel();
        stage.core.close();
        let is_finished = tokio::time::timeout(drain, stage.core.wait()).await.is_ok();
        if !is_finished {
            tracing::warn!("some work was not finished in time; it will be taken up again at the next start");
        }
        if have_gone && is_finished && stage.embedded.store.is_none() {
            attendance::end(&stage.services).await;
        }
        // Whoever opens the data next must find them closed; what has just ended may hold on to them for a moment.
        let Some(store) = stage.embedded.store.as_ref().map(Arc::downgrade) else { return true };
        drop((stage, gateway));
        let closed = async {
            while store.strong_count() > 0 {
                tokio::time::sleep(CLOSED_POLL).await;
            }
        };
        tokio::time::timeout(within, closed).await.is_ok()
    }
}

/// Opens the engines of the site that this configuration leads to, and waits for it where it is on its way.
async fn settle(mut config: Config, overrides: Overrides) -> anyhow::Result<Stage> {
    let mut is_told = false;
    loop {
        let opened = engines::open(&config, &overrides).await?;
        match whereabouts(&opened, &config, &overrides).await? {
            // Who has a site to itself need not say so. Whoever begins while the site begins to leave waits like the others.
            Whereabouts::Here if opened.embedded.store.is_some() || attendance::begin(&opened.services).await? => {
                return prepare(opened, config, overrides).await;
            }
            Whereabouts::Elsewhere(there) => config = *there,
            Whereabouts::Here | Whereabouts::Moving => {
                if !std::mem::replace(&mut is_told, true) {
                    tracing::info!("the site is on its way: this process waits for it");
                }
                tokio::time::sleep(ARRIVAL_POLL).await;
            }
        }
    }
}

/// Brings what lies in this process up to date.
async fn prepare(opened: Opened, config: Config, overrides: Overrides) -> anyhow::Result<Stage> {
    let Opened { services, sealer, embedded } = opened;
    let mut seed = [0; 32];
    overrides.entropy.fill(&mut seed);
    let peers = match services.commands.is_durable() {
        true => Some(Arc::new(Peers::new(sealer.secret("peers", &seed).await?, overrides.clock.clone()))),
        false => None,
    };
    overrides.entropy.fill(&mut seed);
    let signer = Signer::new(*sealer.secret("signing", &seed).await?)?;
    let accounts = Arc::new(Accounts::new(services.clone(), signer, overrides.accounts)?);
    let stage = Stage {
        config,
        overrides,
        services,
        sealer,
        embedded,
        peers,
        accounts,
        dismissed: CancellationToken::new(),
        leaving: CancellationToken::new(),
        draining: CancellationToken::new(),
        stopping: CancellationToken::new(),
        edge: TaskTracker::new(),
        core: TaskTracker::new(),
    };
    if stage.embedded.store.is_some() {
        // After a loss of power the views may lack what was acknowledged; nobody else makes up for it.
        projector::catch_up(&stage.services).await?;
    }
    stage.accounts.open_site(&stage.config.name, Registration::Invite).await?;
    Ok(stage)
}

/// The link that makes whoever opens it first the owner of a site on servers, if it has none yet.
///
/// # Errors
/// The engines cannot be opened.
pub async fn claim(config: Config, overrides: Overrides) -> anyhow::Result<Option<String>> {
    if !config.engines.choose().map_err(anyhow::Error::msg)?.embedded().is_empty() {
        // There the node says so itself.
        return Ok(None);
    }
    let opened = engines::open(&config, &overrides).await?;
    let Whereabouts::Here = whereabouts(&opened, &config, &overrides).await? else { return Ok(None) };
    let Stage { config, accounts, .. } = prepare(opened, config, overrides).await?;
    if accounts.site().await?.owned {
        return Ok(None);
    }
    let site = config.http.public_url.unwrap_or_else(|| format!("http://{}", config.http.listen));
    let claim = accounts.make_claim().await?;
    Ok(Some(format!("{}/claim#token={}", site.trim_end_matches('/'), claim.expose())))
}

/// Listens to the operator in the data directory, which this process has to itself.
fn serve_operators(stage: &Stage, ask: mpsc::Sender<Asked>) {
    match Socket::bind(&stage.config.data) {
        Ok(operators) => {
            let (config, overrides) = (stage.config.clone(), stage.overrides.clone());
            let master_key = config.data.join(&config.engines.master_key);
            let source = Source { services: stage.services.clone(), embedded: stage.embedded.clone(), master_key };
            let site = Site { source, sealer: stage.sealer.clone(), config, overrides, ask };
            stage.core.spawn(operators.serve(Arc::new(site), stage.stopping.clone()));
        }
        // People can chat without it.
        Err(error) => tracing::warn!(error = format!("{error:#}"), "no operator reaches this node"),
    }
}

async fn serve_admin(listener: TcpListener, router: Router, stop: CancellationToken) {
    let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
    if let Err(error) = served {
        tracing::error!(%error, "the admin listener failed");
    }
}
