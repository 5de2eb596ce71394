//! How the world answers: the engines of the ports in `klatch-ports`. One folder a port, one file an engine, and each of them
//! passes its port's contract. An **embedded** engine serves one process on one machine; a **distributed** one serves several.
//!
//! | port | embedded | distributed |
//! | --- | --- | --- |
//! | `commands` | `klatch_ports::commands::memory` | [`commands::kafka`], [`commands::rabbitmq`] |
//! | `directory` | [`directory::sqlite`] | [`directory::postgres`] |
//! | `event_log` | [`event_log::fjall`] | [`event_log::postgres`], [`event_log::cassandra`] |
//! | `feed` | [`feed::fjall`], which follows the log | [`feed::kafka`], [`feed::rabbitmq`] |
//! | `keys` | [`keys::sqlite`], in a file of its own | [`keys::postgres`] |
//! | `live` | `klatch_ports::live::memory` | [`live::redis`] |
//! | `mailboxes` | [`mailboxes::sqlite`], beside the directory; `klatch_ports::mailboxes::memory` | [`mailboxes::postgres`], [`mailboxes::cassandra`], beside the log |
//! | `overlay` | [`overlay::fjall`], beside the log | [`overlay::postgres`], [`overlay::cassandra`] |
//! | `owners` | `klatch_ports::owners::memory` | [`owners::postgres`] |
//! | `partitions` | `klatch_ports::partitions::memory` | [`partitions::postgres`] |
//! | `presence` | `klatch_ports::presence::memory` | [`presence::redis`]; [`presence::ahead`], which asks it less often; [`presence::fallback`], which goes on without it |
//! | `views` | [`views::sqlite`] | [`views::postgres`] |
//!
//! An engine knows its port, and nothing of chat, of wire formats or of roles.

pub mod commands;
pub mod directory;
pub mod drivers;
pub mod event_log;
pub mod feed;
pub mod keys;
pub mod live;
pub mod mailboxes;
pub mod overlay;
pub mod owners;
pub mod partitions;
pub mod presence;
pub mod views;
