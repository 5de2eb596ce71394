//! The example client in `docs/protocol/examples`, which was written from the documents alone: what it does, they say.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use klatch_protocol::rest::{InviteItem, NewInvite};
use klatch_testkit::{PATIENCE, TestNode, text};
use reqwest::Method;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader, Lines, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{ChildStderr, ChildStdout, Command};
use tokio::task::AbortHandle;
use uuid::Uuid;

const PASSWORD: &str = "correct horse battery";

/// An address that stays, in front of a node that does not, and that can be cut off.
struct Door {
    address: SocketAddr,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    /// Where it leads; nowhere, while it is cut off.
    to: Option<SocketAddr>,
    passing: Vec<AbortHandle>,
}

impl Door {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let inner = Arc::<Mutex<Inner>>::default();
        let shared = inner.clone();
        tokio::spawn(async move {
            while let Ok((mut outside, _)) = listener.accept().await {
                let mut inner = shared.lock().expect("nobody panicked");
                let Some(to) = inner.to else { continue };
                let pass = tokio::spawn(async move {
                    if let Ok(mut inside) = TcpStream::connect(to).await {
                        let _ = copy_bidirectional(&mut outside, &mut inside).await;
                    }
                });
                inner.passing.push(pass.abort_handle());
            }
        });
        Self { address, inner }
    }

    /// Leads to another place from now on; whoever is inside is cut off.
    fn lead(&self, to: Option<SocketAddr>) {
        let mut inner = self.inner.lock().expect("nobody panicked");
        inner.to = to;
        inner.passing.drain(..).for_each(|pass| pass.abort());
    }

    fn client(&self, words: &[&str]) -> Command {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/protocol/examples/client.py");
        let mut command = Command::new("python3");
        command.arg("-B").arg(script).arg(format!("http://{}", self.address)).args(words).kill_on_drop(true);
        command
    }

    /// What the client prints when it is done.
    async fn run(&self, words: &[&str]) -> String {
        let run = self.client(words).output();
        let output = tokio::time::timeout(PATIENCE, run).await.expect("in time").expect("python3 starts");
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    }
}

/// A client that prints what is said.
struct Tail {
    said: Lines<BufReader<ChildStdout>>,
    complaints: Lines<BufReader<ChildStderr>>,
}

impl Tail {
    /// Waits until it has synced.
    async fn listens(&mut self) {
        while next(&mut self.complaints).await != "listening" {}
    }

    /// The seq and the text of the next event.
    async fn hears(&mut self) -> (u64, String) {
        let line = next(&mut self.said).await;
        let mut parts = line.splitn(3, ' ').skip(1);
        let seq = parts.next().and_then(|seq| seq.parse().ok()).expect("a seq");
        (seq, parts.next().expect("a text").to_owned())
    }
}

async fn next(lines: &mut Lines<BufReader<impl AsyncRead + Unpin>>) -> String {
    let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("a line in time");
    line.expect("text").expect("the client goes on")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_written_from_the_documents_signs_in_sends_tails_and_resumes() {
    let node = TestNode::boundless().await;
    let door = Door::open().await;
    door.lead(Some(node.node().address().expect("people reach it")));
    let ada = node.user("ada").await;
    let wanted = NewInvite { uses: Some(1), ..NewInvite::default() };
    let invite: InviteItem = node.owner().write(Method::POST, "/invites", Some(&wanted)).await.expect("an invite");
    door.run(&["sign-up", "bob", PASSWORD, &invite.token.expect("it is shown once")]).await;
    let rust = door.run(&["channel", "ada", PASSWORD, "rust"]).await;
    door.run(&["join", "bob", PASSWORD, &rust]).await;

    let tail = door.client(&["tail", "bob", PASSWORD]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut tail = tail.expect("python3 starts");
    let mut bob = Tail {
        said: BufReader::new(tail.stdout.take().expect("piped")).lines(),
        complaints: BufReader::new(tail.stderr.take().expect("piped")).lines(),
    };
    bob.listens().await;
    let first: u64 = door.run(&["send", "ada", PASSWORD, &rust, "one"]).await.parse().expect("a seq");
    assert_eq!(bob.hears().await, (first, "one".to_owned()));

    // Cut off while a little is said, then while more is said than is told at once.
    let rust: Uuid = rust.parse().expect("an id");
    let mut hers = ada.device().await;
    let mut expected = first;
    for count in [3, 510] {
        door.lead(None);
        let mut last = Uuid::nil();
        for n in 0..count {
            last = hers.command(rust, text(&format!("{n}"))).await;
        }
        hers.committed(last).await;
        door.lead(Some(node.node().address().expect("people reach it")));
        for n in 0..count {
            expected += 1;
            assert_eq!(bob.hears().await, (expected, n.to_string()));
        }
        bob.listens().await;
    }

    // A restart, with other access tokens to come and the same place to go on from.
    door.lead(None);
    let node = node.restart().await;
    let ada = ada.at(&node.base()).await;
    let last = ada.say(rust, "after the restart").await;
    door.lead(Some(node.node().address().expect("people reach it")));
    assert_eq!(bob.hears().await, (last, "after the restart".to_owned()));
    assert_eq!(last, expected + 1);
}
