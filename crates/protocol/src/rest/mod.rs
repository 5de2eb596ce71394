//! Requests and answers under `/api/v1`. Unknown fields are ignored; what is secret is not printed.

mod accounts;
mod conversations;
mod history;
mod invites;
mod page;
mod sessions;
mod site;

pub use accounts::{Closure, NewPassword, PasswordChange, PasswordReset, ProfileChange, UserChange};
pub use conversations::{
    ChannelItem, CommandAnswer, CursorMove, ImportAnswer, ImportBatch, ImportItem, ImportOutcome, MemberItem,
    MessagePlace, NewConversation, SettingsChange,
};
pub use history::{HistoryPage, PinsPage};
pub use invites::{InviteItem, NewInvite};
pub use page::Page;
pub use sessions::{Jwk, Jwks, Refresh, SessionAnswer, SessionItem, SignIn, SignUp};
pub use site::{Registration, SiteChange, SiteInfo};
