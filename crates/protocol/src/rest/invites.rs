//! Invites.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Makes an invite.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct NewInvite {
    /// How many people it lets in; without it, any number.
    #[serde(default)]
    #[schema(example = 10)]
    pub uses: Option<u32>,
    /// For how many seconds it is good; without it, until it is taken back.
    #[serde(default)]
    #[schema(example = 604_800)]
    pub expires_in_s: Option<u64>,
}

/// An invite.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InviteItem {
    /// Its id.
    pub id: Uuid,
    /// What one signs up with; only in the answer to its creation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The page to sign up on; only in the answer to its creation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// How many people it still lets in; null: any number.
    #[schema(required)]
    pub uses_left: Option<u32>,
    /// Until when it is good: milliseconds since 1970; null: until it is taken back.
    #[schema(required)]
    pub expires_at: Option<u64>,
}

impl fmt::Debug for InviteItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InviteItem").field("id", &self.id).finish_non_exhaustive()
    }
}
