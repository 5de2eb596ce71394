//! What the commands of the shell share: which server, who is signed in there, and how things are printed.

pub mod credentials;
pub mod output;
pub mod places;
pub mod server;
