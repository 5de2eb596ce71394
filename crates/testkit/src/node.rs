//! A node in this process; or, on the servers of a cluster, several, each with a role of its own.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use klatch_client::{Rest, Tokens};
use klatch_node::Role;
use klatch_node::config::{Config, Engines, Limits};
use klatch_node::{Node, Overrides, migrate};
use klatch_protocol::rest::{InviteItem, NewInvite, SessionAnswer, SignUp};
use klatch_server::accounts::{self, Rates, Work};
use reqwest::Method;
use tempfile::TempDir;

use crate::stack::Stack;
use crate::user::TestUser;

/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery";

/// How a node shall be.
#[derive(Default)]
pub struct NodeOptions {
    /// What is put in place of the world.
    pub overrides: Overrides,
    /// The limits that an operator may set.
    pub limits: Limits,
    /// Whether all come to the same node, where there are several: for tests of what a node does by itself.
    pub is_together: bool,
    /// Where the log lies, if not where the stack has it: for tests that do something to its server.
    pub event_log: Option<String>,
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

/// A node in this process, with data of its own and an owner called `owner`. Where `KLATCH_STACK` asks for a [`Stack`], several that
/// stand on it; whoever comes is sent to one that people reach, in turn.
pub struct TestNode {
    nodes: Vec<Node>,
    data: TempDir,
    stack: Stack,
    engines: Engines,
    options: NodeOptions,
    owner: Rest,
    come: AtomicUsize,
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
        let stack = Stack::chosen();
        let mut engines = stack.engines().await;
        if let Some(event_log) = &options.event_log {
            event_log.clone_into(&mut engines.event_log);
        }
        if stack != Stack::Embedded {
            let config = config(data.path(), &engines, &options);
            migrate::run(&config, &options.overrides).await.expect("servers that can be prepared");
        }
        let nodes = start(data.path(), stack, &engines, &options).await;
        let claim = nodes[0].claim().await.expect("the directory answers").expect("nobody owns it yet");
        let owner = Rest::new(&base(&nodes[0]), Tokens::default()).expect("a client");
        sign_up(&owner, "owner", Some(claim.expose())).await;
        Self { nodes, data, stack, engines, options, owner, come: AtomicUsize::new(1) }
    }

    /// The address of the node; of several, of the first that people reach.
    pub fn base(&self) -> String {
        base(&self.nodes[0])
    }

    /// Where the next person goes: in turn to each node that people reach.
    fn next_base(&self) -> String {
        if self.options.is_together {
            return self.base();
        }
        let fronts: Vec<_> = self.nodes.iter().filter(|node| node.address().is_some()).collect();
        base(fronts[self.come.fetch_add(1, Ordering::Relaxed) % fronts.len()])
    }

    /// Where its data lie.
    pub fn data(&self) -> PathBuf {
        self.data.path().to_owned()
    }

    /// The node itself; of several, one that people reach.
    pub fn node(&self) -> &Node {
        &self.nodes[0]
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        self.nodes.iter().map(Node::connections).sum()
    }

    /// The owner.
    pub fn owner(&self) -> &Rest {
        &self.owner
    }

    /// Somebody new, who came by an invite.
    pub async fn user(&self, name: &str) -> TestUser {
        let wanted = NewInvite { uses: Some(1), ..NewInvite::default() };
        let invite: InviteItem = self.owner.write(Method::POST, "/invites", Some(&wanted)).await.expect("an invite");
        let rest = Rest::new(&self.next_base(), Tokens::default()).expect("a client");
        let answer = sign_up(&rest, name, invite.token.as_deref()).await;
        TestUser::new(rest, answer.user)
    }

    /// Stops it, and starts it again on the same data. Its address is another then.
    pub async fn restart(self) -> Self {
        self.stopped_while(std::future::ready(())).await
    }

    /// Stops it, and starts it again on the same data when something was done to them.
    pub async fn stopped_while(self, done: impl Future<Output = ()>) -> Self {
        let Self { nodes, data, stack, engines, options, owner, come } = self;
        let tokens = owner.tokens().await;
        stop(nodes).await;
        done.await;
        let nodes = start(data.path(), stack, &engines, &options).await;
        let owner = Rest::new(&base(&nodes[0]), tokens).expect("a client");
        Self { nodes, data, stack, engines, options, owner, come }
    }

    /// Stops it, and leaves its data.
    pub async fn stop(self) -> TempDir {
        stop(self.nodes).await;
        self.data
    }
}

async fn start(data: &Path, stack: Stack, engines: &Engines, options: &NodeOptions) -> Vec<Node> {
    let mut nodes = Vec::new();
    for roles in stack.roles() {
        let config = Config { roles, ..config(data, engines, options) };
        nodes.push(Node::start(config, options.overrides.clone(), None).await.expect("a node that starts"));
    }
    nodes
}

/// Stops nodes, those that people reach first.
async fn stop(nodes: Vec<Node>) {
    for node in nodes {
        node.stop().await;
    }
}

fn config(data: &Path, engines: &Engines, options: &NodeOptions) -> Config {
    let (engines, limits) = (engines.clone(), options.limits.clone());
    let mut config = Config { data: data.to_owned(), engines, limits, roles: Role::ALL.to_vec(), ..Config::default() };
    config.http.listen.set_port(0);
    config.http.peer_listen = Some(config.http.listen);
    config
}

fn base(node: &Node) -> String {
    format!("http://{}", node.address().expect("people reach it"))
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
