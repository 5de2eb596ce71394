//! What can go wrong on the way to a server.

use klatch_protocol::objects::{Problem, Slug};

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server refused, and says why.
    #[error("{}{}", .0.title, .0.detail.as_deref().map(|detail| format!(": {detail}")).unwrap_or_default())]
    Refused(Box<Problem>),
    /// The server closed the connection to the gateway, and says why.
    #[error("the server closed the connection: {}", .0.reason())]
    Closed(Closed),
    /// The server could not be reached, or the answer was lost: nothing is known about a write, which may be sent again.
    #[error("the server cannot be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The tokens could not be read or kept.
    #[error("the tokens cannot be kept")]
    Kept(#[source] std::io::Error),
    /// The server answered what the protocol does not know.
    #[error("the server answered what was not expected: {0}")]
    Unexpected(String),
}

impl Error {
    /// The slug of the problem, if the server refused or closed.
    pub fn slug(&self) -> Option<Slug> {
        match self {
            Self::Refused(problem) => problem.slug(),
            Self::Closed(closed) => Slug::parse(&closed.reason),
            _ => None,
        }
    }

    /// What an answer says that is not a success.
    pub(crate) fn refused(status: u16, bytes: &[u8]) -> Self {
        match serde_json::from_slice::<Problem>(bytes) {
            Ok(problem) => Self::Refused(Box::new(problem)),
            // A proxy says so of a server that is away, such as one that is being started again.
            Err(_) if matches!(status, 502..=504) => Self::Unreachable(format!("status {status}").into()),
            Err(_) => Self::Unexpected(format!("status {status}")),
        }
    }
}

/// How a connection ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Closed {
    /// The close code; 1006 where there was none.
    pub code: u16,
    /// The reason.
    pub reason: String,
}

impl Closed {
    /// Why, in a word.
    fn reason(&self) -> &str {
        match (self.code, &*self.reason) {
            (_, reason) if !reason.is_empty() => reason,
            (1006, _) => "it was lost",
            _ => "it does not say why",
        }
    }

    /// Whether there is no use in coming back.
    pub fn is_final(&self) -> bool {
        (4200..4300).contains(&self.code)
    }
}

impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Self {
        Self::Unreachable(Box::new(error))
    }
}
