//! `klatch run`: the server.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::ConfigFile;
use crate::config::{self, Config};
use crate::lifecycle::{Node, Overrides};
use crate::roles::Role;
use crate::telemetry;

/// Run the server
///
/// Flags go over environment variables (KLATCH_HTTP__LISTEN is `listen` in the section `http`), and those over the file.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  klatch run\n  klatch run --data /var/lib/klatch --listen 127.0.0.1:9000 --behind-proxy\n  \
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
    /// A proxy in front of this node speaks TLS to people
    #[arg(long)]
    behind_proxy: bool,
    /// The roles that this process runs, separated by commas [default: all]
    #[arg(long, value_name = "ROLES", value_delimiter = ',')]
    roles: Option<Vec<Role>>,
}

impl Run {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let config = self.config()?;
        telemetry::start_log(&config.log)?;
        let metrics = telemetry::start_metrics()?;
        arm_crash_point()?;
        let runtime = tokio::runtime::Runtime::new().context("no runtime")?;
        runtime.block_on(async {
            let public_url = config.http.public_url.clone();
            let scheme = if config.http.tls_cert.is_some() { "https" } else { "http" };
            let node = Node::start(config, Overrides::default(), Some(metrics)).await?;
            let url = public_url.unwrap_or_else(|| format!("{scheme}://{}", node.address()));
            welcome(&node, url.trim_end_matches('/')).await?;
            tokio::select! {
                told = until_told() => told?,
                never = renew_when_told(&node) => match never? {},
            }
            eprintln!("Stopping: clients are told to come back. Press Ctrl-C again to stop at once.");
            tokio::select! {
                () = node.stop() => Ok(()),
                told = until_told() => told,
            }
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
        config.http.behind_proxy |= self.behind_proxy;
        Ok(config)
    }
}

/// Says where the site is, and gives whoever runs it the way in.
async fn welcome(node: &Node, url: &str) -> anyhow::Result<()> {
    println!("Klatch is ready: {url}");
    if let Some(admin) = node.admin_address() {
        println!("Health and metrics: http://{admin}/readyz, http://{admin}/metrics");
    }
    if let Some(claim) = node.claim().await? {
        println!("This site has no owner yet. Whoever opens this link first becomes it (good for one day):");
        println!("  {url}/claim#token={}", claim.expose());
    }
    Ok(())
}

/// Waits for Ctrl-C or SIGTERM.
async fn until_told() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        told = tokio::signal::ctrl_c() => told.context("signals cannot be heard"),
        _ = terminate.recv() => Ok(()),
    }
}

/// At SIGHUP, takes up a certificate that was renewed. Without one that signal ends the node, as it ends any program.
async fn renew_when_told(node: &Node) -> anyhow::Result<Infallible> {
    use tokio::signal::unix::{SignalKind, signal};
    let Some(certificate) = node.certificate() else { return std::future::pending().await };
    let mut hangup = signal(SignalKind::hangup())?;
    loop {
        hangup.recv().await;
        match certificate.renew() {
            Ok(()) => tracing::info!("the certificate was read again"),
            Err(error) => tracing::error!(error = format!("{error:#}"), "the former certificate stays"),
        }
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
