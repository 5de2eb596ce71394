//! How a port fails: callers match the kind, operators read the source.

use std::fmt;

/// What a caller can do about a failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum ErrorKind {
    /// The world is not as the caller expected it: look again and decide anew.
    Conflict,
    /// The engine is away or overloaded: the same call may succeed later. Nothing is known about a write.
    Unavailable,
    /// A limit of the engine is reached, such as a full queue: the call had no effect, and may succeed later.
    Full,
    /// The engine refuses writes for good, after a failed sync for instance: an operator has to look.
    Broken,
    /// What is stored cannot be read.
    Corrupt,
}

/// A failure of a port.
#[derive(Debug)]
pub struct Error {
    /// What a caller can do about it.
    pub kind: ErrorKind,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl Error {
    /// A failure of this kind, because of that.
    pub fn new(kind: ErrorKind, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { kind, source: source.into() }
    }

    /// [`ErrorKind::Conflict`] with a sentence.
    pub fn conflict(sentence: &str) -> Self {
        Self::new(ErrorKind::Conflict, sentence)
    }

    /// [`ErrorKind::Unavailable`] because of that.
    pub fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Unavailable, source)
    }

    /// [`ErrorKind::Corrupt`] because of that.
    pub fn corrupt(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Corrupt, source)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            ErrorKind::Conflict => "the store is not as expected",
            ErrorKind::Unavailable => "the store is away",
            ErrorKind::Full => "the store takes no more",
            ErrorKind::Broken => "the store takes no writes until an operator has looked",
            ErrorKind::Corrupt => "what is stored cannot be read",
        })
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.source)
    }
}
