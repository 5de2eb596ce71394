//! `klatch run`: the server.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::ConfigFile;
use crate::config::{self, Config, Network, Role};
use crate::environment::Overrides;
use crate::lifecycle::Node;
use crate::telemetry;
use crate::tls::Certificate;

/// Files that stay free for what is not a connection to the gateway: databases, log, and requests.
const OWN_FILES: usize = 512;

/// Run the server
///
/// Flags go over environment variables (KLATCH_HTTP__LISTEN is `listen` in the section `http`), and those over the file.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  klatch run\n  klatch run --data /var/lib/klatch --listen 127.0.0.1:9000 --trusted-proxies 127.0.0.1\n  \
    klatch run --config klatch.toml --listen 0.0.0.0:443 --tls-cert chain.pem --tls-key key.pem"
)]
pub struct Run {
    #[command(flatten)]
    file: ConfigFile,
    /// The directory that holds everything [default: data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The address of the site [default: 127.0.0.1:8470]
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// The address of /healthz, /readyz and /metrics [default: none]
    #[arg(long, value_name = "ADDR")]
    admin_listen: Option<SocketAddr>,
    /// A certificate chain (PEM), to listen beyond this machine
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// The proxies in front of this node, which speak TLS to people: addresses or networks, separated by commas
    #[arg(long, value_name = "ADDRS", value_delimiter = ',')]
    trusted_proxies: Option<Vec<Network>>,
    /// The roles that this process runs, separated by commas [default: all]
    #[arg(long, value_name = "ROLES", value_delimiter = ',')]
    roles: Option<Vec<Role>>,
}

impl Run {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let mut config = self.config()?;
        telemetry::start_log(&config.log)?;
        config.limits.connections = connections(config.limits.connections);
        let metrics = telemetry::start_metrics()?;
        arm_crash_point()?;
        let runtime = tokio::runtime::Runtime::new().context("no runtime")?;
        runtime.block_on(async {
            let public_url = config.http.public_url.clone();
            let scheme = if config.http.tls_cert.is_some() { "https" } else { "http" };
            let mut signals = Signals::listen(config.http.tls_cert.is_some())?;
            let mut node = tokio::select! {
                node = Node::start(config, Overrides::default(), Some(metrics)) => node?,
                () = signals.stop(None) => return Ok(()),
            };
            let url = node.address().map(|address| public_url.unwrap_or_else(|| format!("{scheme}://{address}")));
            welcome(&node, url.as_deref().map(|url| url.trim_end_matches('/'))).await?;
            loop {
                let asked = tokio::select! {
                    () = signals.stop(node.certificate()) => break,
                    () = node.dismissed() => None,
                    asked = node.asked_to_move() => Some(asked),
                };
                let next = async {
                    match asked {
                        Some(asked) => node.move_to(asked).await,
                        None => node.follow().await,
                    }
                };
                node = tokio::select! {
                    next = next => next?,
                    () = signals.stop(None) => return Ok(()),
                };
            }
            eprintln!("Stopping: clients are told to come back. Press Ctrl-C again to stop at once.");
            tokio::select! {
                () = node.stop() => {}
                () = signals.stop(None) => {}
            }
            Ok(())
        })
    }

    fn config(self) -> anyhow::Result<Config> {
        let mut config = config::load(self.file.config.as_deref(), std::env::vars())?;
        if let Some(data) = self.data {
            config.data = data;
        }
        if let Some(listen) = self.listen {
            config.http.listen = listen;
        }
        if let Some(roles) = self.roles {
            config.roles = roles;
        }
        config.http.admin_listen = self.admin_listen.or(config.http.admin_listen);
        config.http.tls_cert = self.tls_cert.or(config.http.tls_cert);
        config.http.tls_key = self.tls_key.or(config.http.tls_key);
        config.http.trusted_proxies = self.trusted_proxies.unwrap_or(config.http.trusted_proxies);
        Ok(config)
    }
}

/// As many connections as are wanted, or as the limit of open files allows: it is raised first as far as the system lets it, since
/// whoever is at it cannot write a log either.
fn connections(wanted: usize) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let files = if raised.is_ok() { maximum } else { current };
    let room = files.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX).saturating_sub(OWN_FILES));
    if room < wanted {
        tracing::warn!(
            wanted,
            room,
            "the limit of open files ({}) leaves room for fewer connections than `limits.connections` says; raise it (`ulimit -n`, \
             LimitNOFILE)",
            files.unwrap_or_default()
        );
    }
    wanted.min(room)
}

/// Says where the site is, and gives whoever runs it the way in.
async fn welcome(node: &Node, url: Option<&str>) -> anyhow::Result<()> {
    match url {
        Some(url) => println!("Klatch is ready: {url}"),
        None => println!("Klatch is ready. Nobody reaches this process: it has neither the role api nor gateway."),
    }
    if let Some(admin) = node.admin_address() {
        println!("Health and metrics: http://{admin}/readyz, http://{admin}/metrics");
    }
    // Of several processes each would print another link, and only the last would be good: `klatch migrate` gives it.
    if let Some(url) = url.filter(|_| node.is_alone())
        && let Some(claim) = node.claim().await?
    {
        println!("This site has no owner yet. Whoever opens this link first becomes it (good for one day):");
        println!("  {url}/claim#token={}", claim.expose());
    }
    Ok(())
}

/// What an operator says by signals. Listened to before anybody is told that the node is ready: until then they just end it.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// Only where there is a certificate to be renewed; elsewhere it ends the node, as it ends any program.
    hangup: Option<Signal>,
}

impl Signals {
    fn listen(has_certificate: bool) -> anyhow::Result<Self> {
        let hangup = has_certificate.then(|| signal(SignalKind::hangup())).transpose()?;
        let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(Self { interrupt, terminate, hangup })
    }

    /// Waits until the node is to stop; meanwhile a certificate that was renewed is taken up when one is told.
    async fn stop(&mut self, certificate: Option<&Certificate>) {
        loop {
            let Self { interrupt, terminate, hangup } = self;
            tokio::select! {
                _ = interrupt.recv() => return,
                _ = terminate.recv() => return,
                () = heard(hangup) => match certificate.map_or(Ok(()), Certificate::renew) {
                    Ok(()) => tracing::info!("the certificate was read again"),
                    Err(error) => tracing::error!(error = format!("{error:#}"), "the former certificate stays"),
                },
            }
        }
    }
}

async fn heard(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// Lets a test end this process at a named place: `KLATCH_CRASH_POINT=after_sync:3`.
#[cfg(feature = "crash-points")]
fn arm_crash_point() -> anyhow::Result<()> {
    if let Ok(point) = std::env::var("KLATCH_CRASH_POINT") {
        let (name, passes) = point.split_once(':').context("KLATCH_CRASH_POINT is NAME:PASSES")?;
        klatch_server::crash::arm(name, passes.parse()?);
    }
    Ok(())
}

#[cfg(not(feature = "crash-points"))]
#[expect(clippy::unnecessary_wraps, reason = "with crash points it can fail")]
fn arm_crash_point() -> anyhow::Result<()> {
    Ok(())
}
