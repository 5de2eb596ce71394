use klatch_backing::{Flow, Link};

use super::*;

const SCHEMA: Schema = Schema {
    name: "numbers",
    migrations: &["CREATE TABLE numbers (number int PRIMARY KEY)", "INSERT INTO numbers VALUES (1)"],
};

#[tokio::test]
async fn schemas_are_prepared_once_and_later_ones_are_refused() {
    let database = bench::database().await;
    let missing = database.expect(&SCHEMA).await.unwrap_err();
    assert!(format!("{:?}", std::error::Error::source(&missing)).contains("klatch migrate"));
    let (one, other) = tokio::join!(database.migrate(&SCHEMA), database.migrate(&SCHEMA));
    assert_eq!([one.unwrap(), other.unwrap()].concat(), [1, 2], "by one of the two");
    database.expect(&SCHEMA).await.unwrap();
    let older = Schema { migrations: &SCHEMA.migrations[..1], ..SCHEMA };
    assert_eq!(database.expect(&older).await.unwrap_err().kind, ErrorKind::Broken);
    assert_eq!(database.migrate(&older).await.unwrap_err().kind, ErrorKind::Broken);
}

#[tokio::test]
async fn transactions_that_meet_are_done_one_after_the_other() {
    let database = bench::database().await;
    database.migrate(&SCHEMA).await.unwrap();
    let count = || {
        database.transaction(|transaction| {
            Box::pin(async move {
                let rows = transaction.query_typed("SELECT max(number) FROM numbers", &[]).await?;
                let next = rows[0].get::<_, i32>(0) + 1;
                transaction.query_typed("INSERT INTO numbers VALUES ($1)", &[(&next, Type::INT4)]).await?;
                Ok(next)
            })
        })
    };
    let mut numbers: Vec<_> =
        futures_util::future::join_all((0..8).map(|_| count())).await.into_iter().map(Result::unwrap).collect();
    numbers.sort();
    assert_eq!(numbers, (2..10).collect::<Vec<_>>());
    let refused = database.transaction(|transaction| {
        Box::pin(async move {
            transaction.query_typed("INSERT INTO numbers VALUES (100)", &[]).await?;
            Err::<(), _>(Error::conflict("we thought better of it").into())
        })
    });
    assert_eq!(refused.await.unwrap_err().kind, ErrorKind::Conflict);
    assert!(database.query("SELECT * FROM numbers WHERE number = 100", &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_server_that_hangs_is_not_asked_by_ever_more_connections() {
    let place = bench::place().await;
    let link = Link::to(place.hosts_or(PORT)[0].clone()).await;
    let through = format!("postgres://postgres@{}/{}?timeout_ms=3000&pool=3", link.address(), place.path);
    let database = Database::at(through.parse().unwrap()).unwrap();
    let watching = Database::at(place).unwrap();
    let others = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
    let connections = async || column::<i64>(&watching.query(others, &[]).await.unwrap()[0], 0).unwrap();

    watching.query("SELECT pg_advisory_lock(1)", &[]).await.unwrap();
    let hang = || database.query("SELECT pg_advisory_xact_lock(1)", &[]);
    let all_hang = async {
        while connections().await != 6 {
            let (one, other, third) = tokio::join!(hang(), hang(), hang());
            for answer in [one, other, third] {
                assert_eq!(answer.unwrap_err().kind, ErrorKind::Unavailable);
            }
            assert!(connections().await <= 6);
        }
    };
    klatch_ports::contract::soon(all_hang).await;
    // Most are refused at once now. Until one was let through, and found no connection that it might use.
    let has_waited = async {
        while !told(hang().await.unwrap_err()).contains("were busy") {
            assert_eq!(connections().await, 6);
        }
    };
    klatch_ports::contract::soon(has_waited).await;
    assert_eq!(connections().await, 6);
    watching.query("SELECT pg_advisory_unlock(1)", &[]).await.unwrap();
    klatch_ports::contract::soon(async { while connections().await > 3 {} }).await;
    is_asked_again(&database).await;
}

fn told(error: Error) -> String {
    std::error::Error::source(&error).unwrap().to_string()
}

/// Waits until the breaker lets a call through that is answered.
async fn is_asked_again(database: &Database) {
    let asked = async {
        while database.query("SELECT 1", &[]).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    klatch_ports::contract::soon(asked).await;
}

#[tokio::test]
async fn a_server_that_takes_no_writes_any_more_is_left() {
    let mut place = bench::place().await;
    place = bench::through(&place, &place.hosts_or(PORT)[0], "pool=1");
    let database = bench::at(&place);
    database.query("SET default_transaction_read_only = on", &[]).await.unwrap();
    let write = || database.query("CREATE TABLE things ()", &[]);
    assert_eq!(write().await.unwrap_err().kind, ErrorKind::Unavailable);
    write().await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_silent_or_gone_is_away_and_comes_back() {
    let place = bench::place().await;
    let link = Link::to(place.hosts_or(PORT)[0].clone()).await;
    let through = format!("postgres://postgres@{}/{}?timeout_ms=3000", link.address(), place.path);
    let database = Database::at(through.parse().unwrap()).unwrap();
    let ask = || database.query("SELECT 1", &[]);
    ask().await.unwrap();
    link.set(Flow::Open, Flow::Held);
    assert_eq!(ask().await.unwrap_err().kind, ErrorKind::Unavailable);
    link.tear();
    assert_eq!(ask().await.unwrap_err().kind, ErrorKind::Unavailable);
    // Who asks again and again is not kept waiting each time.
    let at_once = async { while !told(ask().await.unwrap_err()).contains("is asked again in a moment") {} };
    klatch_ports::contract::soon(at_once).await;
    link.set(Flow::Open, Flow::Open);
    is_asked_again(&database).await;
    assert_eq!(database.query("SELECT * FROM nothing", &[]).await.unwrap_err().kind, ErrorKind::Broken);
}
