//! People.

use async_trait::async_trait;
use klatch_core::ids::{DeviceId, Timestamp, UserId};
use klatch_ports::directory::{
    Account, Accounts, Admission, Closed, Created, Imported, NewAccount, PasswordHash, Profile, Role, RoleSet, State,
};
use klatch_ports::{Error, ErrorKind};
use tokio_postgres::Transaction;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::columns::{account, code, user};
use super::{Postgres, admission, import, lock, sessions};
use crate::directory::{ROLES, STATES, searched};
use crate::drivers::postgres::columns::{findable, get, page_after, signed};
use crate::drivers::postgres::{Failure, Param, step};

#[async_trait]
impl Accounts for Postgres {
    async fn create(&self, new: NewAccount, admission: Admission) -> Result<Created, Error> {
        let job = self.0.locking(|transaction| {
            let new = new.clone();
            Box::pin(async move { create(transaction, new, admission).await })
        });
        match job.await {
            Err(error) if error.kind == ErrorKind::Conflict => Ok(Created::NotAdmitted),
            created => created,
        }
    }

    async fn import(&self, people: Vec<Imported>, now: Timestamp) -> Result<Vec<UserId>, Error> {
        import::import(&self.0, people, now).await
    }

    async fn accounts(&self, ids: &[UserId]) -> Result<Vec<Option<Account>>, Error> {
        let wanted: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        let sql = "SELECT * FROM directory.accounts WHERE id = ANY($1)";
        let rows = self.0.query(sql, &[(&wanted, Type::UUID_ARRAY)]).await?;
        let found = rows.iter().map(|row| account(row).map(|account| (account.id, account)));
        let found: std::collections::HashMap<_, _> = found.collect::<Result<_, Error>>()?;
        Ok(ids.iter().map(|id| found.get(id).cloned()).collect())
    }

    async fn named(&self, name: &str) -> Result<Option<Account>, Error> {
        let Some(name) = findable(name) else { return Ok(None) };
        let sql = "SELECT * FROM directory.accounts WHERE name = $1";
        self.0.query(sql, &[(&name, Type::TEXT)]).await?.first().map(account).transpose()
    }

    async fn search(&self, query: &str, after: Option<&str>, limit: usize) -> Result<Vec<Account>, Error> {
        let query = query.to_lowercase();
        let Some(query) = findable(&query) else { return Ok(Vec::new()) };
        let (after, limit) = (page_after(after.unwrap_or_default()), i64::try_from(limit).unwrap_or(i64::MAX));
        let sql = "SELECT * FROM directory.accounts WHERE name > $1 AND state <> 1 AND position($2 IN search) > 0
            ORDER BY name LIMIT $3";
        let params: [Param<'_>; 3] = [(&after, Type::TEXT), (&query, Type::TEXT), (&limit, Type::INT8)];
        self.0.query(sql, &params).await?.iter().map(account).collect()
    }

    async fn set_profile(&self, user: UserId, profile: Profile) -> Result<Option<Account>, Error> {
        let job = self.0.locking(|transaction| {
            let profile = profile.clone();
            Box::pin(async move { set_profile(transaction, user, profile).await })
        });
        job.await
    }

    async fn set_role(&self, user: UserId, role: Role) -> Result<RoleSet, Error> {
        self.0.locking(|transaction| Box::pin(async move { set_role(transaction, user, role).await })).await
    }

    async fn password(&self, user: UserId) -> Result<Option<PasswordHash>, Error> {
        let sql = "SELECT password FROM directory.accounts WHERE id = $1 AND state = 0";
        let rows = self.0.query(sql, &[(&user.0, Type::UUID)]).await?;
        let password = rows.first().map(|row| get::<Option<String>>(row, "password")).transpose()?;
        Ok(password.flatten().map(PasswordHash))
    }

    async fn set_password(
        &self,
        user: UserId,
        password: PasswordHash,
        keep: Option<DeviceId>,
    ) -> Result<Vec<DeviceId>, Error> {
        let job = self.0.locking(|transaction| {
            let password = password.clone();
            Box::pin(async move {
                match lock(transaction, user).await? {
                    Some(_) => replace_password(transaction, user, &password, keep).await,
                    None => Ok(Vec::new()),
                }
            })
        });
        job.await
    }

    async fn close(&self, user: UserId) -> Result<Closed, Error> {
        self.0.locking(|transaction| Box::pin(async move { close(transaction, user).await })).await
    }

    async fn closures(&self, limit: usize) -> Result<Vec<UserId>, Error> {
        let sql = "SELECT id FROM directory.accounts WHERE closing ORDER BY id LIMIT $1";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.0.query(sql, &[(&limit, Type::INT8)]).await?.iter().map(|row| user(row, "id")).collect()
    }

    async fn finish_closure(&self, user: UserId) -> Result<(), Error> {
        let sql = "UPDATE directory.accounts SET closing = false WHERE id = $1";
        self.0.query(sql, &[(&user.0, Type::UUID)]).await.map(drop)
    }
}

/// `Conflict`: not admitted, and nothing was done.
async fn create(transaction: &Transaction<'_>, new: NewAccount, admission: Admission) -> Result<Created, Failure> {
    let is_claimed = matches!(admission, Admission::Claim(_));
    let account = Account {
        id: new.id,
        name: new.name,
        display_name: new.display_name,
        about: String::new(),
        role: if is_claimed { Role::Owner } else { Role::Member },
        state: State::Active,
        origin: None,
        created_at: new.at,
    };
    // Of two that race for a name the second waits here for what becomes of the first.
    let sql =
        "INSERT INTO directory.accounts (id, name, display_name, search, role, state, created_at, password, request)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (name) DO NOTHING RETURNING 1";
    let (search, at) = (searched(&account.name, &account.display_name), signed(new.at.0)?);
    let (role, state) = (code(&ROLES, &account.role), code(&STATES, &account.state));
    let request = new.request.as_ref().map(|request| &request.0[..]);
    let params: [Param<'_>; 9] = [
        (&account.id.0, Type::UUID),
        (&account.name, Type::TEXT),
        (&account.display_name, Type::TEXT),
        (&search, Type::TEXT),
        (&role, Type::INT2),
        (&state, Type::INT2),
        (&at, Type::INT8),
        (&new.password.0, Type::TEXT),
        (&request, Type::BYTEA),
    ];
    if step(transaction, sql, &params).await?.is_empty() {
        return before(transaction, &account.name, request).await;
    }
    if !admission::use_up(transaction, admission, new.at).await? {
        return Err(Error::conflict("not admitted").into());
    }
    Ok(Created::Now(account))
}

/// What the name was taken by: this request itself, or another.
async fn before(transaction: &Transaction<'_>, name: &str, request: Option<&[u8]>) -> Result<Created, Failure> {
    let sql = "SELECT * FROM directory.accounts WHERE name = $1 AND request = $2";
    let same = step(transaction, sql, &[(&name, Type::TEXT), (&request, Type::BYTEA)]).await?;
    Ok(same.first().map_or(Ok(Created::NameTaken), |row| account(row).map(Created::Before))?)
}

async fn set_profile(
    transaction: &Transaction<'_>,
    user: UserId,
    profile: Profile,
) -> Result<Option<Account>, Failure> {
    let Some(mut account) = lock(transaction, user).await? else { return Ok(None) };
    account.display_name = profile.display_name.unwrap_or(account.display_name);
    account.about = profile.about.unwrap_or(account.about);
    let sql = "UPDATE directory.accounts SET display_name = $2, about = $3, search = $4 WHERE id = $1";
    let search = searched(&account.name, &account.display_name);
    let params: [Param<'_>; 4] = [
        (&user.0, Type::UUID),
        (&account.display_name, Type::TEXT),
        (&account.about, Type::TEXT),
        (&search, Type::TEXT),
    ];
    step(transaction, sql, &params).await?;
    Ok(Some(account))
}

async fn set_role(transaction: &Transaction<'_>, user: UserId, role: Role) -> Result<RoleSet, Failure> {
    let Some((mut account, is_last)) = lock_with_owners(transaction, user).await? else { return Ok(RoleSet::Missing) };
    if is_last && role != Role::Owner {
        return Ok(RoleSet::LastOwner);
    }
    account.role = role;
    let (sql, role) = ("UPDATE directory.accounts SET role = $2 WHERE id = $1", code(&ROLES, &role));
    step(transaction, sql, &[(&user.0, Type::UUID), (&role, Type::INT2)]).await?;
    Ok(RoleSet::Now(account))
}

/// Locks an active account, and all owners with it in one order, so that none of them goes meanwhile; and whether it is the last one.
async fn lock_with_owners(transaction: &Transaction<'_>, user: UserId) -> Result<Option<(Account, bool)>, Failure> {
    let sql = "SELECT * FROM directory.accounts WHERE state = 0 AND (id = $1 OR role = 1) ORDER BY id FOR UPDATE";
    let rows = step(transaction, sql, &[(&user.0, Type::UUID)]).await?;
    let active: Vec<Account> = rows.iter().map(account).collect::<Result<_, _>>()?;
    let is_last = active.iter().all(|account| (account.role == Role::Owner) == (account.id == user));
    Ok(active.into_iter().find(|account| account.id == user).map(|account| (account, is_last)))
}

/// Sets the password of an account, which is locked, and ends its sessions but one; those that ended.
pub async fn replace_password(
    transaction: &Transaction<'_>,
    user: UserId,
    password: &PasswordHash,
    keep: Option<DeviceId>,
) -> Result<Vec<DeviceId>, Failure> {
    let sql = "UPDATE directory.accounts SET password = $2 WHERE id = $1";
    step(transaction, sql, &[(&user.0, Type::UUID), (&password.0, Type::TEXT)]).await?;
    sessions::end_all(transaction, user, keep).await
}

async fn close(transaction: &Transaction<'_>, user: UserId) -> Result<Closed, Failure> {
    let Some((_, is_last)) = lock_with_owners(transaction, user).await? else { return Ok(Closed::Missing) };
    if is_last {
        return Ok(Closed::LastOwner);
    }
    let ended = sessions::end_all(transaction, user, None).await?;
    for sql in [
        "UPDATE directory.accounts SET state = 1, closing = true, password = NULL, request = NULL, about = '',
            display_name = name, search = name WHERE id = $1",
        "DELETE FROM directory.resets WHERE account = $1",
        "DELETE FROM directory.answers WHERE account = $1",
        "DELETE FROM directory.blocks WHERE account = $1 OR other = $1",
    ] {
        step(transaction, sql, &[(&user.0, Type::UUID)]).await?;
    }
    Ok(Closed::Now(ended))
}
