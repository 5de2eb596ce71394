//! A site that runs as a process, and shells of people who use it.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use klatch_client::{Error, Rest, Tokens, new_id};
use klatch_protocol::objects::{CommandBody, ConversationKind, NewCommand, Slug, User};
use klatch_protocol::rest::{CommandAnswer, InviteItem, NewConversation, NewInvite, SignUp};
use reqwest::Method;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

/// A password that is long enough.
pub const PASSWORD: &str = "correct horse battery";
/// How long a test waits for what must come. Long enough for a busy machine; no test measures it.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// How long a command is sent again that found a part of the server away: three times what is promised where another process takes over
/// (docs/operating/cluster.md).
const SERVED_WITHIN: Duration = Duration::from_secs(3 * 15);

/// The program, with nothing of this environment but the way to other programs.
pub fn klatch() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_klatch"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// How a command ended, and what it said.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it prints text");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Ended {
    /// It did what it should, and this is what it said.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!((self.code, &*self.err), (Some(0), ""), "{self:?}");
        self.out
    }

    /// It ended with this code, said all of this to people, and nothing to other programs.
    #[track_caller]
    pub fn failed(&self, code: i32, words: &[&str]) {
        assert_eq!((self.code, &*self.out), (Some(code), ""), "{self:?}");
        for word in words {
            assert!(self.err.contains(word), "\"{word}\" is not said: {}", self.err);
        }
        assert!(!self.err.contains("panicked"), "{}", self.err);
    }
}

/// Runs a command to its end.
pub async fn ended(mut command: Command) -> Ended {
    timeout(PATIENCE, command.output()).await.expect("it ends").expect("it starts").into()
}

/// Runs a command to its end, with this as its standard input.
pub async fn given(mut command: Command, input: &[u8]) -> Ended {
    let mut child = command.stdin(Stdio::piped()).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    // It may end before it has read everything.
    let _ = stdin.write_all(input).await;
    drop(stdin);
    timeout(PATIENCE, child.wait_with_output()).await.expect("it ends").expect("it started").into()
}

/// Looks until there is something to see.
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(Instant::now() < deadline, "never seen: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// `klatch run`, as a process.
pub struct Server {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    said: Arc<Mutex<String>>,
    /// Whoever writes that down, to its end.
    hearing: JoinHandle<()>,
    /// The address that it prints.
    pub base: String,
}

impl Server {
    /// Starts it with these words, and waits until it is ready.
    pub async fn start(words: &[&str]) -> Self {
        Self::begin(klatch(), words).await.unwrap_or_else(|ended| panic!("it does not start: {ended:?}"))
    }

    /// It does not start: how it ended.
    pub async fn refused(words: &[&str]) -> Ended {
        Self::refuses(klatch(), words).await
    }

    /// The same, with another command to begin with.
    pub async fn refuses(command: Command, words: &[&str]) -> Ended {
        match Self::begin(command, words).await {
            Ok(server) => panic!("it started at {}", server.base),
            Err(ended) => ended,
        }
    }

    /// Starts it by another command; how it ended, if it did not.
    pub async fn begin(mut command: Command, words: &[&str]) -> Result<Self, Ended> {
        command.arg("run").args(words);
        if !words.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let mut child = command.spawn().expect("it starts");
        let mut errors = child.stderr.take().expect("it is piped");
        let said = Arc::<Mutex<String>>::default();
        let hears = said.clone();
        let hearing = tokio::spawn(async move {
            let mut buffer = vec![0; 4_096];
            while let Ok(count @ 1..) = errors.read(&mut buffer).await {
                hears.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..count]));
            }
        });
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let mut out = String::new();
        while let Some(line) = timeout(PATIENCE, lines.next_line()).await.expect("it says something").expect("text") {
            if let Some(base) = line.strip_prefix("Klatch is ready: ") {
                let base = base.to_owned();
                return Ok(Self { child, lines, said, hearing, base });
            }
            out += &line;
        }
        let status = timeout(PATIENCE, child.wait()).await.expect("it ends").expect("it started");
        hearing.await.expect("nothing panics");
        let err = said.lock().unwrap().clone();
        Err(Ended { code: status.code(), out, err })
    }

    /// What makes an owner; it is printed as long as there is none.
    pub async fn claim(&mut self) -> String {
        loop {
            let line = timeout(PATIENCE, self.lines.next_line()).await.expect("it says something").expect("text");
            if let Some((_, token)) = line.expect("it goes on").split_once("/claim#token=") {
                return token.to_owned();
            }
        }
    }

    /// What it wrote to its log.
    pub fn log(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = self.child.id().and_then(|id| Pid::from_raw(id.try_into().expect("a number"))).expect("it runs");
        kill_process(pid, signal).expect("it takes signals");
    }

    /// Waits until it ends by itself; what it wrote to its log.
    pub async fn ended(mut self) -> String {
        timeout(PATIENCE, self.child.wait()).await.expect("it ends").expect("it started");
        self.last_words().await
    }

    /// All that it wrote to its log before it ended.
    async fn last_words(self) -> String {
        timeout(PATIENCE, self.hearing).await.expect("its log ends").expect("nothing panics");
        self.said.lock().unwrap().clone()
    }

    /// Ends it by a signal.
    pub async fn end(self, signal: Signal) {
        self.signal(signal);
        let log = self.ended().await;
        assert!(!log.contains("panicked"), "{log}");
    }
}

/// A site with an owner, in a folder of its own.
pub struct Site {
    pub server: Server,
    pub dir: TempDir,
    pub owner: Rest,
}

impl Site {
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// A site that is started with these words.
    pub async fn with(words: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data = data(&dir);
        let mut server = Server::start(&[&["--data", &data], words].concat()).await;
        let claim = server.claim().await;
        let owner = Rest::new(&server.base, Tokens::default()).unwrap();
        sign_up(&owner, "owner", &claim).await;
        Self { server, dir, owner }
    }

    pub fn data(&self) -> String {
        data(&self.dir)
    }

    pub fn base(&self) -> &str {
        &self.server.base
    }

    /// Starts the server again, which was ended by this signal. Its address is another then.
    pub async fn again(self, signal: Signal, words: &[&str]) -> Self {
        self.server.signal(signal);
        self.after_its_end(klatch(), words).await
    }

    /// Starts the server again by this command, when it has ended. Its address is another then.
    pub async fn after_its_end(self, command: Command, words: &[&str]) -> Self {
        let Self { server, dir, owner } = self;
        let log = server.ended().await;
        assert!(!log.contains("panicked"), "{log}");
        let server = Server::begin(command, &[&["--data", &data(&dir)], words].concat()).await;
        let server = server.unwrap_or_else(|ended| panic!("it does not start: {ended:?}"));
        let owner = Rest::new(&server.base, owner.tokens().await).unwrap();
        Self { server, dir, owner }
    }

    /// Somebody new, who came by an invite.
    pub async fn user(&self, name: &str) -> (Rest, User) {
        let wanted = NewInvite { uses: Some(1), ..NewInvite::default() };
        let invite: InviteItem = self.owner.write(Method::POST, "/invites", Some(&wanted)).await.unwrap();
        let rest = Rest::new(self.base(), Tokens::default()).unwrap();
        let user = sign_up(&rest, name, &invite.token.unwrap()).await;
        (rest, user)
    }

    /// Somebody new, and a shell in which they are signed in.
    pub async fn person(&self, name: &str) -> (Rest, Shell) {
        let (rest, _) = self.user(name).await;
        let shell = Shell::at(self.base());
        shell.login(name).await;
        (rest, shell)
    }
}

fn data(dir: &TempDir) -> String {
    dir.path().join("data").to_str().unwrap().to_owned()
}

/// Somebody new.
pub async fn sign_up(rest: &Rest, name: &str, invite: &str) -> User {
    let (name, password, invite) = (name.to_owned(), PASSWORD.to_owned(), Some(invite.to_owned()));
    let wanted = SignUp { name, password, display_name: None, invite, device: None, cookie: false };
    rest.sign_up(&wanted).await.expect("an account").user
}

/// A conversation that somebody begins.
pub async fn begin(rest: &Rest, kind: ConversationKind, name: &str, members: &[Uuid]) -> Uuid {
    let (name, topic, members) = (name.to_owned(), String::new(), members.to_vec());
    let new = NewConversation { id: new_id(), kind, name, topic, history: None, members, with: None };
    rest.create(&new).await.expect("a conversation").id
}

/// Does something by REST, and sends it again while nobody can say what became of it, as clients must: it takes effect once.
pub async fn command(rest: &Rest, conversation: Uuid, command: CommandBody) -> Result<CommandAnswer, Error> {
    let new = NewCommand { id: new_id(), command, seen: None, after: None, claimed_at: None };
    let deadline = Instant::now() + SERVED_WITHIN;
    loop {
        match rest.submit(conversation, &new).await {
            Err(Error::Refused(problem)) if problem.slug() == Some(Slug::Unavailable) && Instant::now() < deadline => {
                tokio::time::sleep(problem.retry_after_ms.map_or(Duration::from_secs(1), Duration::from_millis)).await;
            }
            answer => return answer,
        }
    }
}

/// A shell with a home of its own.
pub struct Shell {
    home: TempDir,
    server: String,
    certificates: Option<PathBuf>,
}

impl Shell {
    /// A shell whose commands are about this server.
    pub fn at(server: &str) -> Self {
        Self { home: tempfile::tempdir().unwrap(), server: server.to_owned(), certificates: None }
    }

    /// The same, which trusts these authorities.
    pub fn trusting(self, certificates: &Path) -> Self {
        Self { certificates: Some(certificates.to_owned()), ..self }
    }

    /// Where it keeps who is signed in.
    pub fn credentials(&self) -> PathBuf {
        self.home.path().join(".config/klatch/credentials.json")
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = klatch();
        command.env("HOME", self.home.path()).env("KLATCH_SERVER", &self.server).args(words);
        if let Some(certificates) = &self.certificates {
            command.env("SSL_CERT_FILE", certificates);
        }
        command
    }

    pub async fn run(&self, words: &[&str]) -> Ended {
        ended(self.command(words)).await
    }

    /// Runs a command that does what it should, and returns what it said.
    pub async fn ok(&self, words: &[&str]) -> String {
        self.run(words).await.ok()
    }

    pub async fn given(&self, words: &[&str], input: &[u8]) -> Ended {
        given(self.command(words), input).await
    }

    pub async fn login(&self, name: &str) {
        let said = self.given(&["login", "--name", name], format!("{PASSWORD}\n").as_bytes()).await.ok();
        assert_eq!(said, format!("Signed in at {} as @{name}.\n", self.server));
    }
}

/// One JSON object a line.
pub fn objects(lines: &str) -> Vec<serde_json::Value> {
    lines.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect()
}
