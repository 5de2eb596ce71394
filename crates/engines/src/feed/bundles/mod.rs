//! Events that travel together: what engines have in common that are queues of messages.

mod message;
mod window;

use klatch_core::ids::ConversationId;

#[cfg(test)]
pub use message::EVENTS_MAX;
pub use message::{decode, encode};
pub use window::Window;

/// Conversations are told apart by so many of their last bits.
const NARROWEST: usize = 4_096;

/// The shard of a conversation, of so many. Those that are decided together, since they are near each other by the last bits of their
/// ids, which are chance, are in the same or the next: so few messages hold what is published together.
pub fn shard(conversation: ConversationId, shards: usize) -> usize {
    let [.., high, low] = *conversation.as_bytes();
    usize::from(u16::from_be_bytes([high, low])) % NARROWEST * shards / NARROWEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shard_has_its_part() {
        for shards in [1, 8, 12, 100] {
            let mut counts = vec![0; shards];
            for bits in 0..=u16::MAX {
                let mut id = [7; 16];
                id[14..].copy_from_slice(&bits.to_be_bytes());
                counts[shard(ConversationId::from_bytes(id), shards)] += 1;
            }
            let fair = 65_536 / shards;
            assert!(counts.iter().all(|count| (fair - 16..=fair + 16).contains(count)), "{counts:?}");
        }
    }
}
