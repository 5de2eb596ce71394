//! A person, as others see them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A person, as others see them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// The id.
    pub id: Uuid,
    /// The name to sign in and to be mentioned with: unique in the workspace, lower case.
    pub name: String,
    /// The name to be shown.
    pub display_name: String,
    /// What they say about themselves.
    pub about: String,
    /// What they may do on this site.
    pub role: AccountRole,
    /// Whether the account is in use.
    pub state: AccountState,
    /// Where they come from, if they were imported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// What an account may do on its site.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
pub enum AccountRole {
    /// Chats.
    Member,
    /// Runs the site.
    Owner,
}

/// Whether an account is in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    /// In use.
    Active,
    /// Closed by its owner; nobody can sign in.
    Closed,
    /// Made by an import; nobody can sign in.
    Imported,
}

/// Where somebody or something was imported from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Origin {
    /// The network: `irc`, `slack`, …
    pub network: String,
    /// The name there.
    pub name: String,
}
