//! Projections that somebody changed by hand are mended while people write, also by a command that is killed on its way; and views go to
//! another database, alone, while people write, read and change their settings. Nobody sees an error, or a list that is shorter than it
//! was, and afterwards everything is what a replay of the log makes it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use klatch_client::{Rest, Tokens};
use klatch_engines::drivers::postgres::{Database, step};
use klatch_protocol::gateway::ReadMove;
use klatch_protocol::objects::{Conversation, NotifyLevel, ReadCursor};
use klatch_protocol::rest::{CursorMove, SettingsChange};
use reqwest::Method;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::crashes::is_as_a_replay_makes_it;
use crate::people::{CONVERSATIONS, FOLLOWING, People, REST};
use crate::rolling::{PROCESSES, Visitor};
use crate::site::{STACK, Site, stack};
use crate::{ALONE, BACK, rounds};

/// Between two looks at a list.
const PACE: Duration = Duration::from_millis(500);
/// What every writer said before something is changed: enough that every table has rows.
const SAID: usize = 24;
/// Where views move to.
const MOVED: &str = "klatch_views";

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_by_hand_is_mended_while_people_write() {
    let _alone = ALONE.lock().await;
    let site = Site::start().await;
    let people = People::of_everything(&site.base(), &site.claim).await;
    people.have_said(SAID).await;
    let owner = owner(&site, &people).await;
    let spoilt = spoil(&site, owner.me().await.unwrap().id).await;
    is_found(&site, &spoilt.wrong).await;
    let lists = Lists::watch(owner);

    // What comes last of the views is kept from being written: so the command is killed in the middle.
    let held = Held::row(site.database("klatch"), &format!("views.conversations WHERE id = '{}'", spoilt.last)).await;
    let mut rebuild = site.operator(&site.config(), &["rebuild", "views", "--json"]);
    let mut child = rebuild.stdout(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(child.stdout.take().unwrap()).lines();
    for conversation in &spoilt.before {
        let line = timeout(FOLLOWING, told.next_line()).await.expect("it goes on").unwrap().expect("it says so");
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["conversation"], **conversation, "{line}");
    }
    child.kill().await.unwrap();
    let rest: Vec<_> = spoilt.wrong.iter().filter(|(_, wrong)| !spoilt.before.contains(wrong)).cloned().collect();
    is_found(&site, &rest).await;
    held.release().await;

    let summary = rebuilt(&site, &site.config(), &["views"]).await;
    assert!(summary["different"].as_u64() <= Some(1) && summary["missing"] == 0, "what was mended stays so: {summary}");
    let summary = rebuilt(&site, &site.config(), &["overlay"]).await;
    assert_eq!(summary["different"], spoilt.wrong.iter().filter(|(kind, _)| kind == "overlay").count(), "{summary}");
    people.are_served("mended", BACK).await;
    let (findings, summary) = site.check().await;
    assert_eq!(findings, Vec::<Value>::new(), "{summary}");
    let lengths = lists.end().await;
    assert!(lengths.is_sorted(), "a list becomes shorter: {lengths:?}");
    assert_eq!((lengths.first(), lengths.last()), (Some(&(CONVERSATIONS - 3)), Some(&CONVERSATIONS)));
    people.finish().await.is_clean();
    is_as_a_replay_makes_it(&site).await;
    for what in ["views", "overlay"] {
        let summary = rebuilt(&site, &site.config(), &[what]).await;
        assert_eq!((&summary["different"], &summary["missing"], &summary["behind"]), (&0.into(), &0.into(), &0.into()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn views_move_alone_to_another_database_while_people_write() {
    if rounds().is_none() && stack() != STACK {
        return println!(
            "left out: the lists of all mixtures lie on PostgreSQL, and the short form moves those of {STACK}"
        );
    }
    let _alone = ALONE.lock().await;
    let mut site = Site::start().await;
    let people = People::of_everything(&site.base(), &site.claim).await;
    people.have_said(SAID).await;
    let owner = owner(&site, &people).await;
    let (_, seat) = people.a_seat().await;
    let page = owner.conversations(None).await.unwrap();
    let quiet: Vec<_> = page.items.iter().map(|item| item.id).filter(|id| *id != seat).collect();
    sets(&owner, quiet[0], SettingsChange { notify: None, favourite: Some(true) }).await;
    reads(&owner, quiet[1], 7).await;

    let (former, new) = (site.with_views_in("klatch"), site.with_views_in(MOVED));
    let postgres = site.database("postgres");
    postgres.query(&format!("CREATE DATABASE {MOVED}"), &[]).await.unwrap();
    let done = site.operator(&new, &["migrate"]).output().await.unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let from = ["views", "--from", former.to_str().unwrap()];
    let summary = rebuilt(&site, &new, &from).await;
    assert_eq!(summary["missing"], CONVERSATIONS, "{summary}");

    // Those that work go on with the former views.
    sets(&owner, quiet[0], SettingsChange { notify: Some(NotifyLevel::Mentions), favourite: None }).await;
    sets(&owner, quiet[2], SettingsChange { notify: Some(NotifyLevel::None), favourite: None }).await;
    reads(&owner, quiet[1], 5).await;
    reads(&owner, quiet[3], 3).await;
    let lists = Lists::watch(self::owner(&site, &people).await);
    let (visitor, visits) = Visitor::comes_to(&site, &people).await;
    site.views = MOVED;
    for process in PROCESSES {
        if process == "front1" {
            let summary = rebuilt(&site, &new, &from).await;
            println!("before the gateways: {summary}");
        }
        site.restart(&format!("klatch/{process}")).await;
        people.are_served(&format!("{process} has other views"), BACK).await;
    }
    let summary = rebuilt(&site, &new, &from).await;
    println!("after the gateways: {summary}");
    people.are_served("all have other views", BACK).await;
    visitor.goes(visits).await;
    let lengths = lists.end().await;
    assert!(lengths.iter().all(|length| *length == CONVERSATIONS), "{lengths:?}");

    let listed = owner.conversations(None).await.unwrap().items;
    let of = |id| listed.iter().find(|item| item.id == id).unwrap();
    let settings = of(quiet[0]).settings;
    assert_eq!((settings.favourite, settings.notify), (true, NotifyLevel::Mentions));
    assert_eq!(of(quiet[2]).settings.notify, NotifyLevel::None);
    assert_eq!([1, 3].map(|at| of(quiet[at]).read.seq), [5, 3], "what was marked as unread stays so");
    people.finish().await.is_clean();
    let begun = Instant::now();
    is_as_a_replay_makes_it(&site).await;
    println!("checked in {:?}", begun.elapsed());
    let (then, now) = (cursors(&site.database("klatch")).await, cursors(&site.database(MOVED)).await);
    assert_eq!(then.len(), now.len());
    for (whose, cursor) in then {
        assert!(now[&whose] >= cursor, "{whose:?} were at {cursor:?}, and are at {:?}", now[&whose]);
    }
}

/// The owner, who is in every conversation.
async fn owner(site: &Site, people: &People) -> Rest {
    let (tokens, _): (Tokens, _) = people.a_seat().await;
    Rest::new(&site.base(), tokens).unwrap()
}

async fn sets(owner: &Rest, conversation: Uuid, change: SettingsChange) {
    let path = format!("/me/conversations/{conversation}");
    let _: Conversation = owner.write(Method::PATCH, &path, Some(&change)).await.unwrap();
}

/// Says that they have read up to here, whatever they said before.
async fn reads(owner: &Rest, conversation: Uuid, seq: u64) {
    let path = format!("/conversations/{conversation}");
    let before: Conversation = owner.get(&path).await.unwrap();
    let read = Some(ReadMove { seq, version: before.read.version + 1 });
    let wanted = CursorMove { read, delivered: None };
    let _: ReadCursor = owner.write(Method::PUT, &format!("{path}/cursor"), Some(&wanted)).await.unwrap();
}

/// Runs `klatch rebuild` to its end, and returns its summary.
async fn rebuilt(site: &Site, config: &Path, words: &[&str]) -> Value {
    let words = [&["rebuild", "--json"], words].concat();
    let done = site.operator(config, &words).output().await.unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    let summary: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!((&summary["conversations"], &summary["failed"]), (&CONVERSATIONS.into(), &0.into()), "{said}");
    summary
}

/// Version and place of all cursors, in the database of views.
async fn cursors(views: &Database) -> BTreeMap<(String, String), (i64, i64)> {
    let sql = "SELECT conversation::text, person::text, version, read FROM views.own JOIN views.members
        USING (conversation, person, joined)";
    let rows = views.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| ((row.get(0), row.get(1)), (row.get(2), row.get(3)))).collect()
}

/// What was changed.
struct Spoilt {
    /// What a check finds: the kind, and the conversation.
    wrong: Vec<(String, String)>,
    /// Of which conversations the views are to be mended, in order, before the last one.
    before: Vec<String>,
    last: String,
}

/// Changes and deletes rows by hand, in a conversation of its own each.
async fn spoil(site: &Site, owner: Uuid) -> Spoilt {
    let database = site.database("klatch");
    let rows = database.query("SELECT conversation::text FROM views.heads ORDER BY conversation", &[]).await.unwrap();
    let ids: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let one = |table: &str, at: usize| {
        let id = &ids[at];
        format!("ctid = (SELECT ctid FROM {table} WHERE conversation = '{id}' ORDER BY seq LIMIT 1)")
    };
    let theirs = |at: usize| format!("conversation = '{}' AND person = '{owner}'", ids[at]);
    let mut changes = vec![
        // With the head it is not known how far the lists go: workers stop at that, until it is mended.
        format!("DELETE FROM views.heads WHERE conversation = '{}'", ids[0]),
        format!("DELETE FROM views.members WHERE {}", theirs(1)),
        format!("UPDATE views.conversations SET name = 'changed' WHERE id = '{}'", ids[2]),
        format!("DELETE FROM views.mentions WHERE {}", one("views.mentions", 3)),
        format!("UPDATE views.mentions SET seq = seq + 1000000 WHERE {}", one("views.mentions", 4)),
        format!("DELETE FROM views.own WHERE {}", theirs(5)),
    ];
    if !site.stack().contains("cassandra") {
        let other = format!("SELECT bytes FROM overlay WHERE conversation = '{}' ORDER BY seq DESC LIMIT 1", ids[0]);
        changes.push(format!("DELETE FROM overlay WHERE {}", one("overlay", 6)));
        changes.push(format!("UPDATE overlay SET bytes = ({other}) WHERE {}", one("overlay", 7)));
    }
    for change in &changes {
        let rows = database.query(&format!("{change} RETURNING 1"), &[]).await.unwrap();
        assert_eq!(rows.len(), 1, "{change}");
    }
    let views = (1..=5).map(|at| ("views".to_owned(), ids[at].clone()));
    let overlay = (6..changes.len()).map(|at| ("overlay".to_owned(), ids[at].clone()));
    let wrong = views.chain(overlay).collect();
    Spoilt { wrong, before: ids[..5].to_vec(), last: ids[5].clone() }
}

/// Waits until `klatch check` finds just this: what people write at the same time may keep it from comparing.
async fn is_found(site: &Site, wanted: &[(String, String)]) {
    let mut found = Vec::new();
    let is_found = async {
        loop {
            let (findings, _) = site.check().await;
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            found = findings.iter().map(|it| (text(&it["kind"]), text(&it["conversation"]))).collect();
            found.sort_by(|(_, one), (_, other)| one.cmp(other));
            if found == wanted {
                return;
            }
            sleep(REST).await;
        }
    };
    let is_found = timeout(FOLLOWING, is_found).await.is_ok();
    assert!(is_found, "{found:?} were found, not {wanted:?}");
}

/// Somebody looks at their list, again and again.
struct Lists {
    stop: CancellationToken,
    looking: JoinHandle<Vec<usize>>,
}

impl Lists {
    fn watch(owner: Rest) -> Self {
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let looking = tokio::spawn(async move {
            let mut lengths = Vec::new();
            while !stopped.is_cancelled() {
                lengths.push(owner.conversations(None).await.expect("who looks is answered").items.len());
                sleep(PACE).await;
            }
            lengths.push(owner.conversations(None).await.expect("who looks is answered").items.len());
            lengths
        });
        Self { stop, looking }
    }

    /// How long it was, each time.
    async fn end(self) -> Vec<usize> {
        self.stop.cancel();
        self.looking.await.unwrap()
    }
}

/// A row that nobody else can write.
struct Held {
    release: Arc<Notify>,
    holding: JoinHandle<()>,
}

impl Held {
    async fn row(database: Database, row: &str) -> Self {
        let (release, held) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (released, is_held) = (release.clone(), held.clone());
        let sql = format!("SELECT FROM {row} FOR UPDATE");
        let holding = tokio::spawn(async move {
            let job = database.locking(|transaction| {
                let (sql, released, is_held) = (sql.clone(), released.clone(), is_held.clone());
                Box::pin(async move {
                    step(transaction, &sql, &[]).await?;
                    is_held.notify_one();
                    released.notified().await;
                    Ok(())
                })
            });
            job.await.unwrap();
        });
        held.notified().await;
        Self { release, holding }
    }

    async fn release(self) {
        self.release.notify_one();
        self.holding.await.unwrap();
    }
}
