//! The contract on PostgreSQL, and what is left in the server's files.

use std::collections::HashSet;
use std::sync::Arc;

use klatch_backing::{Kind, Servers};
use klatch_ports::ErrorKind;
use klatch_ports::contract::{fresh, soon};

use super::*;
use crate::drivers::place::Place;
use crate::drivers::postgres::bench;

/// Opens the same database each time.
fn database() -> impl AsyncFn() -> Arc<Postgres> {
    let place = tokio::sync::OnceCell::new();
    async move || open(place.get_or_init(|| bench::prepared(&SCHEMA)).await).await
}

async fn open(place: &Place) -> Arc<Postgres> {
    Arc::new(Postgres::open(bench::at(place)).await.unwrap())
}

klatch_ports::keys_contract!(database());

/// With what each part of a key begins, so that it is found.
const MARK: [u8; 4] = [0xfa, 0xce, 0xb0, 0x0c];

/// People with wrapped keys, each of whose parts is like no other.
fn people(count: usize) -> Vec<(UserId, Bytes)> {
    let key = || (0..5).flat_map(|_| [&MARK[..], &fresh().as_bytes()[4..]].concat()).collect();
    (0..count).map(|_| (UserId(fresh()), key())).collect()
}

/// How many of these keys have left a part in some file of the server, its write-ahead log apart.
async fn left(server: &Servers, keys: &Postgres, of: &[(UserId, Bytes)]) -> usize {
    // So that files hold what memory does.
    keys.0.query("CHECKPOINT", &[]).await.unwrap();
    let mut found = HashSet::new();
    let mut folders = vec![server.folder(1)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.extend((!path.ends_with("pg_wal")).then_some(path));
            } else if let Ok(bytes) = std::fs::read(&path) {
                let marks = (0..bytes.len()).filter(|at| bytes[*at] == MARK[0] && bytes[*at..].starts_with(&MARK));
                found.extend(marks.filter_map(|at| bytes.get(at..at + 16)).map(<[u8]>::to_vec));
            }
        }
    }
    of.iter().filter(|(_, key)| key.chunks(16).any(|part| found.contains(part))).count()
}

/// A connection of its own to this database, in a transaction that has done this.
async fn transaction_elsewhere(place: &Place, statement: &str) -> tokio_postgres::Client {
    let config = format!("postgres://postgres@{}/{}", place.hosts_or(5432)[0], place.path);
    let (client, connection) = tokio_postgres::connect(&config, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(&format!("BEGIN ISOLATION LEVEL REPEATABLE READ; {statement}")).await.unwrap();
    client
}

#[tokio::test]
async fn a_destroyed_key_is_in_no_file_that_tables_are_read_from() {
    let server = Servers::start(Kind::PostgreSql, 1);
    let place: Place = format!("postgres://postgres@{}/postgres", server.address(1)).parse().unwrap();
    bench::at(&place).migrate(&SCHEMA).await.unwrap();
    let keys = open(&place).await;
    let all = people(500);
    keys.create(all.clone()).await.unwrap();
    assert_eq!(left(&server, &keys, &all).await, 500, "the search finds keys");

    let (destroyed, kept) = all.split_at(100);
    let users: Vec<_> = destroyed.iter().map(|(user, _)| *user).collect();
    // Vacuum would leave them there for whoever may still see them.
    let old = transaction_elsewhere(&place, "SELECT count(*) FROM secrets").await;
    keys.destroy(&users[..1]).await.unwrap();
    keys.destroy(&users[1..]).await.unwrap();
    assert_eq!(left(&server, &keys, destroyed).await, 0);
    assert_eq!(left(&server, &keys, kept).await, 400);
    drop(old);

    let last = kept[0].clone();
    keys.destroy(&[last.0]).await.unwrap();
    server.kill(1);
    server.revive();
    let keys = open(&place).await;
    assert_eq!(left(&server, &keys, &all[..101]).await, 0);
    assert_eq!(keys.get(&[users[0], last.0]).await.unwrap(), vec![Some(Key::Destroyed); 2]);
    assert_eq!(keys.get(&[kept[1].0]).await.unwrap(), [Some(Key::Wrapped(kept[1].1.clone()))]);
}

#[tokio::test]
async fn keys_that_are_copied_just_now_are_destroyed_later_and_nobody_waits_long() {
    let place = bench::prepared(&SCHEMA).await;
    let keys = open(&place).await;
    let [(alice, wrapped), (bob, _)] = &people(2)[..] else { unreachable!("there are two") };
    keys.create(vec![(*alice, wrapped.clone())]).await.unwrap();
    let copying = transaction_elsewhere(&place, "SELECT * FROM keys").await;
    assert_eq!(keys.destroy(&[*alice, *bob]).await.unwrap_err().kind, ErrorKind::Unavailable);
    assert_eq!(keys.get(&[*alice, *bob]).await.unwrap(), [Some(Key::Wrapped(wrapped.clone())), None]);
    copying.batch_execute("COMMIT").await.unwrap();
    keys.destroy(&[*alice, *bob]).await.unwrap();
    assert_eq!(keys.destroyed(None, 9).await.unwrap(), [*alice, *bob]);
}

/// Destroys keys; again, where others were in the way for too long, as whoever destroys must.
async fn destroy(keys: &Postgres, users: &[UserId]) {
    let destroyed = async {
        while let Err(error) = keys.destroy(users).await {
            assert_eq!(error.kind, ErrorKind::Unavailable, "{error:?}");
            tokio::task::yield_now().await;
        }
    };
    soon(destroyed).await;
}

#[tokio::test]
async fn those_who_create_read_and_destroy_at_once_do_not_wait_for_one_another_for_ever() {
    let place = bench::prepared(&SCHEMA).await;
    let (one, other) = (open(&place).await, open(&place).await);
    let all = people(200);
    let users: Vec<_> = all.iter().map(|(user, _)| *user).collect();
    let mut reversed = all.clone();
    reversed.reverse();
    for round in 0..10 {
        let destroyed: Vec<_> = users.iter().skip(round).step_by(20).rev().copied().collect();
        let (a, b, (), (), e) = tokio::join!(
            one.create(all.clone()),
            other.create(reversed.clone()),
            destroy(&other, &destroyed),
            destroy(&one, &users[round..round + 5]),
            one.get(&users),
        );
        assert_eq!(a.unwrap().len() + b.unwrap().len(), 400);
        e.unwrap();
    }
    let there = one.get(&users).await.unwrap();
    for (n, (user, wrapped)) in all.iter().enumerate() {
        let is_destroyed = n % 20 < 10 || n < 14;
        let expected = if is_destroyed { Key::Destroyed } else { Key::Wrapped(wrapped.clone()) };
        assert_eq!(there[n], Some(expected), "{user}");
    }
}
