//! The servers that Klatch stands on in a cluster, for tests: real ones, each a process of its own with its data in a temporary
//! folder, on addresses that nobody else uses. They can be killed, paused and brought back, and cut off with a [`Link`]. However
//! the test ends, they are stopped and their data are removed.
//!
//! What starts them are the scripts in `deploy/local`. This crate knows nothing of Klatch.

mod authority;
mod guard;
mod link;
mod net;
mod servers;

pub use authority::{Authority, Signed};
pub use guard::Guard;
pub use link::{Flow, Link};
pub use net::Net;
pub use servers::{Kind, Servers};
