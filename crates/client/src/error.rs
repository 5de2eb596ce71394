//! What can go wrong on the way to a server.

use klatch_protocol::objects::{Problem, Slug};

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server refused, and says why.
    #[error("{}{}", .0.title, .0.detail.as_deref().map(|detail| format!(": {detail}")).unwrap_or_default())]
    Refused(Box<Problem>),
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
    /// The slug of the problem, if the server refused.
    pub fn slug(&self) -> Option<Slug> {
        match self {
            Self::Refused(problem) => problem.slug(),
            _ => None,
        }
    }
}

impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Self {
        Self::Unreachable(Box::new(error))
    }
}
