//! The operator's socket, `klatch.sock` in the data directory: commands to a node that runs, from the same user of the same
//! machine and from nobody else. One request a connection: a line of JSON each way.

use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::backup::take::{self, Source, Taken};

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
}

/// What became of it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Taken(Taken),
    Failed(String),
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
    pub async fn serve(self, source: Arc<Source>, stop: CancellationToken) {
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
            let (source, turn) = (source.clone(), turn.clone());
            tokio::spawn(async move {
                if let Err(error) = converse(stream, &source, &turn).await {
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

async fn converse(mut stream: UnixStream, source: &Source, turn: &Mutex<()>) -> anyhow::Result<()> {
    let (peer, own) = (stream.peer_cred()?.uid(), rustix::process::geteuid().as_raw());
    if peer != own && peer != 0 {
        bail!("the user {peer} is not this node's operator");
    }
    let line = tokio::time::timeout(REQUEST_WITHIN, read_line(&mut stream)).await.context("no request came")??;
    let request = serde_json::from_str(&line);
    let answer = match request {
        Ok(Request::Backup { dir, keys }) => {
            let _turn = turn.lock().await;
            tracing::info!(dir = %dir.display(), "a backup begins");
            match take::take(source, &dir, &keys).await {
                Ok(taken) => {
                    tracing::info!(records = taken.records, bytes = taken.bytes, "the backup is complete");
                    Answer::Taken(taken)
                }
                Err(error) => Answer::Failed(format!("{error:#}")),
            }
        }
        Err(error) => Answer::Failed(format!("this node does not know that command: {error}")),
    };
    let mut line = serde_json::to_vec(&answer)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    Ok(())
}

/// Has the node that runs on this data directory take a backup. The folders are absolute.
///
/// # Errors
/// A sentence that says what to do.
pub async fn backup(data: &Path, dir: PathBuf, keys: PathBuf) -> anyhow::Result<Taken> {
    let path = data.join(SOCKET);
    let mut stream = UnixStream::connect(&path).await.with_context(|| {
        format!(
            "no node runs on {}: {} does not answer; start it, or name another with --data",
            data.display(),
            path.display()
        )
    })?;
    let mut line = serde_json::to_vec(&Request::Backup { dir, keys })?;
    line.push(b'\n');
    stream.write_all(&line).await.context("the node does not listen")?;
    let answer = read_line(&mut stream).await.context("the node ended before the backup was complete")?;
    match serde_json::from_str(&answer).context("the node ended before the backup was complete")? {
        Answer::Taken(taken) => Ok(taken),
        Answer::Failed(sentence) => bail!("{sentence}"),
    }
}

async fn read_line(stream: &mut UnixStream) -> std::io::Result<String> {
    let mut line = String::new();
    BufReader::new(stream.take(LINE_BYTES_MAX)).read_line(&mut line).await?;
    Ok(line)
}
