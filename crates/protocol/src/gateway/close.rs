//! Close codes, in three ranges: resume, come back afresh, do not come back.

use crate::objects::Slug;

/// Why the server closed a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum CloseCode {
    /// The server stops: resume, here or elsewhere.
    Stopping,
    /// The client did not read fast enough: resume.
    Slow,
    /// The client did not answer pings: resume.
    Idle,
    /// Something went wrong on the server: resume.
    Internal,
    /// The access token has expired: get another first.
    TokenExpired,
    /// No hello came in time.
    HelloTimeout,
    /// The first frame was no hello.
    NotHello,
    /// The session was revoked.
    SignedOut,
    /// The account was closed.
    AccountClosed,
    /// No common version.
    VersionUnsupported,
    /// Far beyond the limits.
    Abuse,
}

impl CloseCode {
    /// The number: 4000 and up to resume, 4100 and up to come back afresh, 4200 and up not to come back.
    pub const fn number(self) -> u16 {
        match self {
            Self::Stopping => 4000,
            Self::Slow => 4001,
            Self::Idle => 4002,
            Self::Internal => 4003,
            Self::TokenExpired => 4100,
            Self::HelloTimeout => 4101,
            Self::NotHello => 4102,
            Self::SignedOut => 4200,
            Self::AccountClosed => 4201,
            Self::VersionUnsupported => 4202,
            Self::Abuse => 4203,
        }
    }

    /// The slug, sent as the reason.
    pub const fn slug(self) -> Slug {
        match self {
            Self::Stopping => Slug::Stopping,
            Self::Slow => Slug::Slow,
            Self::Idle => Slug::Idle,
            Self::Internal => Slug::Internal,
            Self::TokenExpired => Slug::TokenExpired,
            Self::HelloTimeout => Slug::HelloTimeout,
            Self::NotHello => Slug::NotHello,
            Self::SignedOut => Slug::SignedOut,
            Self::AccountClosed => Slug::AccountClosed,
            Self::VersionUnsupported => Slug::VersionUnsupported,
            Self::Abuse => Slug::Abuse,
        }
    }
}
