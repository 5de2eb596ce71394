//! A client for Klatch: REST and the gateway, for the command line, the tests and the load generator.
//!
//! It keeps tokens fresh and speaks the protocol of `docs/protocol/`; what to do with what it hears is its user's.

mod error;
mod gateway;
mod ids;
mod keeping;
mod rest;
mod tls;

pub use error::{Closed, Error};
pub use gateway::Gateway;
pub use ids::new_id;
pub use keeping::{Keep, Kept, Tokens};
pub use rest::Rest;
