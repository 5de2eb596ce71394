//! A site on a real socket, and people who use it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use klatch_core::ids::{ConversationId, DeviceId, Timestamp, UserId, Uuid, WorkspaceId};
use klatch_ports::directory::Registration;
use klatch_ports::live::{Listener, Topic, Topics};
use klatch_ports::presence::{Presence, Rate, State};
use klatch_ports::{
    Error, commands, directory, event_log, feed, keys, live, mailboxes, overlay, owners, presence, views,
};
use klatch_protocol::objects::{Problem, Slug, User};
use klatch_protocol::rest::SessionAnswer;
use klatch_server::accounts::notices::AccountNotice;
use klatch_server::accounts::{self, Accounts, Rates, Signer, Work};
use klatch_server::api::{self, ApiState};
use klatch_server::conversations::Conversations;
use klatch_server::environment::{Clock, Entropy, uuid_v7};
use klatch_server::heads;
use klatch_server::partitioning::Partitioning;
use klatch_server::processor::partition;
use klatch_server::sealing::{MasterKey, Sealer};
use klatch_server::services::Services;
use klatch_server::workers::projector;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

pub const PASSWORD: &str = "correct horse battery";

/// The clock of a test.
pub struct FakeClock(AtomicU64);

impl FakeClock {
    pub fn advance(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// Chance that is the same each time.
#[derive(Default)]
struct Counted(AtomicU64);

impl Entropy for Counted {
    fn fill(&self, bytes: &mut [u8]) {
        let n = self.0.fetch_add(1, Ordering::SeqCst);
        blake3::Hasher::new().update(&n.to_be_bytes()).finalize_xof().fill(bytes);
    }
}

pub struct Site {
    pub base: String,
    pub http: reqwest::Client,
    pub clock: Arc<FakeClock>,
    pub services: Arc<Services>,
    pub accounts: Arc<Accounts>,
    stop: CancellationToken,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub fn services(clock: Arc<FakeClock>, presence: Arc<Fragile>) -> Arc<Services> {
    Arc::new(Services {
        process: "test".to_owned(),
        workspace: WorkspaceId(Uuid::from_u128(1)),
        event_log: Arc::new(event_log::MemoryEventLog::default()),
        overlays: Arc::new(overlay::MemoryOverlays::default()),
        feed: Arc::new(feed::MemoryFeed::default()),
        commands: Arc::new(commands::memory::Memory::new(2, 10_000)),
        partitioning: Partitioning::alone(2),
        owners: Arc::new(owners::memory::Memory::default()),
        live: Arc::new(live::memory::Memory::default()),
        mailboxes: Arc::new(mailboxes::memory::Memory::default()),
        views: Arc::new(views::memory::Memory::default()),
        directory: Arc::new(directory::memory::Memory::default()),
        keys: Arc::new(keys::memory::Memory::default()),
        presence,
        clock,
        entropy: Arc::new(Counted::default()),
    })
}

/// Counters of which a test can take away the connection.
#[derive(Default)]
pub struct Fragile {
    engine: presence::memory::Memory,
    is_away: AtomicBool,
}

impl Fragile {
    pub fn set_away(&self, is_away: bool) {
        self.is_away.store(is_away, Ordering::SeqCst);
    }

    fn engine(&self) -> Result<&presence::memory::Memory, Error> {
        if self.is_away.load(Ordering::SeqCst) { Err(Error::unavailable("taken away")) } else { Ok(&self.engine) }
    }
}

#[async_trait::async_trait]
impl Presence for Fragile {
    async fn touch(
        &self,
        user: UserId,
        device: DeviceId,
        state: State,
        now: Timestamp,
    ) -> Result<(State, State), Error> {
        self.engine()?.touch(user, device, state, now).await
    }

    async fn leave(&self, user: UserId, device: DeviceId, now: Timestamp) -> Result<(State, State), Error> {
        self.engine()?.leave(user, device, now).await
    }

    async fn of(&self, users: &[UserId], now: Timestamp) -> Result<Vec<(State, Timestamp)>, Error> {
        self.engine()?.of(users, now).await
    }

    async fn take(&self, key: &str, rate: Rate, cost: u32, now: Timestamp) -> Result<Result<(), u64>, Error> {
        self.engine()?.take(key, rate, cost, now).await
    }
}

/// A site with no limits on rates and no owner, where everybody may sign up.
pub async fn site() -> Site {
    start(Rates::boundless(), api::Options::default()).await
}

pub async fn start(rates: Rates, options: api::Options) -> Site {
    fragile(rates, options).await.0
}

/// A site, and its counters, which can be taken away.
pub async fn fragile(rates: Rates, options: api::Options) -> (Site, Arc<Fragile>) {
    let clock = Arc::new(FakeClock(AtomicU64::new(1_800_000_000_000)));
    let presence = Arc::new(Fragile::default());
    let services = services(clock.clone(), presence.clone());
    let site = serve(services, clock, rates, options).await;
    site.accounts.open_site("Klatch", Registration::Open).await.unwrap();
    (site, presence)
}

/// A server on these engines; another one on the same engines is the same site after a restart.
pub async fn serve(services: Arc<Services>, clock: Arc<FakeClock>, rates: Rates, options: api::Options) -> Site {
    let stop = CancellationToken::new();
    let heads = Arc::new(heads::Memory::new(services.clone(), None));
    for number in 0..services.commands.partitions() {
        tokio::spawn(partition::run(services.clone(), heads.clone(), number, stop.clone()));
    }
    tokio::spawn(projector::run(services.clone(), stop.clone()));
    let master = MasterKey::new([3; 32]);
    let sealer =
        Sealer::open_store(services.workspace, services.keys.clone(), services.entropy.clone(), &master).await.unwrap();
    let signer = Signer::new([7; 32]).unwrap();
    let accounts = accounts::Options { work: Work::least(), rates };
    let accounts = Arc::new(Accounts::new(services.clone(), signer, accounts).unwrap());
    let state = ApiState {
        services: services.clone(),
        sealer: Arc::new(sealer),
        conversations: Conversations::start(services.clone(), CancellationToken::new()).await.unwrap(),
        accounts: accounts.clone(),
        options: Arc::new(options),
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let service = api::router(state).into_make_service_with_connect_info::<SocketAddr>();
    let stopped = stop.clone().cancelled_owned();
    tokio::spawn(async move { axum::serve(listener, service).with_graceful_shutdown(stopped).await });
    // Tests run side by side; the first of them has made the choice.
    drop(rustls::crypto::ring::default_provider().install_default());
    Site { base, http: reqwest::Client::new(), clock, services, accounts, stop }
}

impl Site {
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let path = if path.starts_with("/api") || path.starts_with("/.") || path.starts_with("/problems") {
            path.to_owned()
        } else {
            format!("/api/v1{path}")
        };
        self.http.request(method, format!("{}{path}", self.base))
    }

    pub fn post(&self, path: &str, body: Value) -> RequestBuilder {
        self.request(Method::POST, path).json(&body)
    }

    pub async fn sign_up(&self, name: &str) -> Person<'_> {
        let body = json!({"name": name, "password": PASSWORD, "device": "a test", "cookie": false});
        let answer = read(self.post("/accounts", body), StatusCode::CREATED).await;
        Person { site: self, session: answer }
    }

    /// Somebody who runs the site.
    pub async fn owner(&self, name: &str) -> Person<'_> {
        let claim = self.accounts.make_claim().await.unwrap();
        let body = json!({"name": name, "password": PASSWORD, "invite": claim.expose(), "cookie": false});
        let answer = read(self.post("/accounts", body), StatusCode::CREATED).await;
        Person { site: self, session: answer }
    }

    pub async fn sign_in(&self, name: &str) -> Person<'_> {
        let body = json!({"name": name, "password": PASSWORD, "cookie": false});
        let answer = read(self.post("/sessions", body), StatusCode::CREATED).await;
        Person { site: self, session: answer }
    }

    /// Hears what is said to a person.
    pub async fn hear(&self, user: Uuid) -> Ear {
        let (topics, listener) = self.services.live.listen().await.unwrap();
        topics.add(Topic::User(UserId(user))).await.unwrap();
        Ear { _topics: topics, listener }
    }

    /// Waits until the projections have come as far as the log of this conversation.
    pub async fn projected(&self, conversation: Uuid) {
        let id = ConversationId(conversation);
        let projected = async {
            let tail = self.services.event_log.tails(&[id]).await.unwrap()[0];
            while self.services.views.projected(id).await.unwrap() < tail {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), projected).await.expect("it should have come long ago");
    }

    pub fn new_id(&self) -> Uuid {
        uuid_v7(&*self.clock, &*self.services.entropy)
    }
}

pub struct Ear {
    _topics: Arc<dyn Topics>,
    listener: Box<dyn Listener>,
}

impl Ear {
    /// The next notices about the account.
    pub async fn notices(&mut self) -> Vec<AccountNotice> {
        let said = self.listener.next().await.unwrap();
        said.iter().filter_map(|said| AccountNotice::decode(&said.payload)).collect()
    }
}

/// Somebody who is signed in.
pub struct Person<'a> {
    pub site: &'a Site,
    pub session: SessionAnswer,
}

impl Person<'_> {
    pub fn id(&self) -> Uuid {
        self.session.user.id
    }

    pub fn refresh_token(&self) -> String {
        self.session.refresh_token.clone().unwrap()
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.site.request(method, path).bearer_auth(&self.session.access_token)
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    pub fn post(&self, path: &str, body: Value) -> RequestBuilder {
        self.request(Method::POST, path).json(&body)
    }

    pub fn put(&self, path: &str, body: Value) -> RequestBuilder {
        self.request(Method::PUT, path).json(&body)
    }

    pub fn patch(&self, path: &str, body: Value) -> RequestBuilder {
        self.request(Method::PATCH, path).json(&body)
    }

    pub fn delete(&self, path: &str) -> RequestBuilder {
        self.request(Method::DELETE, path)
    }

    /// Whether the access token is still good.
    pub async fn is_signed_in(&self) -> bool {
        let response = self.get("/me").send().await.unwrap();
        match response.status() {
            StatusCode::OK => response.json::<User>().await.unwrap().id == self.id(),
            status => {
                assert_eq!(status, StatusCode::UNAUTHORIZED);
                false
            }
        }
    }
}

/// Sends, and reads the answer.
pub async fn read<T: DeserializeOwned>(request: RequestBuilder, status: StatusCode) -> T {
    let response = request.send().await.unwrap();
    let (found, text) = (response.status(), response.text().await.unwrap());
    assert_eq!(found, status, "{text}");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Sends, and there is nothing to read.
pub async fn done(request: RequestBuilder) {
    let response = request.send().await.unwrap();
    let (found, text) = (response.status(), response.text().await.unwrap());
    assert_eq!((found, text.as_str()), (StatusCode::NO_CONTENT, ""));
}

/// Sends what is to be refused for this reason. Every refusal is looked at as a whole.
pub async fn refused(request: RequestBuilder, slug: Slug) -> Problem {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.unwrap();
    assert_eq!(headers["content-type"], "application/problem+json", "{status} {text}");
    let problem: Problem = serde_json::from_str(&text).unwrap();
    assert_eq!(problem.slug(), Some(slug), "{text}");
    assert_eq!(problem.kind, format!("/problems/{}", slug.as_str()));
    assert_eq!(problem.status, Some(status.as_u16()));
    assert_eq!(problem.instance.as_deref(), Some(headers["x-request-id"].to_str().unwrap()));
    assert_eq!(headers["cache-control"], "no-store");
    problem
}
