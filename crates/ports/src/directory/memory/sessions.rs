//! Sessions.

use async_trait::async_trait;
use klatch_core::ids::{DeviceId, Timestamp, UserId};

use super::super::{
    Chain, Digest, NewSession, Opened, Presented, Rotation, SESSIONS_PER_ACCOUNT_MAX, Session, Sessions,
};
use super::Memory;
use crate::Error;

#[async_trait]
impl Sessions for Memory {
    async fn open_session(&self, new: NewSession) -> Result<Opened, Error> {
        let mut world = self.world();
        if world.active(new.user).is_none() {
            return Ok(Opened::NotActive);
        }
        let rested: Vec<_> =
            world.sessions_of(new.user).into_iter().skip(SESSIONS_PER_ACCOUNT_MAX - 1).map(|s| s.device).collect();
        world.sessions.retain(|device, _| !rested.contains(device));
        let session =
            Session { device: new.device, user: new.user, name: new.name, created_at: new.at, last_used_at: new.at };
        world.sessions.insert(new.device, (session, Chain::new(new.secret, new.at)));
        Ok(Opened::Now(rested))
    }

    async fn session(&self, device: DeviceId) -> Result<Option<Session>, Error> {
        Ok(self.world().sessions.get(&device).map(|(session, _)| session.clone()))
    }

    async fn sessions(&self, user: UserId) -> Result<Vec<Session>, Error> {
        Ok(self.world().sessions_of(user))
    }

    async fn rotate(
        &self,
        device: DeviceId,
        secret: Digest,
        generation: u32,
        now: Timestamp,
    ) -> Result<Rotation, Error> {
        let mut world = self.world();
        let Some((session, chain)) = world.sessions.get_mut(&device) else { return Ok(Rotation::Unknown) };
        Ok(match chain.present(secret, generation, now) {
            Presented::Current | Presented::Before => {
                session.last_used_at = now;
                Rotation::Current { session: session.clone(), generation: chain.generation }
            }
            Presented::Foreign => Rotation::Unknown,
            Presented::Reused => {
                let session = session.clone();
                world.sessions.remove(&device);
                Rotation::Reused(session)
            }
        })
    }

    async fn end_session(&self, user: UserId, device: DeviceId) -> Result<bool, Error> {
        let mut world = self.world();
        let is_own = world.sessions.get(&device).is_some_and(|(session, _)| session.user == user);
        Ok(is_own && world.sessions.remove(&device).is_some())
    }
}
