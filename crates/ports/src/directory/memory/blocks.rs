//! Blocks.

use async_trait::async_trait;
use klatch_core::ids::{Timestamp, UserId};

use super::super::{BLOCKS_PER_ACCOUNT_MAX, Blocks};
use super::Memory;
use crate::Error;

#[async_trait]
impl Blocks for Memory {
    async fn block(&self, user: UserId, other: UserId, now: Timestamp) -> Result<bool, Error> {
        let mut world = self.world();
        let has_room = world.blocks.contains_key(&(user, other))
            || world.blocks.keys().filter(|(of, _)| *of == user).count() < BLOCKS_PER_ACCOUNT_MAX;
        if has_room {
            world.blocks.entry((user, other)).or_insert(now);
        }
        Ok(has_room)
    }

    async fn unblock(&self, user: UserId, other: UserId) -> Result<(), Error> {
        self.world().blocks.remove(&(user, other));
        Ok(())
    }

    async fn blocks(&self, user: UserId) -> Result<Vec<UserId>, Error> {
        Ok(self.world().blocks.keys().filter(|(of, _)| *of == user).map(|(_, other)| *other).collect())
    }

    async fn blocked(&self, one: UserId, other: UserId) -> Result<bool, Error> {
        let world = self.world();
        Ok(world.blocks.contains_key(&(one, other)) || world.blocks.contains_key(&(other, one)))
    }
}
