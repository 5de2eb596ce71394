//! One's own account, and passwords.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::objects::AccountRole;

/// Changes one's profile; what is absent stays.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct ProfileChange {
    /// The name to be shown: 1 to 80 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Ada Lovelace")]
    pub display_name: Option<String>,
    /// What one says about oneself: at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
}

/// Changes a person's place on the site.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct UserChange {
    /// What they may do on the site.
    pub role: AccountRole,
}

/// Sets one's password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PasswordChange {
    /// The password until now.
    #[schema(format = Password)]
    pub current: String,
    /// 8 to 256 characters.
    #[schema(format = Password)]
    pub new: String,
}

/// Closes one's account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Closure {
    /// The password.
    #[schema(format = Password)]
    pub password: String,
}

/// A link with which somebody sets a new password. It is shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PasswordReset {
    /// To be handed to the person, by a way that only they can read.
    pub link: String,
    /// Until when it is good: milliseconds since 1970.
    pub expires_at: u64,
}

/// Sets a password with the token of such a link.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewPassword {
    /// The token.
    pub token: String,
    /// 8 to 256 characters.
    #[schema(format = Password)]
    pub password: String,
}

macro_rules! unprinted {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}

unprinted!(PasswordChange, Closure, PasswordReset, NewPassword);
