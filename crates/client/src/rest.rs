//! REST: requests with a fresh access token, and problems as errors.

use klatch_protocol::objects::{CommandBody, Conversation, NewCommand, Problem, Slug, User};
use klatch_protocol::rest::{
    CommandAnswer, HistoryPage, NewConversation, Page, Refresh, SessionAnswer, SignIn, SignUp,
};
use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::error::Error;
use crate::ids::new_id;

/// What a signed-in device holds.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Tokens {
    /// For ten minutes.
    pub access: String,
    /// For the next access token; replaced each time.
    pub refresh: String,
}

/// REST at one server, for one device.
pub struct Rest {
    base: String,
    http: reqwest::Client,
    tokens: Mutex<Tokens>,
}

impl Rest {
    /// A server at this address, such as `http://127.0.0.1:8470`, and what is held for it.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(base: &str, tokens: Tokens) -> Result<Self, Error> {
        let http = reqwest::Client::builder().build()?;
        Ok(Self { base: base.trim_end_matches('/').to_owned(), http, tokens: Mutex::new(tokens) })
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
        let body = Refresh { refresh_token: Some(tokens.refresh.clone()) };
        let answer: SessionAnswer = self.send(Method::POST, "/sessions/refresh", Some(&body), None).await?;
        take(&mut tokens, &answer);
        Ok(())
    }

    /// Reads.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        self.authorized(Method::GET, path, None::<&()>).await
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
        self.authorized(method, path, body).await
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
    ) -> Result<T, Error> {
        let access = self.tokens.lock().await.access.clone();
        let key = new_id();
        match self.send(method.clone(), path, body, Some((&access, key))).await {
            Err(error) if matches!(error.slug(), Some(Slug::TokenExpired | Slug::Unauthorized)) => {
                self.refresh().await?;
                let access = self.tokens.lock().await.access.clone();
                self.send(method, path, body, Some((&access, key))).await
            }
            answer => answer,
        }
    }

    async fn send<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
        authorization: Option<(&str, Uuid)>,
    ) -> Result<T, Error> {
        let is_write = method != Method::GET;
        let mut request = self.http.request(method, format!("{}/api/v1{path}", self.base));
        if let Some((access, key)) = authorization {
            request = request.bearer_auth(access);
            if is_write {
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
        Err(refused(status, &bytes))
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

fn refused(status: StatusCode, bytes: &[u8]) -> Error {
    match serde_json::from_slice::<Problem>(bytes) {
        Ok(problem) => Error::Refused(Box::new(problem)),
        Err(_) => Error::Unexpected(format!("status {status}")),
    }
}
