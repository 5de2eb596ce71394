//! The whole directory, item by item.

use async_trait::async_trait;
use klatch_core::ids::{Timestamp, WorkspaceId};
use klatch_ports::Error;
use klatch_ports::directory::{Digest, Item, Moving, Part, PasswordHash, Standing};
use rusqlite::{Connection, Result, Row, params};

use super::Sqlite;
use super::columns::{account, chain, invite, session, user, value};
use super::site::standing;
use crate::directory::{REGISTRATIONS, ROLES, STATES, code, searched};
use crate::drivers::sqlite::Durability::Now;

/// The tables of items, each before those that it refers to.
const TABLES: [&str; 8] = ["answers", "blocks", "resets", "claims", "invites", "sessions", "accounts", "site"];

#[async_trait]
impl Moving for Sqlite {
    async fn items(&self, part: Part, after: Option<&Item>, limit: usize) -> Result<Vec<Item>, Error> {
        let after = after.map(Item::key);
        self.0.read(move |db| items(db, part, after, limit)).await
    }

    async fn take_in(&self, items: Vec<Item>) -> Result<(), Error> {
        let job = move |db: &Connection| {
            let arrives = is_arriving(db)?;
            if arrives {
                items.iter().try_for_each(|item| take_in(db, item))?;
            }
            Ok(arrives)
        };
        expected(self.0.write(Now, job).await?)
    }

    async fn empty(&self) -> Result<(), Error> {
        let job = |db: &Connection| {
            let arrives = is_arriving(db)?;
            for table in TABLES.iter().filter(|_| arrives) {
                db.execute(&format!("DELETE FROM {table}"), [])?;
            }
            Ok(arrives)
        };
        expected(self.0.write(Now, job).await?)
    }
}

fn is_arriving(db: &Connection) -> Result<bool> {
    Ok(standing(db)? == Standing::Arriving)
}

fn expected(arrives: bool) -> Result<(), Error> {
    if arrives { Ok(()) } else { Err(Error::conflict("the site is not arriving here")) }
}

/// What a part is listed by: its table, and the columns of its key.
const fn place(part: Part) -> (&'static str, &'static str, Option<&'static str>) {
    match part {
        Part::Site => ("site", "zeroblob(16)", None),
        Part::Accounts => ("accounts", "id", None),
        Part::Sessions => ("sessions", "device", None),
        Part::Invites => ("invites", "id", None),
        Part::Claims => ("claims", "zeroblob(16)", None),
        Part::Resets => ("resets", "user", None),
        Part::Blocks => ("blocks", "user", Some("other")),
        Part::Answers => ("answers", "user", Some("key")),
    }
}

fn items(db: &Connection, part: Part, after: Option<([u8; 16], [u8; 32])>, limit: usize) -> Result<Vec<Item>> {
    let (table, first, second) = place(part);
    let read = |row: &Row<'_>| item(row, part);
    let Some((one, other)) = after else {
        let order = second.map_or(first.to_owned(), |second| format!("{first}, {second}"));
        let sql = format!("SELECT * FROM {table} ORDER BY {order} LIMIT ?1");
        return db.prepare_cached(&sql)?.query_map([limit], read)?.collect();
    };
    match second {
        None => {
            let sql = format!("SELECT * FROM {table} WHERE {first} > ?1 ORDER BY {first} LIMIT ?2");
            db.prepare_cached(&sql)?.query_map(params![one, limit], read)?.collect()
        }
        Some(second) => {
            let sql = format!(
                "SELECT * FROM {table} WHERE ({first}, {second}) > (?1, ?2) ORDER BY {first}, {second} LIMIT ?3"
            );
            // An id is half as long as what keys have room for.
            let other = if part == Part::Blocks { &other[..16] } else { &other[..] };
            db.prepare_cached(&sql)?.query_map(params![one, other, limit], read)?.collect()
        }
    }
}

fn item(row: &Row<'_>, part: Part) -> Result<Item> {
    let time = |column: &str| row.get(column).map(Timestamp);
    let digest = |column: &str| row.get(column).map(Digest);
    Ok(match part {
        Part::Site => Item::Site {
            workspace: WorkspaceId::from_bytes(row.get("workspace")?),
            name: row.get("name")?,
            registration: value(&REGISTRATIONS, row, "registration")?,
        },
        Part::Accounts => Item::Account {
            account: account(row)?,
            password: row.get::<_, Option<String>>("password")?.map(PasswordHash),
            request: row.get::<_, Option<[u8; 32]>>("request")?.map(Digest),
            closing: row.get("closing")?,
        },
        Part::Sessions => Item::Session(session(row)?, chain(row)?),
        Part::Invites => Item::Invite(invite(row)?),
        Part::Claims => Item::Claim(digest("token")?, time("expires_at")?),
        Part::Resets => Item::Reset(user(row, "user")?, digest("token")?, time("expires_at")?),
        Part::Blocks => Item::Block(user(row, "user")?, user(row, "other")?, time("at")?),
        Part::Answers => Item::Answer {
            user: user(row, "user")?,
            key: digest("key")?,
            request: digest("request")?,
            begun_at: time("begun_at")?,
            kept: row.get::<_, Option<Vec<u8>>>("kept")?.map(Into::into),
        },
    })
}

fn take_in(db: &Connection, item: &Item) -> Result<()> {
    match item {
        Item::Site { workspace, name, registration } => {
            let sql = "INSERT OR REPLACE INTO site (only, workspace, name, registration) VALUES (1, ?1, ?2, ?3)";
            db.execute(sql, params![workspace.as_bytes(), name, code(&REGISTRATIONS, registration)])
        }
        Item::Account { account: it, password, request, closing } => {
            let (network, origin) = it.origin.as_ref().map(|it| (&it.network, &it.name)).unzip();
            // Whoever is there already stays where they are: others refer to them.
            let sql = "INSERT INTO accounts (id, name, display_name, about, search, role, state, network, origin,
                created_at, password, request, closing) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
                ON CONFLICT (id) DO UPDATE SET name = ?2, display_name = ?3, about = ?4, search = ?5, role = ?6,
                state = ?7, network = ?8, origin = ?9, created_at = ?10, password = ?11, request = ?12, closing = ?13";
            db.prepare_cached(sql)?.execute(params![
                it.id.as_bytes(),
                it.name,
                it.display_name,
                it.about,
                searched(&it.name, &it.display_name),
                code(&ROLES, &it.role),
                code(&STATES, &it.state),
                network,
                origin,
                it.created_at.0,
                password.as_ref().map(|password| &password.0),
                request.map(|request| request.0),
                closing,
            ])
        }
        Item::Session(session, chain) => {
            let sql = "INSERT OR REPLACE INTO sessions (device, user, name, secret, generation, rotated_at, created_at,
                last_used_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
            db.prepare_cached(sql)?.execute(params![
                session.device.as_bytes(),
                session.user.as_bytes(),
                session.name,
                chain.secret.0,
                chain.generation,
                chain.rotated_at.0,
                session.created_at.0,
                session.last_used_at.0,
            ])
        }
        Item::Invite(it) => {
            let sql = "INSERT OR REPLACE INTO invites (id, token, made_by, created_at, uses_left, expires_at)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let (made_by, until) = (it.made_by.as_bytes(), it.expires_at.map(|until| until.0));
            db.execute(sql, params![it.id.as_bytes(), it.token.0, made_by, it.created_at.0, it.uses_left, until])
        }
        Item::Claim(token, until) => {
            let sql = "INSERT OR REPLACE INTO claims (only, token, expires_at) VALUES (1, ?1, ?2)";
            db.execute(sql, params![token.0, until.0])
        }
        Item::Reset(user, token, until) => {
            let sql = "INSERT OR REPLACE INTO resets (user, token, expires_at) VALUES (?1, ?2, ?3)";
            db.execute(sql, params![user.as_bytes(), token.0, until.0])
        }
        Item::Block(user, other, at) => {
            let sql = "INSERT OR REPLACE INTO blocks (user, other, at) VALUES (?1, ?2, ?3)";
            db.prepare_cached(sql)?.execute(params![user.as_bytes(), other.as_bytes(), at.0])
        }
        Item::Answer { user, key, request, begun_at, kept } => {
            let sql = "INSERT OR REPLACE INTO answers (user, key, request, begun_at, kept) VALUES (?1, ?2, ?3, ?4, ?5)";
            let kept = kept.as_deref();
            db.prepare_cached(sql)?.execute(params![user.as_bytes(), key.0, request.0, begun_at.0, kept])
        }
    }
    .map(drop)
}
