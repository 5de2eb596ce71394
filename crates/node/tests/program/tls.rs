//! A node that speaks TLS itself: REST and the gateway under it, cookies, certificates that are renewed, and those that cannot be used.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use klatch_backing::Authority;
use klatch_node::config::Config;
use klatch_node::{Node, Overrides};
use klatch_protocol::objects::ConversationKind;
use reqwest::StatusCode;
use rustix::process::Signal;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::world::{PASSWORD, PATIENCE, Server, Shell, eventually};

/// A certificate for this machine, and the authority that signed it.
pub struct Signed {
    pub authority: String,
    pub chain: String,
    pub key: String,
}

impl Signed {
    pub fn new() -> Self {
        let authority = Authority::new();
        let klatch_backing::Signed { chain, key } = authority.sign(&["localhost", "127.0.0.1"]);
        Self { authority: authority.certificate(), chain, key }
    }

    /// A client that trusts this authority and no other.
    pub fn client(&self) -> reqwest::Client {
        drop(rustls::crypto::ring::default_provider().install_default());
        let authority = reqwest::Certificate::from_pem(self.authority.as_bytes()).unwrap();
        // Nothing is kept open: each request shows which certificate it got.
        reqwest::Client::builder().tls_certs_only([authority]).pool_max_idle_per_host(0).build().unwrap()
    }

    /// The same, which finds this name at this address.
    pub fn client_at(&self, name: &str, address: SocketAddr) -> reqwest::Client {
        drop(rustls::crypto::ring::default_provider().install_default());
        let authority = reqwest::Certificate::from_pem(self.authority.as_bytes()).unwrap();
        reqwest::Client::builder().tls_certs_only([authority]).resolve(name, address).build().unwrap()
    }
}

/// Files that a node is given.
struct Files {
    dir: TempDir,
}

impl Files {
    fn of(signed: &Signed) -> Self {
        let files = Self { dir: tempfile::tempdir().unwrap() };
        files.write(signed);
        files
    }

    fn write(&self, signed: &Signed) {
        std::fs::write(self.cert(), &signed.chain).unwrap();
        std::fs::write(self.key(), &signed.key).unwrap();
        std::fs::write(self.authority(), &signed.authority).unwrap();
    }

    fn cert(&self) -> PathBuf {
        self.dir.path().join("cert.pem")
    }

    fn key(&self) -> PathBuf {
        self.dir.path().join("key.pem")
    }

    fn authority(&self) -> PathBuf {
        self.dir.path().join("authority.pem")
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// A node that listens beyond this machine, and its address as the certificate has it.
    async fn serve(&self) -> (Server, String) {
        let words = ["--data", text(&self.data()), "--listen", "0.0.0.0:0"].map(str::to_owned);
        let tls = ["--tls-cert", text(&self.cert()), "--tls-key", text(&self.key())].map(str::to_owned);
        let words: Vec<_> = words.iter().chain(&tls).map(String::as_str).collect();
        let server = Server::start(&words).await;
        let port = server.base.strip_prefix("https://0.0.0.0:").expect("it says that it speaks TLS").to_owned();
        (server, format!("https://localhost:{port}"))
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn under_tls_all_is_as_in_the_clear_and_cookies_are_secure() {
    let signed = Signed::new();
    let files = Files::of(&signed);
    let (mut server, base) = files.serve().await;
    let claim = server.claim().await;
    let http = signed.client();
    let wanted = json!({"name": "owner", "password": PASSWORD, "invite": claim, "cookie": true});
    let answer = http.post(format!("{base}/api/v1/accounts")).json(&wanted).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    for word in ["; Secure", "; HttpOnly", "; SameSite=Strict"] {
        assert!(cookie.contains(word), "{cookie}");
    }
    let page = http.get(&base).send().await.unwrap();
    assert!(page.headers().contains_key("content-security-policy") || page.status() == StatusCode::NOT_FOUND);

    // The Rust client: REST by `send`, the gateway by `tail`.
    let shell = Shell::at(&base).trusting(&files.authority());
    shell.login("owner").await;
    let rest: serde_json::Value = serde_json::from_slice(&std::fs::read(shell.credentials()).unwrap()).unwrap();
    let access = rest[&base]["access"].as_str().unwrap();
    let new = json!({"id": klatch_client::new_id(), "kind": ConversationKind::Channel, "name": "tea"});
    let created =
        http.post(format!("{base}/api/v1/conversations")).bearer_auth(access).json(&new).send().await.unwrap();
    assert_eq!(created.status(), StatusCode::CREATED);
    let mut tail = shell.command(&["tail", "#tea"]).spawn().unwrap();
    let mut lines = tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(tail.stdout.take().unwrap()));
    let begun = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
    assert!(begun.ends_with("-- owner began tea"), "{begun}");
    shell.ok(&["send", "#tea", "sealed on the way"]).await;
    let said = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
    assert!(said.ends_with("<owner> sealed on the way"), "{said}");

    // Whoever does not know the authority is not talked into it.
    let login = ["login", "--name", "owner", "--server", &base];
    Shell::at(&base).given(&login, b"some password\n").await.failed(4, &["certificate"]);
    server.end(Signal::TERM).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_speak_tls_is_let_go_of_and_nobody_else_notices() {
    let signed = Signed::new();
    let (server, base) = Files::of(&signed).serve().await;
    let address: SocketAddr = base.replace("https://localhost", "127.0.0.1").parse().unwrap();
    for bytes in [&b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[..], &[0; 4_096], b"\x16\x03\x01\xff\xff", b""] {
        let mut plain = TcpStream::connect(address).await.unwrap();
        plain.write_all(bytes).await.unwrap();
        plain.shutdown().await.unwrap();
        let mut answer = Vec::new();
        // An alert or a reset, but no HTTP.
        let _ = timeout(PATIENCE, plain.read_to_end(&mut answer)).await.expect("it is closed");
        assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    }
    // One that says nothing holds nobody up.
    let _silent = TcpStream::connect(address).await.unwrap();
    let site = signed.client().get(format!("{base}/api/v1/site")).send().await.unwrap();
    assert_eq!(site.status(), StatusCode::OK);
    server.end(Signal::TERM).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_taken_up_and_a_bad_one_is_not() {
    let (first, second) = (Signed::new(), Signed::new());
    let files = Files::of(&first);
    let (server, base) = files.serve().await;
    let reaches = async |signed: &Signed| signed.client().get(format!("{base}/api/v1/site")).send().await.is_ok();
    assert!(reaches(&first).await && !reaches(&second).await);
    files.write(&second);
    assert!(!reaches(&second).await, "nothing changes by itself");
    server.signal(Signal::HUP);
    eventually("the renewed certificate", async || reaches(&second).await.then_some(())).await;
    assert!(!reaches(&first).await);

    std::fs::write(files.key(), &first.key).unwrap();
    server.signal(Signal::HUP);
    let refused = "does not belong to the certificate";
    eventually("the refusal in the log", async || server.log().contains(refused).then_some(())).await;
    assert!(server.log().contains("the former certificate stays"), "{}", server.log());
    assert!(reaches(&second).await);
    server.end(Signal::TERM).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_shown_is_said_before_anything_is_touched() {
    let (signed, other) = (Signed::new(), Signed::new());
    let files = Files::of(&signed);
    let dir = files.dir.path();
    let file = |name: &str, content: &str| {
        let path = dir.join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let (cert, key) = (files.cert(), files.key());
    let none = dir.join("none.pem");
    let empty = file("empty.pem", "");
    let garbage = file("garbage.pem", "-----BEGIN CERTIFICATE-----\nnothing\n-----END CERTIFICATE-----\n");
    let broken = file("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n");
    let wrong = file("wrong.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let others = file("others.pem", &other.key);
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let encrypted = file("encrypted.pem", encrypted);
    for (cert, key, words) in [
        (&none, &key, &["certificate", "none.pem", "No such file", "--tls-cert"][..]),
        (&cert, &none, &["private key", "none.pem", "No such file", "--tls-key"]),
        (&empty, &key, &["no certificate in", "empty.pem", "--tls-cert"]),
        (&key, &key, &["no certificate in", "key.pem", "--tls-cert"]),
        (&garbage, &key, &["garbage.pem", "cannot be used", "as they were issued"]),
        (&broken, &key, &["certificate", "broken.pem", "no PEM", "--tls-cert"]),
        (&wrong, &key, &["wrong.pem", "cannot be used", "as they were issued"]),
        (&cert, &cert, &["no private key in", "cert.pem", "--tls-key"]),
        (&cert, &encrypted, &["no private key in", "encrypted.pem", "not encrypted"]),
        (&cert, &others, &["others.pem does not belong to", "cert.pem", "made together"]),
        (&dir.to_owned(), &key, &["certificate", "cannot be read", "--tls-cert"]),
    ] {
        let data = files.data();
        let words_given = ["--data", text(&data), "--tls-cert", text(cert), "--tls-key", text(key)];
        Server::refused(&words_given).await.failed(1, words);
        assert!(!data.exists());
    }
    let alone = ["--data", text(&files.data()), "--tls-cert", text(&cert)].map(str::to_owned);
    let alone: Vec<_> = alone.iter().map(String::as_str).collect();
    Server::refused(&alone).await.failed(1, &["`http.tls_cert` and `http.tls_key` go together"]);
    let open = ["--data", text(&files.data()), "--listen", "0.0.0.0:0"].map(str::to_owned);
    let open: Vec<_> = open.iter().map(String::as_str).collect();
    Server::refused(&open).await.failed(1, &["in the clear", "--tls-cert", "--tls-key", "--trusted-proxies"]);
    assert!(!files.data().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_has_stopped_leaves_its_port() {
    let files = Files::of(&Signed::new());
    let mut config = Config { data: files.data(), ..Config::default() };
    config.http.listen.set_port(0);
    (config.http.tls_cert, config.http.tls_key) = (Some(files.cert()), Some(files.key()));
    let node = Node::start(config, Overrides::default(), None).await.unwrap();
    let address = node.address().expect("people reach it");
    node.stop().await;
    eventually("the free port", async || TcpListener::bind(address).await.ok()).await;
}
