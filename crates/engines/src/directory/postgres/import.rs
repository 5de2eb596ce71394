//! People who come from elsewhere, in batches.

use std::collections::{HashMap, HashSet};

use klatch_core::ids::{Timestamp, UserId};
use klatch_ports::directory::{Imported, Origin, Role, State};
use klatch_ports::{Error, ErrorKind};
use tokio_postgres::Transaction;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::columns::{code, user};
use crate::directory::{ROLES, STATES, searched};
use crate::drivers::postgres::columns::{get, signed};
use crate::drivers::postgres::{Database, Failure, Param, step};

/// How often a batch is begun anew because others took its names meanwhile.
const ATTEMPTS: usize = 20;

/// Makes those who are not there yet; the ids of all.
pub async fn import(database: &Database, people: Vec<Imported>, now: Timestamp) -> Result<Vec<UserId>, Error> {
    for _ in 0..ATTEMPTS {
        let job = database.locking(|transaction| {
            let people = people.clone();
            Box::pin(async move { attempt(transaction, people, now).await })
        });
        match job.await {
            Ok(Some(ids)) => return Ok(ids),
            Ok(None) => return Err(Error::conflict("every name of somebody to be imported is taken")),
            Err(error) if error.kind == ErrorKind::Conflict => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::unavailable("others took the names of those to be imported, again and again"))
}

/// `None` if all names of one are taken; `Conflict` if one was taken meanwhile. Nothing was done then.
async fn attempt(
    transaction: &Transaction<'_>,
    people: Vec<Imported>,
    now: Timestamp,
) -> Result<Option<Vec<UserId>>, Failure> {
    let mut known = known(transaction, &people).await?;
    let mut taken = taken(transaction, &people).await?;
    let mut made = Vec::new();
    let mut ids = Vec::with_capacity(people.len());
    for person in people {
        if let Some(id) = known.get(&person.origin) {
            ids.push(*id);
            continue;
        }
        let Some(name) = person.names.iter().find(|name| !taken.contains(*name)).cloned() else { return Ok(None) };
        taken.insert(name.clone());
        known.insert(person.origin.clone(), person.id);
        ids.push(person.id);
        made.push((name, person));
    }
    insert(transaction, made, now).await?;
    Ok(Some(ids))
}

/// Who of them was imported before.
async fn known(transaction: &Transaction<'_>, people: &[Imported]) -> Result<HashMap<Origin, UserId>, Failure> {
    let networks: Vec<_> = people.iter().map(|person| &person.origin.network).collect();
    let names: Vec<_> = people.iter().map(|person| &person.origin.name).collect();
    let sql = "SELECT id, network, origin FROM directory.accounts
        WHERE (network, origin) IN (SELECT * FROM unnest($1, $2))";
    let rows = step(transaction, sql, &[(&networks, Type::TEXT_ARRAY), (&names, Type::TEXT_ARRAY)]).await?;
    let origin = |row| Ok::<_, Error>(Origin { network: get(row, "network")?, name: get(row, "origin")? });
    Ok(rows.iter().map(|row| Ok((origin(row)?, user(row, "id")?))).collect::<Result<_, Error>>()?)
}

/// Which of their names others have.
async fn taken(transaction: &Transaction<'_>, people: &[Imported]) -> Result<HashSet<String>, Failure> {
    let names: Vec<_> = people.iter().flat_map(|person| &person.names).collect();
    let sql = "SELECT name FROM directory.accounts WHERE name = ANY($1)";
    let rows = step(transaction, sql, &[(&names, Type::TEXT_ARRAY)]).await?;
    Ok(rows.iter().map(|row| get(row, "name")).collect::<Result<_, Error>>()?)
}

async fn insert(transaction: &Transaction<'_>, made: Vec<(String, Imported)>, now: Timestamp) -> Result<(), Failure> {
    let ids: Vec<Uuid> = made.iter().map(|(_, person)| person.id.0).collect();
    let names: Vec<_> = made.iter().map(|(name, _)| name).collect();
    let shown: Vec<_> = made.iter().map(|(_, person)| &person.display_name).collect();
    let searches: Vec<_> = made.iter().map(|(name, person)| searched(name, &person.display_name)).collect();
    let networks: Vec<_> = made.iter().map(|(_, person)| &person.origin.network).collect();
    let origins: Vec<_> = made.iter().map(|(_, person)| &person.origin.name).collect();
    let (role, state, now) = (code(&ROLES, &Role::Member), code(&STATES, &State::Imported), signed(now.0)?);
    // In order of name, in which others wait as well.
    let sql =
        "INSERT INTO directory.accounts (id, name, display_name, search, network, origin, role, state, created_at)
        SELECT new.*, $7, $8, $9 FROM unnest($1, $2, $3, $4, $5, $6) AS new (id, name, shown, search, network, origin)
        ORDER BY new.name COLLATE \"C\" ON CONFLICT DO NOTHING RETURNING 1";
    let params: [Param<'_>; 9] = [
        (&ids, Type::UUID_ARRAY),
        (&names, Type::TEXT_ARRAY),
        (&shown, Type::TEXT_ARRAY),
        (&searches, Type::TEXT_ARRAY),
        (&networks, Type::TEXT_ARRAY),
        (&origins, Type::TEXT_ARRAY),
        (&role, Type::INT2),
        (&state, Type::INT2),
        (&now, Type::INT8),
    ];
    if step(transaction, sql, &params).await?.len() < made.len() {
        return Err(Error::conflict("somebody took a name meanwhile").into());
    }
    Ok(())
}
