//! Processors and workers that die between two of their steps, while people write: after the append, after what was told, after the feed,
//! before the commands are settled, and before a worker's place is kept. Whoever goes on has everything made up for: afterwards nothing is
//! lost or doubled, and every projection is what a replay of the log makes, without a rebuild. `klatch check` says so, and it must be
//! able to say otherwise.

use std::time::Instant;

use serde_json::Value;
use tokio::time::{sleep, timeout};

use crate::people::{CONVERSATIONS, FOLLOWING, People, REST};
use crate::site::Site;
use crate::{ALONE, BACK, TAKEN_OVER, rounds};

/// Of two that are alike the one that has more to do, or the other; where it dies, and at which pass.
type Crash = ((&'static str, usize), &'static str, u64);

const BUSY: (&str, usize) = ("processor", 0);
const OTHER: (&str, usize) = ("processor", 1);
const WORKER: (&str, usize) = ("worker", 0);
const OTHER_WORKER: (&str, usize) = ("worker", 1);

/// Those that happen together, before all of them start again. At first another process takes over; then both are dead at once.
const CRASHES: [&[Crash]; 4] = [
    &[(BUSY, "after_sync", 1), (WORKER, "before_committing", 1)],
    &[(BUSY, "after_feed", 40), (OTHER, "before_settling", 7)],
    &[
        (BUSY, "before_settling", 1),
        (OTHER, "after_sync", 40),
        (WORKER, "before_committing", 7),
        (OTHER_WORKER, "before_committing", 1),
    ],
    &[(BUSY, "after_acknowledgement", 1), (OTHER, "after_feed", 1)],
];
/// How many of these there are in the short form on Kafka, where each takes a session's time.
const SLOW: usize = 2;
/// Events by which one sees who does the work.
const ENOUGH: u64 = 50;

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_die_between_two_steps_leave_projections_as_a_replay_makes_them() {
    let _alone = ALONE.lock().await;
    let begun = Instant::now();
    let site = Site::start().await;
    let people = People::of_everything(&site.base(), &site.claim).await;
    people.are_served("at first", BACK).await;
    println!("a cluster began after {:?}", begun.elapsed());
    let mut count = 0;
    for round in 0..rounds().unwrap_or(1) as u64 {
        for crashes in chosen(&site) {
            let (processors, workers) = (by_work(&site, "processor").await, by_work(&site, "worker").await);
            let named = crashes.iter().map(|((kind, which), place, passes)| {
                let process = if *kind == "worker" { &workers[*which] } else { &processors[*which] };
                (process, *place, passes + round)
            });
            let named: Vec<_> = named.collect();
            // Workers first: once both processors are dead they have nothing to do.
            for kind in ["worker", "processor"] {
                let of_kind: Vec<_> = named.iter().filter(|(process, ..)| process.contains(kind)).collect();
                for (process, place, passes) in &of_kind {
                    site.arm(process, place, *passes);
                }
                for (process, place, _) in of_kind {
                    site.has_crashed(process, place).await;
                    count += 1;
                }
            }
            let what = format!("died at {}", named.iter().map(|(_, place, _)| *place).collect::<Vec<_>>().join(", "));
            if !crashes.iter().any(|(which, ..)| *which == OTHER) {
                people.are_served(&format!("{what}; another takes over"), TAKEN_OVER).await;
            }
            site.revive().await;
            people.are_served(&format!("{what}; all are back"), BACK).await;
        }
    }
    let (findings, summary) = site.check().await;
    assert_eq!(findings, Vec::<Value>::new(), "what people write meanwhile is no damage: {summary}");
    let outcome = people.finish().await;
    outcome.is_clean();
    let records = is_as_a_replay_makes_it(&site).await;
    assert!(records > outcome.acknowledged as u64, "all of it was looked at");
    println!("{count} crashes, {records} records and all that follows from them checked, in {:?}", begun.elapsed());
    what_was_changed_by_hand_is_found(&site).await;
}

fn chosen(site: &Site) -> &'static [&'static [Crash]] {
    let is_slow = rounds().is_none() && site.stack().contains("kafka");
    if is_slow { &CRASHES[..SLOW] } else { &CRASHES }
}

/// Both processes of this kind, and first the one that has more to do, which may have all of it.
async fn by_work(site: &Site, kind: &str) -> [String; 2] {
    let does = if kind == "worker" { "klatch_events_projected_total" } else { "klatch_events_appended_total" };
    let both = [1, 2].map(|number| format!("{kind}{number}"));
    let before = done(site, does, &both).await;
    let enough = async {
        loop {
            sleep(REST).await;
            let now = done(site, does, &both).await;
            let [one, other] = [0, 1].map(|at| now[at] - before[at]);
            if one + other >= ENOUGH {
                return one > other;
            }
        }
    };
    let is_first = timeout(FOLLOWING, enough).await.expect("one of them works");
    let [first, second] = both.map(|name| format!("klatch/{name}"));
    if is_first { [first, second] } else { [second, first] }
}

/// How much these have done.
async fn done(site: &Site, does: &str, both: &[String; 2]) -> [u64; 2] {
    let mut done = [0; 2];
    for (process, done) in both.iter().zip(&mut done) {
        let page = site.metrics(process).await;
        let count = page.lines().find_map(|line| line.strip_prefix(does)?.trim().parse().ok());
        *done = count.unwrap_or(0);
    }
    done
}

/// Nothing differs from a replay, and nothing is left to be made up for; returns how many records that follows from.
pub async fn is_as_a_replay_makes_it(site: &Site) -> u64 {
    let settled = async {
        loop {
            let (findings, summary) = site.check().await;
            assert_eq!(findings, Vec::<Value>::new());
            assert_eq!(summary["conversations"], CONVERSATIONS);
            if summary["behind"] == 0 {
                return summary["records"].as_u64().unwrap();
            }
            sleep(REST).await;
        }
    };
    timeout(FOLLOWING, settled).await.expect("workers make up for everything")
}

/// The check can fail: it finds one row of each table that somebody changed.
async fn what_was_changed_by_hand_is_found(site: &Site) {
    let database = site.database("klatch");
    let mut tables = vec![
        ("views", "views.heads", "worthy = worthy + 1"),
        ("views", "views.mentions", "seq = seq + 1000000"),
        ("views", "views.members", "joined = joined + 1"),
    ];
    if !site.stack().contains("cassandra") {
        tables.push(("overlay", "overlay", "bytes = ''"));
    }
    let mut wanted = Vec::new();
    for (kind, table, change) in tables {
        // A conversation of its own for each of them.
        let column = format!("SELECT conversation FROM {table} GROUP BY 1 ORDER BY 1 LIMIT 1 OFFSET {}", wanted.len());
        let row = format!("SELECT ctid FROM {table} WHERE conversation = ({column}) LIMIT 1");
        let sql = format!("UPDATE {table} SET {change} WHERE ctid = ({row}) RETURNING conversation::text");
        let rows = database.query(&sql, &[]).await.unwrap();
        let conversation: String = rows[0].get(0);
        wanted.push((kind.to_owned(), conversation));
    }
    let (findings, _) = site.check().await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut found: Vec<_> = findings.iter().map(|it| (text(&it["kind"]), text(&it["conversation"]))).collect();
    wanted.sort();
    found.sort();
    assert_eq!(found, wanted, "{findings:#?}");
}
