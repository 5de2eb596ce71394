//! The site.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who may sign up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Registration {
    /// Whoever has an invite.
    Invite,
    /// Everybody.
    Open,
    /// Nobody.
    Closed,
}

/// The site, as everybody may know it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SiteInfo {
    /// Its name.
    #[schema(example = "Analytical Engines")]
    pub name: String,
    /// Who may sign up.
    pub registration: Registration,
    /// Whether nobody runs it yet: whoever has the claim link becomes its owner.
    pub needs_owner: bool,
    /// The version of the server.
    #[schema(example = "0.1.0")]
    pub version: String,
}

/// Changes the site; what is absent stays.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct SiteChange {
    /// Its name: 1 to 80 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who may sign up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration: Option<Registration>,
}
