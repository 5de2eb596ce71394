//! Why the accounts refuse something.

use klatch_protocol::objects::Slug;

/// Why something was refused, or did not work. Each has the slug that it is known by on the wire.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was asked for breaks a rule of its slug; the sentence says which and what to do.
    #[error("{1}")]
    Refused(Slug, &'static str),
    /// Too much at once: come again after these milliseconds.
    #[error("too many tries; the next is allowed in {0} ms")]
    RateLimited(u64),
    /// Too many wait already.
    #[error("too many wait for their turn")]
    Busy,
    /// A port failed.
    #[error("the accounts cannot be reached")]
    Port(#[from] klatch_ports::Error),
    /// Something that cannot fail did.
    #[error("{0}")]
    Internal(&'static str),
}

impl Error {
    /// The slug that it is known by on the wire.
    pub fn slug(&self) -> Slug {
        use klatch_ports::ErrorKind;
        match self {
            Self::Refused(slug, _) => *slug,
            Self::RateLimited(_) => Slug::RateLimited,
            Self::Busy => Slug::Unavailable,
            Self::Port(error) => match error.kind {
                ErrorKind::Broken | ErrorKind::Full => Slug::StorageFailed,
                ErrorKind::Corrupt => Slug::Internal,
                ErrorKind::Conflict | ErrorKind::Unavailable => Slug::Unavailable,
            },
            Self::Internal(_) => Slug::Internal,
        }
    }
}
