//! Signing up, signing in, and sessions.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::objects::User;

/// Signs up.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignUp {
    /// The name to sign in with: 2 to 32 of a to z, digits, dots, hyphens and underscores. Capitals become small.
    #[schema(example = "ada")]
    pub name: String,
    /// 8 to 256 characters.
    #[schema(example = "correct horse battery", format = Password)]
    pub password: String,
    /// The name to be shown; without one, the name.
    #[serde(default)]
    #[schema(example = "Ada Lovelace")]
    pub display_name: Option<String>,
    /// The token of an invite, or of the claim that makes an owner.
    #[serde(default)]
    pub invite: Option<String>,
    /// What the device is called in the list of sessions.
    #[serde(default)]
    #[schema(example = "Firefox on Linux")]
    pub device: Option<String>,
    /// Whether the refresh token goes into a cookie (browsers) rather than into the answer.
    #[serde(default = "yes")]
    pub cookie: bool,
}

/// Signs in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignIn {
    /// The name.
    #[schema(example = "ada")]
    pub name: String,
    /// The password.
    #[schema(example = "correct horse battery", format = Password)]
    pub password: String,
    /// What the device is called in the list of sessions.
    #[serde(default)]
    #[schema(example = "Firefox on Linux")]
    pub device: Option<String>,
    /// Whether the refresh token goes into a cookie (browsers) rather than into the answer.
    #[serde(default = "yes")]
    pub cookie: bool,
}

/// Renews a session.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Refresh {
    /// The refresh token, where it is not in the cookie.
    #[serde(default)]
    pub refresh_token: Option<String>,
}

/// A session, as it is when one signed in or renewed it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionAnswer {
    /// For `Authorization: Bearer`, and for the gateway's `hello`.
    pub access_token: String,
    /// For how long it is good.
    pub expires_in_s: u64,
    /// The session.
    pub session: SessionItem,
    /// Who one is.
    pub user: User,
    /// For the next renewal, unless it is in the cookie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
}

/// A device that is signed in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SessionItem {
    /// Its id.
    pub id: Uuid,
    /// What it is called.
    pub device: String,
    /// Since when: milliseconds since 1970.
    pub created_at: u64,
    /// When it was last renewed: milliseconds since 1970.
    pub last_used_at: u64,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// The public keys that access tokens are verified with (RFC 7517).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Jwks {
    /// The keys.
    pub keys: Vec<Jwk>,
}

/// A public key (RFC 8037).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Jwk {
    /// `OKP`.
    pub kty: String,
    /// `Ed25519`.
    pub crv: String,
    /// `EdDSA`.
    pub alg: String,
    /// `sig`.
    #[serde(rename = "use")]
    pub usage: String,
    /// Which key it is, as tokens name it.
    pub kid: String,
    /// The key.
    pub x: String,
}

const fn yes() -> bool {
    true
}

impl fmt::Debug for SignUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignUp").field("name", &self.name).finish_non_exhaustive()
    }
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn").field("name", &self.name).finish_non_exhaustive()
    }
}

impl fmt::Debug for Refresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refresh").finish_non_exhaustive()
    }
}

impl fmt::Debug for SessionAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionAnswer")
            .field("session", &self.session)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}
