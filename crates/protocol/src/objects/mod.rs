//! People, conversations, events and problems as JSON: the same on the gateway and in REST.

mod body;
mod problem;
mod user;

pub use body::Body;
pub use problem::{Problem, Slug};
pub use user::{AccountRole, AccountState, Origin, User};
