//! What must not be exceeded, where an operator may decide.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What must not be exceeded. The limits of a message and a conversation are the protocol's and cannot be changed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Commands (messages, reactions and so on) that one person may send at once.
    pub commands_burst: u32,
    /// Commands that one person may send a minute thereafter.
    pub commands_per_minute: u32,
    /// Frames that one connection may send at once.
    pub frames_burst: u32,
    /// Frames that one connection may send a minute thereafter.
    pub frames_per_minute: u32,
    /// Connections to the gateway at a time. Each costs some KiB, and a file: the limit of open files must allow for them.
    pub connections: usize,
    /// Commands that may wait for one partition; beyond that senders are told to come again.
    pub queue: usize,
    /// Partitions of the queue: as many conversations are decided side by side. In a cluster it counts when that is new, and then
    /// `klatch partitions --set` makes them more.
    pub partitions: usize,
    /// Seconds between telling balancers that the node stops, where `http.trusted_proxies` names any, and telling clients: as long as
    /// they take to notice (`/readyz` answers 404).
    pub notice_s: u64,
    /// Seconds that clients and what is under way get when the node stops.
    pub drain_s: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            commands_burst: 200,
            commands_per_minute: 1_200,
            frames_burst: 200,
            frames_per_minute: 1_200,
            connections: 20_000,
            queue: 10_000,
            partitions: 2,
            notice_s: 3,
            drain_s: 10,
        }
    }
}

impl Limits {
    pub(super) fn validate(&self) -> Result<(), String> {
        let positive = [
            ("commands_burst", u64::from(self.commands_burst)),
            ("commands_per_minute", u64::from(self.commands_per_minute)),
            ("frames_burst", u64::from(self.frames_burst)),
            ("frames_per_minute", u64::from(self.frames_per_minute)),
            ("connections", self.connections as u64),
            ("queue", self.queue as u64),
        ];
        for (name, value) in positive {
            if value == 0 {
                return Err(format!("`limits.{name}` is 0, which lets nobody in; give at least 1"));
            }
        }
        if !(1..=4096).contains(&self.partitions) {
            return Err("`limits.partitions` must be 1 to 4096".to_owned());
        }
        Ok(())
    }
}
