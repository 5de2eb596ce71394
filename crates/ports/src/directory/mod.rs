//! Who is this, on which devices, with which sessions? Accounts and everything that decides who gets in.
//!
//! A directory belongs to one workspace. It keeps no secret that opens anything: passwords come as strong hashes, and tokens as
//! [`Digest`]s of what their holders have. The questions lie by concern in files of their own; [`Directory`] is all of them.

mod accounts;
mod admission;
mod answers;
mod attendance;
mod blocks;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
pub mod memory;
mod moving;
mod sessions;
mod sites;

use std::fmt;

use async_trait::async_trait;
use klatch_core::ids::Timestamp;

pub use accounts::{
    Account, Accounts, Closed, Created, Imported, NewAccount, Origin, PasswordHash, Profile, Role, RoleSet, State,
};
pub use admission::{Admission, Admissions, INVITES_MAX, Invite};
pub use answers::{ANSWER_KEPT_MS, ANSWER_RUNNING_MS, ANSWERS_PER_ACCOUNT_MAX, Answers, Begun};
pub use attendance::{ATTENDANCE_KEPT_MS, Attendance};
pub use blocks::{BLOCKS_PER_ACCOUNT_MAX, Blocks};
pub use moving::{Item, Moving, Part};
pub use sessions::{
    Chain, NewSession, Opened, Presented, ROTATION_GRACE_MS, Rotation, SESSION_IDLE_MS, SESSIONS_PER_ACCOUNT_MAX,
    Session, Sessions,
};
pub use sites::{Registration, Site, Sites, Standing};

use crate::Error;

/// What is kept of a token: 32 bytes of a hash from which nobody finds the token.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}

/// # Promises
///
/// - **D1** A write that returned `Ok` survives loss of power, and every read after it sees it; but a mark that an answer has begun
///   or was forgotten may be lost.
/// - **D2** A name belongs to one account for ever, whatever becomes of that. Of two that race for a name one gets it; a creation
///   that is repeated with its request's digest finds the account it made.
/// - **D3** Admission and creation are one step: an invite lets in exactly as many as it has uses, while it lasts, and a claim
///   exactly one owner. A creation that fails uses nothing up.
/// - **D4** `search` finds whoever is not closed by a part of name or display name, whatever the case, in order of name, in pages
///   that miss nobody.
/// - **D5** Of each (network, name) one person is imported, however often and in whatever batches; they get the first of their names
///   that is free.
/// - **D6** Closing an account is one step: it has then no password, session, reset, block or text about itself. The last active
///   owner cannot be closed, nor lose the role. `closures` names who was closed until `finish_closure`.
/// - **D7** A session's tokens rotate as [`Chain`] says, each time as one step; the reuse that ends a session removes it in that step.
/// - **D8** Only active accounts open sessions, at most [`SESSIONS_PER_ACCOUNT_MAX`] each: the one that rested longest gives way. A
///   session that ended is gone at once.
/// - **D9** Setting a password ends all sessions but the one to keep, in one step.
/// - **D10** A reset sets one password once, before it expires, and only the newest of an account; it ends all sessions.
/// - **D11** A block holds in both directions until it is taken back, and may be repeated. At most [`BLOCKS_PER_ACCOUNT_MAX`].
/// - **D12** The site is what was first opened, but for what was set since; `owned` says whether an active owner exists.
/// - **D13** Of all that begin an answer under one key, one is `New` at a time; once it is kept, all get it, for
///   [`ANSWER_KEPT_MS`]. Another request under the same key is told so. At most [`ANSWERS_PER_ACCOUNT_MAX`].
/// - **D14** `prune` forgets what has expired, and nothing else.
/// - **D15** A site is `Here` until its standing is set; of two that replace the same standing, one does.
/// - **D16** `items` lists everything once, and what was taken in is listed as it was. Nothing is taken in or emptied but where a site
///   is arriving.
/// - **D17** Where a site is not here, no process begins to attend; once its standing was set to another, `attending` tells every process
///   that ever attended and has not left, but for those that have said nothing for [`ATTENDANCE_KEPT_MS`].
#[async_trait]
pub trait Directory: Accounts + Sessions + Admissions + Blocks + Sites + Answers + Moving + Attendance {
    /// Forgets what has expired: answers, resets, invites, sessions that rested for [`SESSION_IDLE_MS`], and processes that said nothing
    /// for [`ATTENDANCE_KEPT_MS`].
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn prune(&self, now: Timestamp) -> Result<(), Error>;
}
