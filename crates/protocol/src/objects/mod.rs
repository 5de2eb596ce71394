//! People, conversations, events and problems as JSON: the same on the gateway and in REST.

mod problem;
mod user;

pub use problem::{Problem, Slug};
pub use user::{AccountRole, AccountState, Origin, User};
