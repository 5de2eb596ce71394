//! The whole directory, item by item. What is taken in goes as one statement an item, without waiting for each.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::try_join_all;
use klatch_core::ids::{Uuid, WorkspaceId};
use klatch_ports::Error;
use klatch_ports::directory::{Digest, Invite, Item, Moving, Part, PasswordHash};
use tokio_postgres::types::Type;
use tokio_postgres::{Row, Transaction};

use super::Postgres;
use super::columns::{account, chain, code, digest, invite, session, time, user, value};
use crate::directory::{ARRIVING, REGISTRATIONS, ROLES, STATES, searched};
use crate::drivers::postgres::columns::{get, signed};
use crate::drivers::postgres::{Failure, Param, step};

const EMPTY: [&str; 8] = [
    "DELETE FROM directory.answers",
    "DELETE FROM directory.blocks",
    "DELETE FROM directory.resets",
    "DELETE FROM directory.claims",
    "DELETE FROM directory.invites",
    "DELETE FROM directory.sessions",
    "DELETE FROM directory.accounts",
    "DELETE FROM directory.site",
];

#[async_trait]
impl Moving for Postgres {
    async fn items(&self, part: Part, after: Option<&Item>, limit: usize) -> Result<Vec<Item>, Error> {
        let limit = signed(limit as u64)?;
        let (table, first, second) = place(part);
        let second = second.map_or(String::new(), |second| format!(", {second}"));
        let Some((one, other)) = after.map(Item::key) else {
            let sql = format!("SELECT * FROM directory.{table} ORDER BY {first}{second} LIMIT $1");
            return self.0.query(&sql, &[(&limit, Type::INT8)]).await?.iter().map(|row| item(row, part)).collect();
        };
        let one = Uuid::from_bytes(one);
        // An id is half as long as what keys have room for.
        let (half, whole) = (Uuid::from_slice(&other[..16]).map_err(Error::corrupt)?, &other[..]);
        let mut params: Vec<Param<'_>> = vec![(&limit, Type::INT8), (&one, Type::UUID)];
        match part {
            Part::Blocks => params.push((&half, Type::UUID)),
            Part::Answers => params.push((&whole, Type::BYTEA)),
            _ => {}
        }
        let third = if params.len() > 2 { ", $3" } else { "" };
        let sql = format!(
            "SELECT * FROM directory.{table} WHERE ({first}{second}) > ($2{third}) ORDER BY {first}{second} LIMIT $1"
        );
        self.0.query(&sql, &params).await?.iter().map(|row| item(row, part)).collect()
    }

    async fn take_in(&self, items: Vec<Item>) -> Result<(), Error> {
        let job = self.0.locking(|transaction| {
            let items = items.clone();
            Box::pin(async move {
                expect_arriving(transaction).await?;
                try_join_all(items.iter().map(|item| take_in(transaction, item))).await.map(drop)
            })
        });
        job.await
    }

    async fn empty(&self) -> Result<(), Error> {
        let job = self.0.locking(|transaction| {
            Box::pin(async move {
                expect_arriving(transaction).await?;
                for sql in EMPTY {
                    step(transaction, sql, &[]).await?;
                }
                Ok(())
            })
        });
        job.await
    }
}

/// Makes sure that a site arrives here until the transaction ends.
async fn expect_arriving(transaction: &Transaction<'_>) -> Result<(), Failure> {
    let sql = "SELECT FROM directory.standing WHERE standing = $1 FOR UPDATE";
    if step(transaction, sql, &[(&ARRIVING, Type::INT2)]).await?.is_empty() {
        return Err(Error::conflict("the site is not arriving here").into());
    }
    Ok(())
}

/// What a part is listed by: its table, and the columns of its key.
const fn place(part: Part) -> (&'static str, &'static str, Option<&'static str>) {
    match part {
        Part::Site => ("site", "'00000000-0000-0000-0000-000000000000'::uuid", None),
        Part::Accounts => ("accounts", "id", None),
        Part::Sessions => ("sessions", "device", None),
        Part::Invites => ("invites", "id", None),
        Part::Claims => ("claims", "'00000000-0000-0000-0000-000000000000'::uuid", None),
        Part::Resets => ("resets", "account", None),
        Part::Blocks => ("blocks", "account", Some("other")),
        Part::Answers => ("answers", "account", Some("key")),
    }
}

fn item(row: &Row, part: Part) -> Result<Item, Error> {
    Ok(match part {
        Part::Site => Item::Site {
            workspace: WorkspaceId(get(row, "workspace")?),
            name: get(row, "name")?,
            registration: value(&REGISTRATIONS, row, "registration")?,
        },
        Part::Accounts => Item::Account {
            account: account(row)?,
            password: get::<Option<String>>(row, "password")?.map(PasswordHash),
            request: get::<Option<&[u8]>>(row, "request")?
                .map(|request| request.try_into().map(Digest).map_err(Error::corrupt))
                .transpose()?,
            closing: get(row, "closing")?,
        },
        Part::Sessions => Item::Session(session(row)?, chain(row)?),
        Part::Invites => Item::Invite(invite(row)?),
        Part::Claims => Item::Claim(digest(row, "token")?, time(row, "expires_at")?),
        Part::Resets => Item::Reset(user(row, "account")?, digest(row, "token")?, time(row, "expires_at")?),
        Part::Blocks => Item::Block(user(row, "account")?, user(row, "other")?, time(row, "at")?),
        Part::Answers => Item::Answer {
            user: user(row, "account")?,
            key: digest(row, "key")?,
            request: digest(row, "request")?,
            begun_at: time(row, "begun_at")?,
            kept: get::<Option<&[u8]>>(row, "kept")?.map(Bytes::copy_from_slice),
        },
    })
}

async fn take_in(transaction: &Transaction<'_>, item: &Item) -> Result<(), Failure> {
    match item {
        Item::Account { .. } => account_in(transaction, item).await,
        Item::Session(..) => session_in(transaction, item).await,
        Item::Invite(invite) => invite_in(transaction, invite).await,
        Item::Site { workspace, name, registration } => {
            let sql = "INSERT INTO directory.site (workspace, name, registration) VALUES ($1, $2, $3)
                ON CONFLICT (one) DO UPDATE SET workspace = $1, name = $2, registration = $3";
            let registration = code(&REGISTRATIONS, registration);
            let params: [Param<'_>; 3] = [(&workspace.0, Type::UUID), (name, Type::TEXT), (&registration, Type::INT2)];
            step(transaction, sql, &params).await.map(drop)
        }
        Item::Claim(token, until) => {
            let sql = "INSERT INTO directory.claims (token, expires_at) VALUES ($1, $2)
                ON CONFLICT (one) DO UPDATE SET token = $1, expires_at = $2";
            let (token, until) = (&token.0[..], signed(until.0)?);
            step(transaction, sql, &[(&token, Type::BYTEA), (&until, Type::INT8)]).await.map(drop)
        }
        Item::Reset(user, token, until) => {
            let sql = "INSERT INTO directory.resets (account, token, expires_at) VALUES ($1, $2, $3)
                ON CONFLICT (account) DO UPDATE SET token = $2, expires_at = $3";
            let (token, until) = (&token.0[..], signed(until.0)?);
            let params: [Param<'_>; 3] = [(&user.0, Type::UUID), (&token, Type::BYTEA), (&until, Type::INT8)];
            step(transaction, sql, &params).await.map(drop)
        }
        Item::Block(user, other, at) => {
            let sql = "INSERT INTO directory.blocks (account, other, at) VALUES ($1, $2, $3)
                ON CONFLICT (account, other) DO UPDATE SET at = $3";
            let at = signed(at.0)?;
            let params: [Param<'_>; 3] = [(&user.0, Type::UUID), (&other.0, Type::UUID), (&at, Type::INT8)];
            step(transaction, sql, &params).await.map(drop)
        }
        Item::Answer { user, key, request, begun_at, kept } => {
            let sql =
                "INSERT INTO directory.answers (account, key, request, begun_at, kept) VALUES ($1, $2, $3, $4, $5)
                ON CONFLICT (account, key) DO UPDATE SET request = $3, begun_at = $4, kept = $5";
            let (key, request, begun_at, kept) = (&key.0[..], &request.0[..], signed(begun_at.0)?, kept.as_deref());
            let params: [Param<'_>; 5] = [
                (&user.0, Type::UUID),
                (&key, Type::BYTEA),
                (&request, Type::BYTEA),
                (&begun_at, Type::INT8),
                (&kept, Type::BYTEA),
            ];
            step(transaction, sql, &params).await.map(drop)
        }
    }
}

async fn account_in(transaction: &Transaction<'_>, item: &Item) -> Result<(), Failure> {
    let Item::Account { account: it, password, request, closing } = item else { return Ok(()) };
    let sql = "INSERT INTO directory.accounts (id, name, display_name, about, search, role, state, network, origin,
        created_at, password, request, closing) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        ON CONFLICT (id) DO UPDATE SET name = $2, display_name = $3, about = $4, search = $5, role = $6, state = $7,
        network = $8, origin = $9, created_at = $10, password = $11, request = $12, closing = $13";
    let (network, origin) = it.origin.as_ref().map(|it| (&it.network, &it.name)).unzip();
    let search = searched(&it.name, &it.display_name);
    let (role, state, created_at) = (code(&ROLES, &it.role), code(&STATES, &it.state), signed(it.created_at.0)?);
    let (password, request) = (password.as_ref().map(|it| &it.0), request.as_ref().map(|request| &request.0[..]));
    let params: [Param<'_>; 13] = [
        (&it.id.0, Type::UUID),
        (&it.name, Type::TEXT),
        (&it.display_name, Type::TEXT),
        (&it.about, Type::TEXT),
        (&search, Type::TEXT),
        (&role, Type::INT2),
        (&state, Type::INT2),
        (&network, Type::TEXT),
        (&origin, Type::TEXT),
        (&created_at, Type::INT8),
        (&password, Type::TEXT),
        (&request, Type::BYTEA),
        (closing, Type::BOOL),
    ];
    step(transaction, sql, &params).await.map(drop)
}

async fn session_in(transaction: &Transaction<'_>, item: &Item) -> Result<(), Failure> {
    let Item::Session(it, chain) = item else { return Ok(()) };
    let sql = "INSERT INTO directory.sessions (device, account, name, secret, generation, rotated_at, created_at,
        last_used_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (device) DO UPDATE SET account = $2, name = $3,
        secret = $4, generation = $5, rotated_at = $6, created_at = $7, last_used_at = $8";
    let (secret, generation) = (&chain.secret.0[..], i64::from(chain.generation));
    let [rotated_at, created_at, last_used_at] =
        [signed(chain.rotated_at.0)?, signed(it.created_at.0)?, signed(it.last_used_at.0)?];
    let params: [Param<'_>; 8] = [
        (&it.device.0, Type::UUID),
        (&it.user.0, Type::UUID),
        (&it.name, Type::TEXT),
        (&secret, Type::BYTEA),
        (&generation, Type::INT8),
        (&rotated_at, Type::INT8),
        (&created_at, Type::INT8),
        (&last_used_at, Type::INT8),
    ];
    step(transaction, sql, &params).await.map(drop)
}

async fn invite_in(transaction: &Transaction<'_>, it: &Invite) -> Result<(), Failure> {
    let sql = "INSERT INTO directory.invites (id, token, made_by, created_at, uses_left, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (id) DO UPDATE SET token = $2, made_by = $3, created_at = $4, uses_left = $5, expires_at = $6";
    let (token, created_at, uses_left) = (&it.token.0[..], signed(it.created_at.0)?, it.uses_left.map(i64::from));
    let until = it.expires_at.map(|until| signed(until.0)).transpose()?;
    let params: [Param<'_>; 6] = [
        (&it.id, Type::UUID),
        (&token, Type::BYTEA),
        (&it.made_by.0, Type::UUID),
        (&created_at, Type::INT8),
        (&uses_left, Type::INT8),
        (&until, Type::INT8),
    ];
    step(transaction, sql, &params).await.map(drop)
}
