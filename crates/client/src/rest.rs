//! REST: requests with a fresh access token, and problems as errors.

use std::sync::Arc;
use std::time::Duration;

use klatch_protocol::objects::{CommandBody, Conversation, NewCommand, Slug, User};
use klatch_protocol::rest::{
    CommandAnswer, HistoryPage, ImportAnswer, ImportBatch, NewConversation, Page, Refresh, SessionAnswer, SignIn,
    SignUp,
};
use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::error::Error;
use crate::ids::new_id;
use crate::keeping::{Keep, Kept, Tokens};
use crate::tls;

/// How long a connection may take to come about.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// How long a server may say nothing before its answer counts as lost.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// REST at one server, for one device.
pub struct Rest {
    base: String,
    http: reqwest::Client,
    tokens: Mutex<Tokens>,
    /// Where the tokens are kept, if several processes use them.
    keep: Option<Arc<dyn Keep>>,
}

impl Rest {
    /// A server at this address, such as `http://127.0.0.1:8470`, and what is held for it.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(base: &str, tokens: Tokens) -> Result<Self, Error> {
        tls::prepare();
        let http = reqwest::Client::builder().connect_timeout(CONNECT_WITHIN).read_timeout(SILENCE_MAX).build()?;
        Ok(Self { base: base.trim_end_matches('/').to_owned(), http, tokens: Mutex::new(tokens), keep: None })
    }

    /// The same, with tokens that several processes share.
    #[must_use]
    pub fn kept(self, keep: impl Keep) -> Self {
        Self { keep: Some(Arc::new(keep)), ..self }
    }

    /// The server's address.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// What is held now, to be kept.
    pub async fn tokens(&self) -> Tokens {
        self.tokens.lock().await.clone()
    }

    /// Signs up.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn sign_up(&self, wanted: &SignUp) -> Result<SessionAnswer, Error> {
        let answer = self.send(Method::POST, "/accounts", Some(wanted), None).await?;
        self.hold(answer).await
    }

    /// Signs in.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn sign_in(&self, wanted: &SignIn) -> Result<SessionAnswer, Error> {
        let answer = self.send(Method::POST, "/sessions", Some(wanted), None).await?;
        self.hold(answer).await
    }

    /// Gets a new access token. A lost answer does no harm: the former refresh token is good until its successor is used.
    ///
    /// # Errors
    /// [`Error`]; `signed_out` where the session has ended.
    pub async fn refresh(&self) -> Result<(), Error> {
        let mut tokens = self.tokens.lock().await;
        let kept = self.open_kept().await?;
        if let Some(kept) = &kept
            && kept.tokens() != *tokens
        {
            // Another process was faster; a token that was used twice would end the session.
            *tokens = kept.tokens();
            return Ok(());
        }
        let body = Refresh { refresh_token: Some(tokens.refresh.clone()) };
        let answer: SessionAnswer = self.send(Method::POST, "/sessions/refresh", Some(&body), None).await?;
        take(&mut tokens, &answer);
        kept.map_or(Ok(()), |kept| kept.put(&tokens).map_err(Error::Kept))
    }

    /// Opening waits for whoever has it open, who may be another future of this very task: so it waits elsewhere.
    async fn open_kept(&self) -> Result<Option<Box<dyn Kept>>, Error> {
        let Some(keep) = self.keep.clone() else { return Ok(None) };
        let opened = tokio::task::spawn_blocking(move || keep.open()).await;
        opened.map_err(std::io::Error::other).flatten().map(Some).map_err(Error::Kept)
    }

    /// Reads.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        self.authorized(Method::GET, path, None::<&()>, None).await
    }

    /// Writes. It may be called again after [`Error::Unreachable`], with a body that carries its own id.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn write<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
    ) -> Result<T, Error> {
        self.authorized(method, path, body, Some(new_id())).await
    }

    /// Brings in what was said elsewhere. It may be called again: nothing is imported twice.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn import(&self, conversation: Uuid, batch: &ImportBatch) -> Result<ImportAnswer, Error> {
        // Without a key: each item has an id of its own, and answers of this size are not kept.
        self.authorized(Method::POST, &format!("/conversations/{conversation}/import"), Some(batch), None).await
    }

    /// Oneself.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn me(&self) -> Result<User, Error> {
        self.get("/me").await
    }

    /// Makes a conversation.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn create(&self, wanted: &NewConversation) -> Result<Conversation, Error> {
        self.write(Method::POST, "/conversations", Some(wanted)).await
    }

    /// Does something in a conversation.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn command(&self, conversation: Uuid, command: CommandBody) -> Result<CommandAnswer, Error> {
        let new = NewCommand { id: new_id(), command, seen: None, after: None, claimed_at: None };
        self.submit(conversation, &new).await
    }

    /// Sends a command that was made before; sent again, it takes effect once.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn submit(&self, conversation: Uuid, new: &NewCommand) -> Result<CommandAnswer, Error> {
        self.write(Method::POST, &format!("/conversations/{conversation}/commands"), Some(new)).await
    }

    /// A page of history; `query` such as `before=17&limit=50`.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn history(&self, conversation: Uuid, query: &str) -> Result<HistoryPage, Error> {
        self.get(&format!("/conversations/{conversation}/events?{query}")).await
    }

    /// A page of one's conversations.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn conversations(&self, after: Option<&str>) -> Result<Page<Conversation>, Error> {
        let after = after.map(|after| format!("?after={after}")).unwrap_or_default();
        self.get(&format!("/conversations{after}")).await
    }

    async fn authorized<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
        key: Option<Uuid>,
    ) -> Result<T, Error> {
        let mut renewed = 0;
        loop {
            let access = self.tokens.lock().await.access.clone();
            match self.send(method.clone(), path, body, Some((&access, key))).await {
                // Twice: what another process has put there meanwhile may have expired too.
                Err(error) if renewed < 2 && matches!(error.slug(), Some(Slug::TokenExpired | Slug::Unauthorized)) => {
                    renewed += 1;
                    self.refresh().await?;
                }
                answer => return answer,
            }
        }
    }

    async fn send<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
        authorization: Option<(&str, Option<Uuid>)>,
    ) -> Result<T, Error> {
        let mut request = self.http.request(method, format!("{}/api/v1{path}", self.base));
        if let Some((access, key)) = authorization {
            request = request.bearer_auth(access);
            if let Some(key) = key {
                request = request.header("Idempotency-Key", key.to_string());
            }
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let status = response.status();
        let bytes = response.bytes().await?;
        if status.is_success() {
            // Nothing to say is `null` to whoever expects nothing.
            let bytes = if bytes.is_empty() { &b"null"[..] } else { &bytes };
            return serde_json::from_slice(bytes).map_err(|error| Error::Unexpected(error.to_string()));
        }
        Err(Error::refused(status.as_u16(), &bytes))
    }

    async fn hold(&self, answer: SessionAnswer) -> Result<SessionAnswer, Error> {
        take(&mut *self.tokens.lock().await, &answer);
        Ok(answer)
    }
}

fn take(tokens: &mut Tokens, answer: &SessionAnswer) {
    tokens.access.clone_from(&answer.access_token);
    if let Some(refresh) = &answer.refresh_token {
        tokens.refresh.clone_from(refresh);
    }
}
