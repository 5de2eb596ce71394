//! `Directory` in memory: the reference, and the world of tests. It survives nothing, so D1 holds only while the process lives.

mod accounts;
mod admission;
mod answers;
mod attendance;
mod blocks;
mod moving;
mod sessions;
mod site;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::ids::{DeviceId, Timestamp, UserId, Uuid, WorkspaceId};

use super::{
    ANSWER_KEPT_MS, ATTENDANCE_KEPT_MS, Account, Admission, Chain, Digest, Directory, Invite, Origin, PasswordHash,
    Registration, Role, SESSION_IDLE_MS, Session, Standing, State,
};
use crate::Error;

/// A directory in memory.
#[derive(Default)]
pub struct Memory(Mutex<World>);

#[derive(Default)]
struct World {
    accounts: BTreeMap<UserId, Row>,
    names: BTreeMap<String, UserId>,
    origins: BTreeMap<Origin, UserId>,
    sessions: BTreeMap<DeviceId, (Session, Chain)>,
    invites: BTreeMap<Uuid, Invite>,
    claim: Option<(Digest, Timestamp)>,
    resets: BTreeMap<UserId, (Digest, Timestamp)>,
    blocks: BTreeMap<(UserId, UserId), Timestamp>,
    site: Option<(WorkspaceId, String, Registration)>,
    answers: BTreeMap<(UserId, Digest), Answer>,
    closures: BTreeSet<UserId>,
    standing: Standing,
    attending: BTreeMap<String, Timestamp>,
}

struct Row {
    account: Account,
    password: Option<PasswordHash>,
    request: Option<Digest>,
}

struct Answer {
    request: Digest,
    begun_at: Timestamp,
    kept: Option<Bytes>,
}

impl Memory {
    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl World {
    fn active(&mut self, user: UserId) -> Option<&mut Row> {
        self.accounts.get_mut(&user).filter(|row| row.account.state == State::Active)
    }

    fn insert(&mut self, row: Row) {
        self.names.insert(row.account.name.clone(), row.account.id);
        if let Some(origin) = &row.account.origin {
            self.origins.insert(origin.clone(), row.account.id);
        }
        self.accounts.insert(row.account.id, row);
    }

    fn owners(&self) -> usize {
        let owns = |row: &&Row| row.account.state == State::Active && row.account.role == Role::Owner;
        self.accounts.values().filter(owns).count()
    }

    fn admits(&self, admission: Admission, now: Timestamp) -> bool {
        match admission {
            Admission::Open => true,
            Admission::Invite(token) => self.invites.values().any(|i| i.token == token && i.is_good(now)),
            Admission::Claim(token) => self.claim.is_some_and(|(claim, until)| claim == token && now < until),
        }
    }

    fn use_up(&mut self, admission: Admission) {
        match admission {
            Admission::Open => {}
            Admission::Invite(token) => {
                for invite in self.invites.values_mut().filter(|invite| invite.token == token) {
                    invite.uses_left = invite.uses_left.map(|uses| uses.saturating_sub(1));
                }
            }
            Admission::Claim(_) => self.claim = None,
        }
    }

    fn end_sessions(&mut self, user: UserId, keep: Option<DeviceId>) -> Vec<DeviceId> {
        let ends = |device: &DeviceId, session: &Session| session.user == user && Some(*device) != keep;
        self.sessions.extract_if(.., |device, (session, _)| ends(device, session)).map(|(device, _)| device).collect()
    }

    fn sessions_of(&self, user: UserId) -> Vec<Session> {
        let mut sessions: Vec<_> = self
            .sessions
            .values()
            .filter(|(session, _)| session.user == user)
            .map(|(session, _)| session.clone())
            .collect();
        sessions.sort_by_key(|session| std::cmp::Reverse((session.last_used_at, session.device)));
        sessions
    }

    fn reset(&self, token: Digest, now: Timestamp) -> Option<UserId> {
        self.resets.iter().find(|(_, (reset, until))| *reset == token && now < *until).map(|(user, _)| *user)
    }
}

#[async_trait]
impl Directory for Memory {
    async fn prune(&self, now: Timestamp) -> Result<(), Error> {
        let mut world = self.world();
        world.attending.retain(|_, at| now.ms_since(*at) < ATTENDANCE_KEPT_MS);
        world.answers.retain(|_, answer| now.ms_since(answer.begun_at) < ANSWER_KEPT_MS);
        world.resets.retain(|_, (_, until)| now < *until);
        world.invites.retain(|_, invite| invite.is_good(now));
        world.sessions.retain(|_, (session, _)| now.ms_since(session.last_used_at) < SESSION_IDLE_MS);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    crate::directory_contract!({
        let directory = Arc::new(Memory::default());
        async move || directory.clone()
    });
}
