//! The contract on PostgreSQL, and what only a server can show.

use std::sync::Arc;

use klatch_backing::{Flow, Kind as Server, Link, Servers};
use klatch_core::ids::{DeviceId, Uuid, WorkspaceId};
use klatch_ports::ErrorKind;
use klatch_ports::contract::{fresh, soon};
use klatch_ports::directory::{
    Accounts, Admission, Admissions, Blocks, Closed, Created, Digest, Imported, NewAccount, NewSession, Opened, Origin,
    PasswordHash, Profile, Registration, Role, RoleSet, Rotation, Sessions, Sites, contract,
};
use tokio::sync::OnceCell;

use super::*;
use crate::drivers::place::Place;
use crate::drivers::postgres::bench;
use crate::drivers::postgres::columns::{get, number};

const NOW: Timestamp = Timestamp(1_800_000_000_000);

/// Prepares a database for the directory, and opens it.
async fn prepared(place: Place) -> Postgres {
    let database = Database::at(place).unwrap();
    database.migrate(&Postgres::SCHEMA).await.unwrap();
    Postgres::open(database).await.unwrap()
}

/// Opens the same database each time, over connections of its own.
fn database() -> impl AsyncFn() -> Arc<Postgres> {
    let place = OnceCell::new();
    async move || Arc::new(prepared(place.get_or_init(bench::place).await.clone()).await)
}

klatch_ports::directory_contract!(database());

fn newcomer() -> NewAccount {
    let id = fresh();
    NewAccount {
        id: UserId(id),
        name: format!("u{}", id.simple()),
        display_name: "Somebody".to_owned(),
        password: PasswordHash(format!("$argon2id$hash-of-{}$", id.simple())),
        request: Some(digest(id)),
        at: NOW,
    }
}

fn digest(id: Uuid) -> Digest {
    let mut bytes = [7; 32];
    bytes[..16].copy_from_slice(id.as_bytes());
    Digest(bytes)
}

async fn join(directory: &Postgres) -> UserId {
    let Created::Now(account) = directory.create(newcomer(), Admission::Open).await.unwrap() else {
        panic!("not made")
    };
    account.id
}

fn session(user: UserId) -> NewSession {
    let device = fresh();
    NewSession { device: DeviceId(device), user, name: "a device".to_owned(), secret: digest(device), at: NOW }
}

#[tokio::test]
async fn what_one_process_writes_holds_for_the_others_at_once() {
    let open = database();
    let (one, other) = (open().await, open().await);
    let user = join(&one).await;
    let (kept, ended) = (session(user), session(user));
    for new in [&kept, &ended] {
        assert!(matches!(one.open_session(new.clone()).await.unwrap(), Opened::Now(_)));
        assert!(other.session(new.device).await.unwrap().is_some());
    }
    assert!(one.end_session(user, ended.device).await.unwrap());
    assert_eq!(other.session(ended.device).await.unwrap(), None);
    let rotate = async |directory: &Postgres, generation| {
        directory.rotate(kept.device, kept.secret, generation, NOW).await.unwrap()
    };
    assert!(matches!(rotate(&one, 1).await, Rotation::Current { generation: 2, .. }));
    assert!(matches!(rotate(&other, 2).await, Rotation::Current { generation: 3, .. }));
    assert!(matches!(rotate(&one, 1).await, Rotation::Reused(_)));
    assert_eq!(other.session(kept.device).await.unwrap(), None);
    one.block(user, UserId(fresh()), NOW).await.unwrap();
    assert_eq!(other.blocks(user).await.unwrap().len(), 1);
    assert!(matches!(other.close(user).await.unwrap(), Closed::Now(_)));
    assert_eq!(one.password(user).await.unwrap(), None);
    assert_eq!(one.open_session(kept).await.unwrap(), Opened::NotActive);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_signed_in_on_an_account_that_is_closed_or_under_a_password_that_was_replaced() {
    let open = database();
    let (one, other) = (open().await, open().await);
    let mut met = 0;
    for round in 0..40 {
        let user = join(&one).await;
        let opening: Vec<_> = (0..4)
            .map(|_| {
                let (one, new) = (one.clone(), session(user));
                tokio::spawn(async move { (new.device, one.open_session(new).await.unwrap()) })
            })
            .collect();
        let ended = if round % 2 == 0 {
            let Closed::Now(ended) = other.close(user).await.unwrap() else { panic!("not closed") };
            ended
        } else {
            other.set_password(user, PasswordHash("new".to_owned()), None).await.unwrap()
        };
        let mut refused = 0;
        for opening in opening {
            let (device, opened) = opening.await.unwrap();
            refused += usize::from(opened == Opened::NotActive);
            let is_in = other.session(device).await.unwrap().is_some();
            assert!(!is_in || round % 2 == 1, "somebody is signed in on a closed account");
            assert!(!(is_in && ended.contains(&device)));
        }
        met += usize::from(!ended.is_empty() && ended.len() < 4);
        assert!(round % 2 == 1 || refused + ended.len() == 4, "each was refused or ended");
    }
    assert!(met > 0, "they never met");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_last_owners_who_go_at_once_one_stays() {
    let open = database();
    let (one, other) = (open().await, open().await);
    let owners = [join(&one).await, join(&one).await];
    for round in 0..20 {
        for owner in owners {
            assert!(matches!(one.set_role(owner, Role::Owner).await.unwrap(), RoleSet::Now(_)));
        }
        let leave = |directory: Arc<Postgres>, owner| {
            tokio::spawn(async move { directory.set_role(owner, Role::Member).await.unwrap() })
        };
        let (first, second) = (leave(one.clone(), owners[0]), leave(other.clone(), owners[1]));
        let left = [first.await.unwrap(), second.await.unwrap()];
        let stayed = left.iter().filter(|set| **set == RoleSet::LastOwner).count();
        assert_eq!(stayed, 1, "round {round}: {left:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn imports_that_want_the_same_names_at_once_give_each_to_one() {
    let open = database();
    let (one, other) = (open().await, open().await);
    let network = fresh().simple().to_string();
    for round in 0..8 {
        // Half of the people are the same, and all want the same names, in orders of their own.
        let batch = |side: usize| -> Vec<Imported> {
            let people = (0..20).map(|n| {
                let id = fresh();
                let origin = if n % 2 == 0 { format!("{round}-{n}") } else { format!("{round}-{n}-{side}") };
                Imported {
                    id: UserId(id),
                    names: vec![format!("{network}{round}x{}", n / 3), format!("{}", id.simple())],
                    display_name: origin.clone(),
                    origin: Origin { network: network.clone(), name: origin },
                }
            });
            let mut people: Vec<_> = people.collect();
            if side == 1 {
                people.reverse();
            }
            people
        };
        let import = |directory: Arc<Postgres>, people: Vec<Imported>| {
            tokio::spawn(async move { (directory.import(people.clone(), NOW).await.unwrap(), people) })
        };
        let (first, second) = (import(one.clone(), batch(0)), import(other.clone(), batch(1)));
        let mut made = std::collections::HashMap::new();
        for (ids, people) in [first.await.unwrap(), second.await.unwrap()] {
            for (account, person) in one.accounts(&ids).await.unwrap().into_iter().zip(people) {
                let account = account.unwrap();
                assert_eq!(account.origin.as_ref(), Some(&person.origin));
                assert_eq!(*made.entry(person.origin).or_insert(account.id), account.id, "one person for an origin");
            }
        }
        assert_eq!(made.len(), 30);
    }
}

#[tokio::test]
async fn people_are_found_alike_whatever_the_locale_of_the_database() {
    let directory = Arc::new(prepared(bench::place_in_german().await).await);
    contract::d4_people_are_found_by_parts_of_their_names(async || directory.clone()).await;
    // In German `_` sorts before letters and capitals do not count; by bytes neither is so.
    for name in ["b_", "ba", "aé", "az"] {
        directory.create(NewAccount { name: name.to_owned(), ..newcomer() }, Admission::Open).await.unwrap();
    }
    let found = directory.search("SOMEBODY", None, 10).await.unwrap();
    assert_eq!(found.iter().map(|account| &*account.name).collect::<Vec<_>>(), ["az", "aé", "b_", "ba"]);
    assert_eq!(directory.search("some\0", None, 10).await.unwrap(), [], "nobody can be called that");
    assert_eq!(directory.named("az\0").await.unwrap(), None);
    assert_eq!(directory.search("", Some("az\0"), 1).await.unwrap()[0].name, "aé");
}

#[tokio::test]
async fn a_request_whose_answer_was_lost_is_repeated_without_harm() {
    let place = bench::place().await;
    let link = Link::to(place.hosts_or(5432)[0].clone()).await;
    let through = format!("postgres://postgres@{}/{}?timeout_ms=3000", link.address(), place.path);
    let (directory, near) = (prepared(through.parse().unwrap()).await, prepared(place).await);
    let new = newcomer();
    // Each question of a transaction has an answer, so the transaction ends where the first is lost, and nothing of it is there.
    link.set(Flow::Open, Flow::Held);
    let lost = directory.create(new.clone(), Admission::Open).await.unwrap_err();
    assert_eq!(lost.kind, ErrorKind::Unavailable);
    link.tear();
    link.set(Flow::Open, Flow::Open);
    assert_eq!(near.named(&new.name).await.unwrap(), None);
    let Created::Now(account) = directory.create(new.clone(), Admission::Open).await.unwrap() else { panic!("new") };
    let again = NewAccount { id: UserId(fresh()), ..new };
    assert_eq!(directory.create(again, Admission::Open).await.unwrap(), Created::Before(account.clone()));

    // A statement of its own is done, though nobody heard of it.
    let opened = session(account.id);
    directory.open_session(opened.clone()).await.unwrap();
    link.set(Flow::Open, Flow::Held);
    let lost = directory.end_session(account.id, opened.device).await.unwrap_err();
    assert_eq!(lost.kind, ErrorKind::Unavailable);
    soon(async { while near.session(opened.device).await.unwrap().is_some() {} }).await;
    link.set(Flow::Open, Flow::Open);
    assert!(!directory.end_session(account.id, opened.device).await.unwrap(), "it has ended already");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_is_there_after_the_server_was_killed() {
    let server = Servers::start(Server::PostgreSql, 1);
    let directory = Arc::new(prepared(bench::place_on(&server, "").await).await);
    directory.open_site(WorkspaceId(fresh()), "Klatch", Registration::Open).await.unwrap();
    for _ in 0..3 {
        let (answered, mut told) = tokio::sync::watch::channel(Vec::new());
        let writing = tokio::spawn({
            let directory = directory.clone();
            async move {
                loop {
                    let new = newcomer();
                    let opened = session(new.id);
                    if directory.create(new.clone(), Admission::Open).await.is_err()
                        || directory.open_session(opened.clone()).await.is_err()
                        || directory.rotate(opened.device, opened.secret, 1, NOW).await.is_err()
                    {
                        return;
                    }
                    answered.send_modify(|all| all.push((new, opened)));
                }
            }
        });
        soon(told.wait_for(|all| all.len() >= 10)).await.unwrap();
        server.kill(1);
        soon(writing).await.unwrap();
        server.revive();
        soon(async { while directory.site().await.is_err() {} }).await;
        let answered = told.borrow().clone();
        for (new, opened) in answered {
            assert_eq!(directory.named(&new.name).await.unwrap().unwrap().id, new.id);
            assert_eq!(directory.password(new.id).await.unwrap(), Some(new.password));
            // The server was killed between rotation and answer: who asks again gets the same successor.
            let rotated = directory.rotate(opened.device, opened.secret, 1, NOW).await.unwrap();
            assert!(matches!(rotated, Rotation::Current { generation: 2, .. }));
        }
    }
}

#[tokio::test]
async fn nothing_that_was_secret_or_private_is_in_any_row_of_a_closed_account() {
    let directory = prepared(bench::place().await).await;
    let new = newcomer();
    directory.create(new.clone(), Admission::Open).await.unwrap();
    let about = Some("secret-about-".to_owned());
    directory.set_profile(new.id, Profile { display_name: None, about }).await.unwrap();
    directory.open_session(NewSession { name: "secret-about-device".to_owned(), ..session(new.id) }).await.unwrap();
    directory.set_reset(new.id, digest(fresh()), NOW.plus_ms(1)).await.unwrap();
    let left = async |text: &str| {
        let tables = "SELECT table_name::text AS name FROM information_schema.tables WHERE table_schema = 'directory'";
        let mut found = 0;
        for table in directory.0.query(tables, &[]).await.unwrap() {
            let name: String = get(&table, "name").unwrap();
            let sql =
                format!("SELECT count(*) AS found FROM directory.{name} AS r WHERE position('{text}' IN r::text) > 0");
            found += number(&directory.0.query(&sql, &[]).await.unwrap()[0], "found").unwrap();
        }
        found
    };
    let hash = new.password.0.clone();
    assert_eq!((left("secret-about-").await, left(&hash).await), (2, 1), "the search finds them");
    assert!(left(&new.id.0.to_string()).await > 2);
    assert!(matches!(directory.close(new.id).await.unwrap(), Closed::Now(_)));
    assert_eq!((left("secret-about-").await, left(&hash).await), (0, 0));
    assert_eq!(left(&new.id.0.to_string()).await, 1, "of its id only the account itself");
}

#[tokio::test]
async fn how_often_the_server_is_asked() {
    let directory = prepared(bench::place().await).await;
    let calls = bench::Calls::default();
    let _recorder = metrics::set_default_local_recorder(&calls);
    let user = join(&directory).await;
    assert_eq!(calls.take(), 3, "begin, insert, commit");
    let new = session(user);
    directory.open_session(new.clone()).await.unwrap();
    assert_eq!(calls.take(), 5, "begin, lock, make room, insert, commit");
    directory.session(new.device).await.unwrap();
    assert_eq!(calls.take(), 1);
    directory.rotate(new.device, new.secret, 1, NOW).await.unwrap();
    assert_eq!(calls.take(), 4, "begin, lock, update, commit");
    directory.blocked(user, UserId(fresh())).await.unwrap();
    directory.accounts(&[user, UserId(fresh())]).await.unwrap();
    directory.end_session(user, new.device).await.unwrap();
    assert_eq!(calls.take(), 3, "one each");
}
