//! How the world answers: the engines of the ports in `klatch-ports`. One folder a port, one file an engine, and each of them
//! passes its port's contract. An **embedded** engine serves one process on one machine; a **distributed** one serves several.
//!
//! | port | embedded | distributed |
//! | --- | --- | --- |
//! | `commands` | `klatch_ports::commands::memory` | |
//! | `directory` | [`directory::sqlite`] | |
//! | `event_log` | [`event_log::fjall`] | |
//! | `feed` | [`feed::fjall`], which follows the log | |
//! | `keys` | [`keys::sqlite`], in a file of its own | |
//! | `live` | `klatch_ports::live::memory` | |
//! | `overlay` | [`overlay::fjall`], beside the log | |
//! | `presence` | `klatch_ports::presence::memory` | |
//! | `views` | [`views::sqlite`] | |
//!
//! An engine knows its port, and nothing of chat, of wire formats or of roles.

pub mod directory;
pub mod drivers;
pub mod event_log;
pub mod feed;
pub mod keys;
pub mod overlay;
pub mod views;
