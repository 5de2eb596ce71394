//! A database for a test: empty, and nobody else's. And PgBouncer before it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use klatch_backing::{Kind, Servers};
use klatch_ports::contract::fresh;
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

use super::{Database, Place, Schema};

/// Where a new database is, on a server that all tests of this process share.
pub async fn place() -> Place {
    place_on(Servers::shared(Kind::PostgreSql), "").await
}

/// Where a new database is, which sorts and folds as German does and not by bytes.
pub async fn place_in_german() -> Place {
    let german = "TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de-DE' LOCALE 'C'";
    place_on(Servers::shared(Kind::PostgreSql), german).await
}

/// Where a new database is, made with these options on a server of one's own.
pub async fn place_on(server: &Servers, options: &str) -> Place {
    let server = server.address(1);
    let name = format!("test_{}", fresh().simple());
    let all: Place = format!("postgres://postgres@{server}/postgres?pool=1").parse().expect("an address");
    let all = Database::at(all).expect("a place");
    all.query(&format!("CREATE DATABASE {name} {options}"), &[]).await.expect("the server takes another database");
    format!("postgres://postgres@{server}/{name}").parse().expect("an address")
}

/// A new database.
pub async fn database() -> Database {
    Database::at(place().await).expect("a place")
}

/// Where a new database is that has these tables.
pub async fn prepared(schema: &Schema) -> Place {
    let place = place().await;
    at(&place).migrate(schema).await.expect("the tables can be made");
    place
}

/// The database there.
pub fn at(place: &Place) -> Database {
    Database::at(place.clone()).expect("a place")
}

/// Where the same database is for who goes through something that listens at `address`.
pub fn through(place: &Place, address: &str, options: &str) -> Place {
    format!("postgres://postgres@{address}/{}?{options}", place.path).parse().expect("an address")
}

/// PgBouncer that shares one connection between transactions. It ends when this is dropped, or the thread that started it.
pub struct PgBouncer {
    /// Where it listens.
    pub address: String,
    process: Child,
    _folder: tempfile::TempDir,
}

impl PgBouncer {
    /// One before the server at this place.
    pub async fn before(place: &Place) -> Self {
        let (host, port) = place.hosts[0].clone();
        let address =
            std::net::TcpListener::bind((host.as_str(), 0)).and_then(|free| free.local_addr()).expect("a port");
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("its owner may say who enters");
        let config = folder.path().join("pgbouncer.ini");
        let settings = format!(
            "[databases]\n* = host={host} port={} user=postgres\n[pgbouncer]\nlisten_addr = {host}\nlisten_port = {}\nunix_socket_dir =\n\
             auth_type = any\npool_mode = transaction\ndefault_pool_size = 2\nmax_client_conn = 100\n",
            port.unwrap_or(super::PORT),
            address.port(),
        );
        fs::write(&config, settings).expect("room for a file");
        // It refuses to be root, and has no business being it.
        let mut start = Command::new("setpriv");
        start.args(["--pdeathsig", "KILL"]);
        if rustix::process::geteuid().is_root() {
            start.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]);
        }
        start.arg("/usr/sbin/pgbouncer").arg(config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = start.spawn().expect("there is `setpriv`");
        let up = async { while tokio::net::TcpStream::connect(address).await.is_err() {} };
        klatch_ports::contract::soon(up).await;
        Self { address: address.to_string(), process, _folder: folder }
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        // If it is gone, that is what we want.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Counts what is asked of servers. To be set as this thread's recorder.
#[derive(Default)]
pub struct Calls(Arc<AtomicU64>);

impl Calls {
    /// How often was asked since this was last called.
    pub fn take(&self) -> u64 {
        self.0.swap(0, Ordering::Relaxed)
    }
}

impl Recorder for Calls {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        if key.name() == "klatch_calls_total" { Counter::from_arc(self.0.clone()) } else { Counter::noop() }
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}
