//! People.

use async_trait::async_trait;
use klatch_core::ids::{DeviceId, Timestamp, UserId};

use super::super::{
    Account, Accounts, Admission, Closed, Created, Imported, NewAccount, PasswordHash, Profile, Role, RoleSet, State,
};
use super::{Memory, Row};
use crate::Error;

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
