//! `Directory` in memory: the reference, and the world of tests. It survives nothing, so D1 holds only while the process lives.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::ids::{DeviceId, Timestamp, UserId, Uuid, WorkspaceId};

use super::{
    ANSWER_KEPT_MS, ANSWER_RUNNING_MS, ANSWERS_PER_ACCOUNT_MAX, Account, Accounts, Admission, Admissions, Answers,
    BLOCKS_PER_ACCOUNT_MAX, Begun, Blocks, Chain, Closed, Created, Digest, Directory, INVITES_MAX, Imported, Invite,
    NewAccount, NewSession, Opened, Origin, PasswordHash, Presented, Profile, Registration, Role, RoleSet, Rotation,
    SESSION_IDLE_MS, SESSIONS_PER_ACCOUNT_MAX, Session, Sessions, Site, Sites, State,
};
use crate::{Error, ErrorKind};

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
impl Accounts for Memory {
    async fn create(&self, new: NewAccount, admission: Admission) -> Result<Created, Error> {
        let mut world = self.world();
        if let Some(row) = world.names.get(&new.name).and_then(|id| world.accounts.get(id)) {
            let same = new.request.is_some() && row.request == new.request;
            return Ok(if same { Created::Before(row.account.clone()) } else { Created::NameTaken });
        }
        if !world.admits(admission, new.at) {
            return Ok(Created::NotAdmitted);
        }
        world.use_up(admission);
        let account = Account {
            id: new.id,
            name: new.name,
            display_name: new.display_name,
            about: String::new(),
            role: if matches!(admission, Admission::Claim(_)) { Role::Owner } else { Role::Member },
            state: State::Active,
            origin: None,
            created_at: new.at,
        };
        world.insert(Row { account: account.clone(), password: Some(new.password), request: new.request });
        Ok(Created::Now(account))
    }

    async fn import(&self, people: Vec<Imported>, now: Timestamp) -> Result<Vec<UserId>, Error> {
        let mut world = self.world();
        let mut made: Vec<Account> = Vec::new();
        let mut ids = Vec::with_capacity(people.len());
        for person in people {
            let same = made.iter().find(|a| a.origin.as_ref() == Some(&person.origin)).map(|a| a.id);
            if let Some(id) = same.or(world.origins.get(&person.origin).copied()) {
                ids.push(id);
                continue;
            }
            let is_free = |name: &String| !world.names.contains_key(name) && made.iter().all(|a| a.name != *name);
            let Some(name) = person.names.into_iter().find(is_free) else {
                return Err(Error::conflict("every name of somebody to be imported is taken"));
            };
            ids.push(person.id);
            made.push(Account {
                id: person.id,
                name,
                display_name: person.display_name,
                about: String::new(),
                role: Role::Member,
                state: State::Imported,
                origin: Some(person.origin),
                created_at: now,
            });
        }
        made.into_iter().for_each(|account| world.insert(Row { account, password: None, request: None }));
        Ok(ids)
    }

    async fn accounts(&self, ids: &[UserId]) -> Result<Vec<Option<Account>>, Error> {
        let world = self.world();
        Ok(ids.iter().map(|id| world.accounts.get(id).map(|row| row.account.clone())).collect())
    }

    async fn named(&self, name: &str) -> Result<Option<Account>, Error> {
        let world = self.world();
        Ok(world.names.get(name).and_then(|id| world.accounts.get(id)).map(|row| row.account.clone()))
    }

    async fn search(&self, query: &str, after: Option<&str>, limit: usize) -> Result<Vec<Account>, Error> {
        let (world, query) = (self.world(), query.to_lowercase());
        let found = |a: &&Account| {
            a.state != State::Closed && (a.name.contains(&query) || a.display_name.to_lowercase().contains(&query))
        };
        let later = world.names.iter().filter(|(name, _)| after.is_none_or(|after| name.as_str() > after));
        let accounts = later.filter_map(|(_, id)| world.accounts.get(id)).map(|row| &row.account);
        Ok(accounts.filter(found).take(limit).cloned().collect())
    }

    async fn set_profile(&self, user: UserId, profile: Profile) -> Result<Option<Account>, Error> {
        Ok(self.world().active(user).map(|row| {
            row.account.display_name = profile.display_name.unwrap_or_else(|| row.account.display_name.clone());
            row.account.about = profile.about.unwrap_or_else(|| row.account.about.clone());
            row.account.clone()
        }))
    }

    async fn set_role(&self, user: UserId, role: Role) -> Result<RoleSet, Error> {
        let mut world = self.world();
        let owners = world.owners();
        let Some(row) = world.active(user) else { return Ok(RoleSet::Missing) };
        if row.account.role == Role::Owner && role != Role::Owner && owners == 1 {
            return Ok(RoleSet::LastOwner);
        }
        row.account.role = role;
        Ok(RoleSet::Now(row.account.clone()))
    }

    async fn password(&self, user: UserId) -> Result<Option<PasswordHash>, Error> {
        Ok(self.world().active(user).and_then(|row| row.password.clone()))
    }

    async fn set_password(
        &self,
        user: UserId,
        password: PasswordHash,
        keep: Option<DeviceId>,
    ) -> Result<Vec<DeviceId>, Error> {
        let mut world = self.world();
        let Some(row) = world.active(user) else { return Ok(Vec::new()) };
        row.password = Some(password);
        Ok(world.end_sessions(user, keep))
    }

    async fn close(&self, user: UserId) -> Result<Closed, Error> {
        let mut world = self.world();
        let owners = world.owners();
        let Some(row) = world.active(user) else { return Ok(Closed::Missing) };
        if row.account.role == Role::Owner && owners == 1 {
            return Ok(Closed::LastOwner);
        }
        row.password = None;
        row.account.state = State::Closed;
        row.account.display_name.clone_from(&row.account.name);
        row.account.about.clear();
        world.closures.insert(user);
        world.resets.remove(&user);
        world.blocks.retain(|(one, other), _| *one != user && *other != user);
        world.answers.retain(|(of, _), _| *of != user);
        Ok(Closed::Now(world.end_sessions(user, None)))
    }

    async fn closures(&self, limit: usize) -> Result<Vec<UserId>, Error> {
        Ok(self.world().closures.iter().take(limit).copied().collect())
    }

    async fn finish_closure(&self, user: UserId) -> Result<(), Error> {
        self.world().closures.remove(&user);
        Ok(())
    }
}

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

#[async_trait]
impl Sites for Memory {
    async fn open_site(&self, workspace: WorkspaceId, name: &str, registration: Registration) -> Result<Site, Error> {
        self.world().site.get_or_insert_with(|| (workspace, name.to_owned(), registration));
        self.site().await
    }

    async fn site(&self) -> Result<Site, Error> {
        let world = self.world();
        let Some((workspace, name, registration)) = world.site.clone() else {
            return Err(Error::new(ErrorKind::Corrupt, "the site was never opened"));
        };
        Ok(Site { workspace, name, registration, owned: world.owners() > 0 })
    }

    async fn set_site(&self, name: Option<String>, registration: Option<Registration>) -> Result<Site, Error> {
        if let Some(site) = &mut self.world().site {
            site.1 = name.unwrap_or_else(|| site.1.clone());
            site.2 = registration.unwrap_or(site.2);
        }
        self.site().await
    }
}

#[async_trait]
impl Answers for Memory {
    async fn begin_answer(&self, user: UserId, key: Digest, request: Digest, now: Timestamp) -> Result<Begun, Error> {
        let mut world = self.world();
        if let Some(answer) = world.answers.get(&(user, key)).filter(|a| now.ms_since(a.begun_at) < ANSWER_KEPT_MS) {
            if answer.request != request {
                return Ok(Begun::Different);
            }
            if let Some(kept) = &answer.kept {
                return Ok(Begun::Kept(kept.clone()));
            }
            if now.ms_since(answer.begun_at) < ANSWER_RUNNING_MS {
                return Ok(Begun::Running);
            }
        }
        world.answers.insert((user, key), Answer { request, begun_at: now, kept: None });
        let of_user = || world.answers.iter().filter(|((of, _), _)| *of == user);
        if of_user().count() > ANSWERS_PER_ACCOUNT_MAX
            && let Some((oldest, _)) = of_user().min_by_key(|((_, key), answer)| (answer.begun_at, *key))
        {
            let oldest = *oldest;
            world.answers.remove(&oldest);
        }
        Ok(Begun::New)
    }

    async fn keep_answer(&self, user: UserId, key: Digest, answer: Bytes) -> Result<(), Error> {
        if let Some(row) = self.world().answers.get_mut(&(user, key)) {
            row.kept = Some(answer);
        }
        Ok(())
    }

    async fn forget_answer(&self, user: UserId, key: Digest) -> Result<(), Error> {
        self.world().answers.remove(&(user, key));
        Ok(())
    }
}

#[async_trait]
impl Directory for Memory {
    async fn prune(&self, now: Timestamp) -> Result<(), Error> {
        let mut world = self.world();
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
