//! What lets somebody in.

use async_trait::async_trait;
use klatch_core::ids::{DeviceId, Timestamp, UserId, Uuid};

use super::super::{Admission, Admissions, Digest, INVITES_MAX, Invite, PasswordHash};
use super::Memory;
use crate::Error;

#[async_trait]
impl Admissions for Memory {
    async fn add_invite(&self, invite: Invite) -> Result<bool, Error> {
        let mut world = self.world();
        world.invites.retain(|_, other| other.is_good(invite.created_at));
        let has_room = world.invites.len() < INVITES_MAX;
        if has_room {
            world.invites.insert(invite.id, invite);
        }
        Ok(has_room)
    }

    async fn invites(&self, now: Timestamp) -> Result<Vec<Invite>, Error> {
        let mut invites: Vec<_> = self.world().invites.values().filter(|i| i.is_good(now)).cloned().collect();
        invites.sort_by_key(|invite| std::cmp::Reverse((invite.created_at, invite.id)));
        Ok(invites)
    }

    async fn remove_invite(&self, id: Uuid) -> Result<bool, Error> {
        Ok(self.world().invites.remove(&id).is_some())
    }

    async fn admits(&self, admission: Admission, now: Timestamp) -> Result<bool, Error> {
        Ok(self.world().admits(admission, now))
    }

    async fn set_claim(&self, claim: Digest, expires_at: Timestamp) -> Result<(), Error> {
        self.world().claim = Some((claim, expires_at));
        Ok(())
    }

    async fn set_reset(&self, user: UserId, token: Digest, expires_at: Timestamp) -> Result<bool, Error> {
        let mut world = self.world();
        let is_active = world.active(user).is_some();
        if is_active {
            world.resets.insert(user, (token, expires_at));
        }
        Ok(is_active)
    }

    async fn reset(&self, token: Digest, now: Timestamp) -> Result<Option<UserId>, Error> {
        Ok(self.world().reset(token, now))
    }

    async fn redeem_reset(
        &self,
        token: Digest,
        password: PasswordHash,
        now: Timestamp,
    ) -> Result<Option<(UserId, Vec<DeviceId>)>, Error> {
        let mut world = self.world();
        let Some(user) = world.reset(token, now) else { return Ok(None) };
        world.resets.remove(&user);
        let Some(row) = world.active(user) else { return Ok(None) };
        row.password = Some(password);
        Ok(Some((user, world.end_sessions(user, None))))
    }
}
