//! Behind real balancers, with the configuration in `deploy`: HAProxy, which says whom it speaks for by the PROXY protocol, and nginx,
//! which says it in a header. Who claims to be somebody else is not believed, neither through them nor past them.

use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use klatch_backing::{Guard, Net};
use klatch_client::{Gateway, Rest, Tokens};
use klatch_protocol::objects::{ConversationKind, Problem, Slug};
use klatch_protocol::rest::SignIn;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::process::Command;
use tokio::time::{Instant, timeout};

use crate::proxied::TRIES;
use crate::tls::Signed;
use crate::world::{PASSWORD, PATIENCE, Server, begin};

/// Within which the head of a request must be there, as both configurations say.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// Within which a balancer surely knows that a node is not there: it asks twice, a second apart.
const FOUND_OUT: Duration = Duration::from_secs(4);

/// The same of a node that does not even refuse: each time it waits three seconds, and so do requests that are on their way there.
const SILENCE_FOUND_OUT: Duration = Duration::from_secs(12);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Balancer {
    HAProxy,
    Nginx,
}

impl Balancer {
    const ALL: [Self; 2] = [Self::HAProxy, Self::Nginx];

    fn script(self) -> PathBuf {
        let name = if self == Self::HAProxy { "haproxy.sh" } else { "nginx.sh" };
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/local").join(name)
    }
}

/// A node and a balancer before it; its second node is not there.
struct Balanced {
    /// Dropped in this order: nobody else may take these addresses before the node is gone, and the guard needs the folder.
    _server: Server,
    _guard: Guard,
    folder: TempDir,
    net: Net,
}

impl Balanced {
    async fn start(balancer: Balancer, signed: Option<&Signed>) -> Self {
        let (net, socket) = Net::take();
        let folder = tempfile::Builder::new().prefix("klatch-").tempdir().unwrap();
        let prefix = net.prefix();
        let environment = [("NET", prefix.as_ref())];
        let guard = Guard::of(&balancer.script(), folder.path(), &environment, socket);
        let (listen, admin) = (format!("{prefix}.11:8470"), format!("{prefix}.11:9470"));
        let config = folder.path().join("klatch.toml");
        let takes = balancer == Balancer::HAProxy;
        std::fs::write(&config, format!("[http]\ntrusted_proxies = [\"127.0.0.1\"]\nproxy_protocol = {takes}\n"))
            .unwrap();
        let data = folder.path().join("data");
        let words = ["--config", text(&config), "--data", text(&data), "--listen", &listen, "--admin-listen", &admin];
        let mut server = Server::start(&words).await;
        // The owner signs up past the balancer, from an address that is not trusted, and so speaks plain HTTP.
        let wanted = json!({"name": "owner", "password": PASSWORD, "invite": server.claim().await, "cookie": false});
        let signed_up = from(9).post(format!("http://{listen}/api/v1/accounts")).json(&wanted).send().await.unwrap();
        assert_eq!(signed_up.status(), StatusCode::CREATED);
        let balanced = Self { _server: server, _guard: guard, folder, net };
        let mut start = Command::new(balancer.script());
        start.arg("start").arg(balanced.folder.path()).env("NET", &prefix);
        start.env("KLATCH_LISTEN", balanced.address()).env("KLATCH_FRONT1", format!("{prefix}.11"));
        start.env("KLATCH_FRONT2", format!("{prefix}.12"));
        if let Some(signed) = signed {
            let (cert, key) = (balanced.folder.path().join("cert.pem"), balanced.folder.path().join("key.pem"));
            // HAProxy wants both in one file; nginx reads the chain out of it.
            std::fs::write(&cert, signed.chain.clone() + &signed.key).unwrap();
            std::fs::write(&key, &signed.key).unwrap();
            std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
            start.env("KLATCH_CERTIFICATE", cert).env("KLATCH_CERTIFICATE_KEY", key);
        }
        let done = start.output().await.unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        balanced
    }

    /// Where people come in.
    fn address(&self) -> String {
        format!("{}.20:8470", self.net.prefix())
    }

    fn base(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Where the node itself is.
    fn node(&self) -> String {
        format!("{}.11:8470", self.net.prefix())
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A client that has this address of this machine.
fn from(last: u8) -> Client {
    drop(rustls::crypto::ring::default_provider().install_default());
    Client::builder().local_address(IpAddr::V4(Ipv4Addr::new(127, 0, 0, last))).build().unwrap()
}

fn guess(client: &Client, base: &str) -> RequestBuilder {
    client.post(format!("{base}/api/v1/sessions")).json(&json!({"name": "owner", "password": "a wrong guess"}))
}

async fn slug(request: RequestBuilder) -> Slug {
    let answer = request.send().await.unwrap();
    answer.json::<Problem>().await.unwrap().slug().unwrap()
}

/// Whether somebody who guesses, and claims another address each time in every way there is, is stopped.
async fn is_stopped(guesser: &Client, base: &str) -> bool {
    let guesses = (0..2 * TRIES).map(|n| {
        let lie = format!("192.0.2.{n}");
        let request = guess(guesser, base).header("X-Forwarded-For", &lie).header("X-Real-IP", &lie);
        slug(request.header("Forwarded", format!("for={lie}")))
    });
    let answers = futures_util::future::join_all(guesses).await;
    assert!(answers.iter().all(|slug| [Slug::WrongPassword, Slug::RateLimited].contains(slug)), "{answers:?}");
    answers.contains(&Slug::RateLimited)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_client_is_counted_by_its_own_address_and_by_none_that_it_claims() {
    for balancer in Balancer::ALL {
        let balanced = Balanced::start(balancer, None).await;
        assert!(is_stopped(&from(2), &balanced.base()).await, "{balancer:?}");
        // Others come through the same balancer, and are counted apart.
        assert_eq!(slug(guess(&from(3), &balanced.base())).await, Slug::WrongPassword, "{balancer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_goes_past_the_balancer_is_counted_by_the_address_they_have() {
    for balancer in Balancer::ALL {
        let balanced = Balanced::start(balancer, None).await;
        assert!(is_stopped(&from(4), &format!("http://{}", balanced.node())).await, "{balancer:?}");
        // A stranger's PROXY header is no HTTP.
        for header in [&b"PROXY TCP4 192.0.2.7 10.0.0.1 443 8470\r\n"[..], b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"] {
            let answer = raw(&balanced.node(), 5, &[header, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"].concat()).await;
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{balancer:?}: {answer}");
        }
    }
    // And where a balancer must say whom it speaks for, who comes from its address and does not is not served.
    let balanced = Balanced::start(Balancer::HAProxy, None).await;
    assert_eq!(raw(&balanced.node(), 1, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await, "");
}

/// What is answered to these bytes, until the connection ends.
async fn raw(address: &str, from: u8, bytes: &[u8]) -> String {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("127.0.0.{from}:0").parse().unwrap()).unwrap();
    let mut stream: TcpStream = socket.connect(address.parse().unwrap()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    // It may be reset, where not everything was read.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("it ends");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_goes_through_and_people_are_who_they_are() {
    for balancer in Balancer::ALL {
        let balanced = Balanced::start(balancer, None).await;
        let rest = Rest::new(&balanced.base(), Tokens::default()).unwrap();
        let owner = SignIn { name: "owner".into(), password: PASSWORD.into(), device: None, cookie: false };
        rest.sign_in(&owner).await.unwrap();
        let tea = begin(&rest, ConversationKind::Channel, "tea", &[]).await;
        let (mut gateway, _) = Gateway::connect(rest.base(), &rest.tokens().await.access).await.unwrap();
        gateway.sync().await.unwrap();
        let frame = format!("{:?}", gateway.next().await.unwrap().unwrap());
        assert!(frame.contains(&tea.to_string()), "{balancer:?}: {frame}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_hears_of_a_node_that_is_not_there_while_the_balancer_finds_out() {
    for balancer in Balancer::ALL {
        let balanced = Balanced::start(balancer, None).await;
        everybody_is_answered(&balanced, FOUND_OUT).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_hears_of_a_node_that_is_silent_while_the_balancer_finds_out() {
    let all = Balancer::ALL.map(async |balancer| {
        let balanced = Balanced::start(balancer, None).await;
        let silent = [8470, 9470].map(|port| Silent::at(&format!("{}.12:{port}", balanced.net.prefix())));
        everybody_is_answered(&balanced, SILENCE_FOUND_OUT).await;
        drop(silent);
    });
    futures_util::future::join_all(all).await;
}

/// For so long nobody may be told that there is something wrong.
async fn everybody_is_answered(balanced: &Balanced, time: Duration) {
    let begun = Instant::now();
    let client = from(6);
    let asking = (0..8).map(|_| async {
        while begun.elapsed() < time {
            let answer = client.get(format!("{}/.well-known/jwks.json", balanced.base())).send().await;
            let answer = answer.unwrap_or_else(|error| panic!("after {:?}: {error:?}", begun.elapsed()));
            assert_eq!(answer.status(), StatusCode::OK, "after {:?}", begun.elapsed());
        }
    });
    futures_util::future::join_all(asking).await;
}

/// Where nobody answers who connects, as at a machine that has lost its power.
struct Silent {
    _listener: TcpListener,
    _queued: Vec<std::net::TcpStream>,
}

impl Silent {
    fn at(address: &str) -> Self {
        let address = address.parse().unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        // Others had this address before, and the kernel remembers their connections.
        socket.set_reuseaddr(true).unwrap();
        socket.bind(address).unwrap();
        let listener = socket.listen(1).unwrap();
        // Whoever is not accepted any more hears nothing (`tcp_abort_on_overflow` is not set).
        let queued =
            (0..).map_while(|_| std::net::TcpStream::connect_timeout(&address, Duration::from_millis(200)).ok());
        Self { _queued: queued.collect(), _listener: listener }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn balancers_speak_tls_and_cookies_are_secure() {
    for balancer in Balancer::ALL {
        let signed = Signed::new();
        let balanced = Balanced::start(balancer, Some(&signed)).await;
        // The certificate is for `localhost`.
        let http = signed.client_at("localhost", balanced.address().parse().unwrap());
        let base = "https://localhost:8470";
        let wanted = json!({"name": "owner", "password": PASSWORD, "cookie": true});
        let sign_in =
            |origin: &str| http.post(format!("{base}/api/v1/sessions")).header("Origin", origin).json(&wanted);
        let answer = sign_in(base).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED, "{balancer:?}");
        assert!(answer.headers()["set-cookie"].to_str().unwrap().contains("; Secure"), "{balancer:?}");
        let forged = sign_in("https://evil.example").header("X-Forwarded-Host", "evil.example");
        assert_eq!(slug(forged).await, Slug::WrongOrigin, "{balancer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_slow_on_purpose_is_sent_away_by_the_balancer() {
    let slow = Balancer::ALL.map(async |balancer| {
        let balanced = Balanced::start(balancer, None).await;
        let mut stream = TcpStream::connect(balanced.address()).await.unwrap();
        let begun = Instant::now();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n").await.unwrap();
        let (mut reads, mut writes) = stream.split();
        let dribble = async {
            while writes.write_all(b"X: y\r\n").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        };
        let ended = async {
            let mut answer = Vec::new();
            let _ = reads.read_to_end(&mut answer).await;
        };
        let ended = timeout(3 * HEAD_WITHIN, async {
            tokio::select! { () = dribble => {}, () = ended => {} }
        })
        .await;
        assert!(ended.is_ok(), "{balancer:?} waits for ever");
        assert!(begun.elapsed() >= HEAD_WITHIN / 2, "{balancer:?} sends people away who are not slow");
    });
    futures_util::future::join_all(slow).await;
}
