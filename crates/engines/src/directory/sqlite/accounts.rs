//! People.

use async_trait::async_trait;
use klatch_core::ids::{DeviceId, Timestamp, UserId};
use klatch_ports::Error;
use klatch_ports::directory::{
    Account, Accounts, Admission, Closed, Created, Imported, NewAccount, PasswordHash, Profile, Role, RoleSet, State,
};
use rusqlite::{Connection, OptionalExtension, Result, params};

use super::columns::{ACCOUNT, account};
use super::{Sqlite, admission, sessions};
use crate::directory::{ROLES, STATES, code, searched};
use crate::drivers::sqlite::Durability::Now;

#[async_trait]
impl Accounts for Sqlite {
    async fn create(&self, new: NewAccount, admission: Admission) -> Result<Created, Error> {
        self.0.write(Now, move |db| create(db, new, admission)).await
    }

    async fn import(&self, people: Vec<Imported>, now: Timestamp) -> Result<Vec<UserId>, Error> {
        let imported = self.0.write(Now, move |db| import(db, people, now)).await?;
        imported.ok_or_else(|| Error::conflict("every name of somebody to be imported is taken"))
    }

    async fn accounts(&self, ids: &[UserId]) -> Result<Vec<Option<Account>>, Error> {
        let ids = ids.to_vec();
        self.0.read(move |db| ids.iter().map(|id| by_id(db, *id)).collect()).await
    }

    async fn named(&self, name: &str) -> Result<Option<Account>, Error> {
        let name = name.to_owned();
        self.0.read(move |db| by_name(db, &name)).await
    }

    async fn search(&self, query: &str, after: Option<&str>, limit: usize) -> Result<Vec<Account>, Error> {
        let (query, after) = (query.to_lowercase(), after.unwrap_or_default().to_owned());
        self.0.read(move |db| search(db, &query, &after, limit)).await
    }

    async fn set_profile(&self, user: UserId, profile: Profile) -> Result<Option<Account>, Error> {
        self.0.write(Now, move |db| set_profile(db, user, profile)).await
    }

    async fn set_role(&self, user: UserId, role: Role) -> Result<RoleSet, Error> {
        self.0.write(Now, move |db| set_role(db, user, role)).await
    }

    async fn password(&self, user: UserId) -> Result<Option<PasswordHash>, Error> {
        let sql = "SELECT password FROM accounts WHERE id = ?1 AND state = 0";
        let job = move |db: &Connection| {
            db.prepare_cached(sql)?.query_row([user.as_bytes()], |row| row.get::<_, Option<String>>(0)).optional()
        };
        Ok(self.0.read(job).await?.flatten().map(PasswordHash))
    }

    async fn set_password(
        &self,
        user: UserId,
        password: PasswordHash,
        keep: Option<DeviceId>,
    ) -> Result<Vec<DeviceId>, Error> {
        self.0.write(Now, move |db| set_password(db, user, &password, keep)).await
    }

    async fn close(&self, user: UserId) -> Result<Closed, Error> {
        self.0.write(Now, move |db| close(db, user)).await
    }

    async fn closures(&self, limit: usize) -> Result<Vec<UserId>, Error> {
        let sql = "SELECT id FROM accounts WHERE closing = 1 ORDER BY id LIMIT ?1";
        let job = move |db: &Connection| {
            db.prepare_cached(sql)?.query_map([limit], |row| Ok(UserId::from_bytes(row.get(0)?)))?.collect()
        };
        self.0.read(job).await
    }

    async fn finish_closure(&self, user: UserId) -> Result<(), Error> {
        let job = move |db: &Connection| {
            db.execute("UPDATE accounts SET closing = 0 WHERE id = ?1", [user.as_bytes()]).map(drop)
        };
        self.0.write(Now, job).await
    }
}

fn create(db: &Connection, new: NewAccount, admission: Admission) -> Result<Created> {
    if let Some(account) = by_name(db, &new.name)? {
        let sql = "SELECT 1 FROM accounts WHERE id = ?1 AND request = ?2";
        let is_same = match new.request {
            Some(request) => db.prepare_cached(sql)?.exists(params![account.id.as_bytes(), request.0])?,
            None => false,
        };
        return Ok(if is_same { Created::Before(account) } else { Created::NameTaken });
    }
    if !admission::admits(db, admission, new.at)? {
        return Ok(Created::NotAdmitted);
    }
    admission::use_up(db, admission)?;
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
    insert(db, &account)?;
    db.prepare_cached("UPDATE accounts SET password = ?2, request = ?3 WHERE id = ?1")?.execute(params![
        account.id.as_bytes(),
        new.password.0,
        new.request.map(|request| request.0)
    ])?;
    Ok(Created::Now(account))
}

/// `None` if all names of one are taken; then nothing was changed.
fn import(db: &Connection, people: Vec<Imported>, now: Timestamp) -> Result<Option<Vec<UserId>>> {
    let mut made: Vec<Account> = Vec::new();
    let mut ids = Vec::with_capacity(people.len());
    for person in people {
        let same =
            made.iter().find(|account| account.origin.as_ref() == Some(&person.origin)).map(|account| account.id);
        let sql = "SELECT id FROM accounts WHERE network = ?1 AND origin = ?2";
        let before = db
            .prepare_cached(sql)?
            .query_row([&person.origin.network, &person.origin.name], |row| Ok(UserId::from_bytes(row.get(0)?)));
        if let Some(id) = same.or(before.optional()?) {
            ids.push(id);
            continue;
        }
        let mut free = None;
        for name in person.names {
            if made.iter().all(|account| account.name != name) && by_name(db, &name)?.is_none() {
                free = Some(name);
                break;
            }
        }
        let Some(name) = free else { return Ok(None) };
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
    made.iter().try_for_each(|account| insert(db, account))?;
    Ok(Some(ids))
}

fn insert(db: &Connection, account: &Account) -> Result<()> {
    let sql = "INSERT INTO accounts (id, name, display_name, search, role, state, network, origin, created_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    db.prepare_cached(sql)?.execute(params![
        account.id.as_bytes(),
        account.name,
        account.display_name,
        searched(&account.name, &account.display_name),
        code(&ROLES, &account.role),
        code(&STATES, &account.state),
        account.origin.as_ref().map(|origin| &origin.network),
        account.origin.as_ref().map(|origin| &origin.name),
        account.created_at.0,
    ])?;
    Ok(())
}

fn by_id(db: &Connection, id: UserId) -> Result<Option<Account>> {
    let sql = format!("SELECT {ACCOUNT} FROM accounts WHERE id = ?1");
    db.prepare_cached(&sql)?.query_row([id.as_bytes()], account).optional()
}

fn by_name(db: &Connection, name: &str) -> Result<Option<Account>> {
    let sql = format!("SELECT {ACCOUNT} FROM accounts WHERE name = ?1");
    db.prepare_cached(&sql)?.query_row([name], account).optional()
}

fn search(db: &Connection, query: &str, after: &str, limit: usize) -> Result<Vec<Account>> {
    let sql = format!(
        "SELECT {ACCOUNT} FROM accounts WHERE id IN (
            SELECT id FROM accounts INDEXED BY account_search
            WHERE name > ?1 AND state != 1 AND instr(search, ?2) > 0 ORDER BY name LIMIT ?3
        ) ORDER BY name"
    );
    db.prepare_cached(&sql)?.query_map(params![after, query, limit], account)?.collect()
}

fn active(db: &Connection, user: UserId) -> Result<Option<Account>> {
    Ok(by_id(db, user)?.filter(|account| account.state == State::Active))
}

fn set_profile(db: &Connection, user: UserId, profile: Profile) -> Result<Option<Account>> {
    let Some(mut account) = active(db, user)? else { return Ok(None) };
    account.display_name = profile.display_name.unwrap_or(account.display_name);
    account.about = profile.about.unwrap_or(account.about);
    let sql = "UPDATE accounts SET display_name = ?2, about = ?3, search = ?4 WHERE id = ?1";
    let search = searched(&account.name, &account.display_name);
    db.prepare_cached(sql)?.execute(params![user.as_bytes(), account.display_name, account.about, search])?;
    Ok(Some(account))
}

fn set_role(db: &Connection, user: UserId, role: Role) -> Result<RoleSet> {
    let Some(mut account) = active(db, user)? else { return Ok(RoleSet::Missing) };
    if account.role == Role::Owner && role != Role::Owner && owners(db)? == 1 {
        return Ok(RoleSet::LastOwner);
    }
    account.role = role;
    let sql = "UPDATE accounts SET role = ?2 WHERE id = ?1";
    db.prepare_cached(sql)?.execute(params![user.as_bytes(), code(&ROLES, &role)])?;
    Ok(RoleSet::Now(account))
}

fn owners(db: &Connection) -> Result<usize> {
    db.query_row("SELECT count(*) FROM accounts WHERE role = 1 AND state = 0", [], |row| row.get(0))
}

pub fn set_password(
    db: &Connection,
    user: UserId,
    password: &PasswordHash,
    keep: Option<DeviceId>,
) -> Result<Vec<DeviceId>> {
    let sql = "UPDATE accounts SET password = ?2 WHERE id = ?1 AND state = 0";
    let changed = db.prepare_cached(sql)?.execute(params![user.as_bytes(), password.0])?;
    if changed == 0 { Ok(Vec::new()) } else { sessions::end_all(db, user, keep) }
}

fn close(db: &Connection, user: UserId) -> Result<Closed> {
    let Some(account) = active(db, user)? else { return Ok(Closed::Missing) };
    if account.role == Role::Owner && owners(db)? == 1 {
        return Ok(Closed::LastOwner);
    }
    let ended = sessions::end_all(db, user, None)?;
    db.execute(
        "UPDATE accounts SET state = 1, closing = 1, password = NULL, request = NULL, about = '', display_name = name,
            search = name WHERE id = ?1",
        [user.as_bytes()],
    )?;
    db.execute("DELETE FROM resets WHERE user = ?1", [user.as_bytes()])?;
    db.execute("DELETE FROM answers WHERE user = ?1", [user.as_bytes()])?;
    db.execute("DELETE FROM blocks WHERE user = ?1", [user.as_bytes()])?;
    db.execute("DELETE FROM blocks WHERE other = ?1", [user.as_bytes()])?;
    Ok(Closed::Now(ended))
}
