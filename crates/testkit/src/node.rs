//! A node in this process.

use std::path::{Path, PathBuf};

use klatch_client::{Rest, Tokens};
use klatch_node::config::{Config, Limits};
use klatch_node::{Node, Overrides};
use klatch_protocol::rest::{InviteItem, NewInvite, SessionAnswer, SignUp};
use klatch_server::accounts::{self, Rates, Work};
use reqwest::Method;
use tempfile::TempDir;

use crate::user::TestUser;

/// A password that is long enough.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// How a node shall be.
#[derive(Default)]
pub struct NodeOptions {
    /// What is put in place of the world.
    pub overrides: Overrides,
    /// The limits that an operator may set.
    pub limits: Limits,
}

impl NodeOptions {
    /// Next to no rate limits: for tests of other things.
    pub fn boundless() -> Self {
        let limits = Limits {
            commands_burst: 1_000_000,
            commands_per_minute: 1_000_000,
            frames_burst: 1_000_000,
            frames_per_minute: 1_000_000,
            ..Limits::default()
        };
        Self { limits, ..Self::default() }
    }
}

/// A node in this process, with data of its own and an owner called `owner`.
pub struct TestNode {
    node: Node,
    data: TempDir,
    options: NodeOptions,
    owner: Rest,
}

impl TestNode {
    /// Starts a node as it is by default.
    pub async fn start() -> Self {
        Self::with(NodeOptions::default()).await
    }

    /// Starts a node with next to no rate limits: for tests of other things.
    pub async fn boundless() -> Self {
        Self::with(NodeOptions::boundless()).await
    }

    /// Starts a node.
    pub async fn with(mut options: NodeOptions) -> Self {
        options.overrides.accounts = accounts::Options { work: Work::least(), rates: Rates::boundless() };
        let data = tempfile::tempdir().expect("a temporary directory");
        let node = start(data.path(), &options).await;
        let claim = node.claim().await.expect("the directory answers").expect("nobody owns it yet");
        let base = format!("http://{}", node.address());
        let owner = Rest::new(&base, Tokens::default()).expect("a client");
        sign_up(&owner, "owner", Some(claim.expose())).await;
        Self { node, data, options, owner }
    }

    /// Its address.
    pub fn base(&self) -> String {
        format!("http://{}", self.node.address())
    }

    /// Where its data lie.
    pub fn data(&self) -> PathBuf {
        self.data.path().to_owned()
    }

    /// The node itself.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// The owner.
    pub fn owner(&self) -> &Rest {
        &self.owner
    }

    /// Somebody new, who came by an invite.
    pub async fn user(&self, name: &str) -> TestUser {
        let wanted = NewInvite { uses: Some(1), ..NewInvite::default() };
        let invite: InviteItem = self.owner.write(Method::POST, "/invites", Some(&wanted)).await.expect("an invite");
        let rest = Rest::new(&self.base(), Tokens::default()).expect("a client");
        let answer = sign_up(&rest, name, invite.token.as_deref()).await;
        TestUser::new(rest, answer.user)
    }

    /// Stops it, and starts it again on the same data. Its address is another then.
    pub async fn restart(self) -> Self {
        self.stopped_while(std::future::ready(())).await
    }

    /// Stops it, and starts it again on the same data when something was done to them.
    pub async fn stopped_while(self, done: impl Future<Output = ()>) -> Self {
        let Self { node, data, options, owner } = self;
        let tokens = owner.tokens().await;
        node.stop().await;
        done.await;
        let node = start(data.path(), &options).await;
        let owner = Rest::new(&format!("http://{}", node.address()), tokens).expect("a client");
        Self { node, data, options, owner }
    }

    /// Stops it, and leaves its data.
    pub async fn stop(self) -> TempDir {
        self.node.stop().await;
        self.data
    }
}

async fn start(data: &Path, options: &NodeOptions) -> Node {
    let mut config = Config { data: data.to_owned(), limits: options.limits.clone(), ..Config::default() };
    config.http.listen.set_port(0);
    Node::start(config, options.overrides.clone(), None).await.expect("a node that starts")
}

async fn sign_up(rest: &Rest, name: &str, invite: Option<&str>) -> SessionAnswer {
    let wanted = SignUp {
        name: name.to_owned(),
        password: PASSWORD.to_owned(),
        display_name: None,
        invite: invite.map(str::to_owned),
        device: None,
        cookie: false,
    };
    rest.sign_up(&wanted).await.expect("an account")
}
