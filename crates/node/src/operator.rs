//! The operator's socket, `klatch.sock` in the data directory: commands to a node that runs, from the same user of the same
//! machine and from nobody else. One request a connection, a line of JSON; then lines that say how far it is, where it takes long, and
//! one that says what became of it.

use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use klatch_server::moving::Place;
use klatch_server::sealing::Sealer;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::backup::take::{self, Source, Taken};
use crate::config::Config;
use crate::environment::Overrides;
use crate::moving::{self, Asked, Moved, Target, Tell};

/// The socket's name in the data directory.
const SOCKET: &str = "klatch.sock";
/// LIMIT: bytes of a request or an answer.
const LINE_BYTES_MAX: u64 = 64 * 1024;
/// How long a request may take to come.
const REQUEST_WITHIN: Duration = Duration::from_secs(10);

/// What an operator wants.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
enum Request {
    /// A backup into these folders.
    Backup {
        /// For log, lists and directory.
        dir: PathBuf,
        /// For the keys.
        keys: PathBuf,
    },
    /// The site shall be where this configuration says.
    Move {
        /// The configuration's file.
        to: PathBuf,
    },
}

/// What became of it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    /// How far it is; another answer follows.
    Says(String),
    Taken(Taken),
    Moved(Moved),
    Failed(String),
}

/// What operators are about.
pub struct Site {
    /// For backups.
    pub source: Source,
    /// What seals.
    pub sealer: Arc<Sealer>,
    /// The configuration of the node.
    pub config: Config,
    /// What tests put in place of the world.
    pub overrides: Overrides,
    /// Who moves the site once all was done that can be done by this node while it works.
    pub ask: mpsc::Sender<Asked>,
}

/// Listens, until it is dropped or `stop`.
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Binds the socket of this data directory, which the caller has locked: what lies there was left by a process that died.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub fn bind(data: &Path) -> anyhow::Result<Self> {
        let path = data.join(SOCKET);
        let bind = || -> std::io::Result<UnixListener> {
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let listener = UnixListener::bind(&path)?;
            // Who is asking is also looked at in `serve`: until this line the file may be open to more.
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
            Ok(listener)
        };
        let listener = bind().with_context(|| format!("cannot listen for operators at {}", path.display()))?;
        Ok(Self { listener, path })
    }

    /// Serves until `stop`.
    pub async fn serve(self, site: Arc<Site>, stop: CancellationToken) {
        // One at a time: each reads everything.
        let turn = Arc::new(Mutex::new(()));
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = stop.cancelled() => return,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "an operator's connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let (site, turn) = (site.clone(), turn.clone());
            tokio::spawn(async move {
                if let Err(error) = converse(stream, site, &turn).await {
                    tracing::warn!(%error, "an operator was not answered");
                }
            });
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // If it stays, the next start removes it.
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn converse(mut stream: UnixStream, site: Arc<Site>, turn: &Mutex<()>) -> anyhow::Result<()> {
    let (peer, own) = (stream.peer_cred()?.uid(), rustix::process::geteuid().as_raw());
    if peer != own && peer != 0 {
        bail!("the user {peer} is not this node's operator");
    }
    let line = tokio::time::timeout(REQUEST_WITHIN, read_line(&mut stream)).await.context("no request came")??;
    let request = serde_json::from_str(&line);
    // Nobody waits for a turn: whoever waited would keep the data open of a node that moves.
    let answer = match (request, turn.try_lock()) {
        (Err(error), _) => Answer::Failed(format!("this node does not know that command: {error}")),
        (_, Err(_)) => Answer::Failed("this node does another command of an operator: wait for that".to_owned()),
        (Ok(Request::Backup { dir, keys }), Ok(_turn)) => back_up(&site.source, &dir, &keys).await,
        (Ok(Request::Move { to }), Ok(_turn)) => match move_site(&mut stream, site, &to).await {
            Ok(moved) => Answer::Moved(moved),
            Err(error) => Answer::Failed(format!("{error:#}")),
        },
    };
    write_line(&mut stream, &answer).await
}

async fn back_up(source: &Source, dir: &Path, keys: &Path) -> Answer {
    tracing::info!(dir = %dir.display(), "a backup begins");
    match take::take(source, dir, keys).await {
        Ok(taken) => {
            tracing::info!(records = taken.records, bytes = taken.bytes, "the backup is complete");
            Answer::Taken(taken)
        }
        Err(error) => Answer::Failed(format!("{error:#}")),
    }
}

/// Has the site moved, and meanwhile says how far it is. Whoever asked may go away: what was begun goes on.
async fn move_site(stream: &mut UnixStream, site: Arc<Site>, to: &Path) -> anyhow::Result<Moved> {
    let target = Target::read(to)?;
    let (tell, mut told) = Tell::new();
    let (answer, mut answered) = oneshot::channel();
    tokio::spawn(async move {
        let Site { source, sealer, config, overrides, ask } = &*site;
        let from = Place { services: source.services.clone(), sealer: sealer.clone() };
        let asked = match moving::ahead(&from, config, &target, overrides, &tell).await {
            Ok(known) => Asked { target, known, tell, answer },
            Err(error) => return drop(answer.send(Err(error))),
        };
        let ask = ask.clone();
        // The node cannot close its data while somebody holds on to them.
        drop((from, site));
        if let Err(unheard) = ask.send(asked).await {
            drop(unheard.0.answer.send(Err(anyhow::anyhow!("the node stops"))));
        }
    });
    loop {
        tokio::select! {
            Some(line) = told.recv() => {
                // Nobody may be there any more.
                let _ = write_line(stream, &Answer::Says(line)).await;
            }
            moved = &mut answered => return moved.context("the node ended before the move was done; start it again")?,
        }
    }
}

async fn write_line(stream: &mut UnixStream, answer: &Answer) -> anyhow::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    Ok(())
}

/// Has the node that runs on this data directory take a backup. The folders are absolute.
///
/// # Errors
/// A sentence that says what to do.
pub async fn backup(data: &Path, dir: PathBuf, keys: PathBuf) -> anyhow::Result<Taken> {
    let mut stream = connect(data).await.with_context(|| {
        let (data, path) = (data.display(), data.join(SOCKET));
        format!("no node runs on {data}: {} does not answer; start it, or name another with --data", path.display())
    })?;
    match ask(&mut stream, &Request::Backup { dir, keys }, |_| {}).await? {
        Answer::Taken(taken) => Ok(taken),
        _ => bail!("the node is of another version"),
    }
}

/// Whether a node runs on this data directory: its operator's socket, if so.
///
/// # Errors
/// None does.
pub async fn connect(data: &Path) -> std::io::Result<UnixStream> {
    UnixStream::connect(data.join(SOCKET)).await
}

/// Has the node at the other end move to where this file says. `say` is told how far it is.
///
/// # Errors
/// A sentence that says what to do.
pub async fn move_to(mut node: UnixStream, to: PathBuf, say: impl FnMut(String)) -> anyhow::Result<Moved> {
    match ask(&mut node, &Request::Move { to }, say).await? {
        Answer::Moved(moved) => Ok(moved),
        _ => bail!("the node is of another version"),
    }
}

/// Asks, and returns the last answer.
async fn ask(stream: &mut UnixStream, request: &Request, mut say: impl FnMut(String)) -> anyhow::Result<Answer> {
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line).await.context("the node does not listen")?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut answer = String::new();
        let read = (&mut reader).take(LINE_BYTES_MAX).read_line(&mut answer).await;
        read.context("the node ended before it was done")?;
        match serde_json::from_str(&answer).context("the node ended before it was done")? {
            Answer::Says(line) => say(line),
            Answer::Failed(sentence) => bail!("{sentence}"),
            answer => return Ok(answer),
        }
    }
}

async fn read_line(stream: &mut UnixStream) -> std::io::Result<String> {
    let mut line = String::new();
    BufReader::new(stream.take(LINE_BYTES_MAX)).read_line(&mut line).await?;
    Ok(line)
}
