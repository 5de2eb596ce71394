//! A cluster grows because nothing in it sees everything: under load no process, no partition of the queue and no table takes a write
//! for every message.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use klatch_client::{Gateway, Rest, new_id};
use klatch_protocol::gateway::{ClientFrame, ServerFrame};
use klatch_protocol::objects::{Body, CommandBody, ConversationKind, NewCommand, Slug};
use klatch_protocol::rest::{InviteItem, NewConversation, NewInvite};
use reqwest::Method;
use tokio::process::Command;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::ALONE;
use crate::people::{FOLLOWING, REST, in_the_end, sign_up};
use crate::site::Site;

/// As many people, each of whom has so many messages on their way at once, over as many conversations.
const PEOPLE: usize = 16;
const EACH: usize = 150;
const GROUPS: usize = 24;
/// What takes more of the messages than this takes, in effect, all of them.
const SHARE_MAX: f64 = 0.9;

/// Counters, by what they count.
type Counts = BTreeMap<String, f64>;

/// The counters of this name of all processes, by process and labels.
async fn counters(site: &Site, processes: &[&str], name: &str) -> Counts {
    let mut counts = Counts::new();
    for process in processes {
        let page = site.metrics(process).await;
        for line in page.lines().filter(|line| line.starts_with(name)) {
            let (labelled, value) = line.rsplit_once(' ').unwrap();
            counts.insert(format!("{process} {labelled}"), value.parse().unwrap());
        }
    }
    counts
}

/// Rows that were written, by table.
async fn rows(site: &Site) -> Counts {
    let question = "SELECT schemaname || '.' || relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_user_tables";
    let mut psql = Command::new("psql");
    psql.args(["-qAtF ", "-U", "postgres", "-d", "klatch", "-h", &site.address(1), "-c", question]);
    let answer = String::from_utf8(psql.output().await.unwrap().stdout).unwrap();
    let row = |line: &str| line.split_once(' ').map(|(table, rows)| (table.to_owned(), rows.parse().unwrap()));
    answer.lines().filter_map(row).collect()
}

const FRONTS: [&str; 2] = ["front1", "front2"];
const PROCESSORS: [&str; 2] = ["processor1", "processor2"];
const WORKERS: [&str; 2] = ["worker1", "worker2"];

/// Everything that is counted.
async fn counts(site: &Site) -> [Counts; 4] {
    [
        counters(site, &FRONTS, "klatch_commands_submitted_total").await,
        counters(site, &PROCESSORS, "klatch_events_appended_total").await,
        counters(site, &WORKERS, "klatch_events_projected_total").await,
        rows(site).await,
    ]
}

fn subtract(counts: &mut Counts, before: &Counts) {
    for (key, count) in counts {
        *count -= before.get(key).copied().unwrap_or_default();
    }
}

/// Added up by what `of` makes of a key.
fn added<'a>(counts: &'a Counts, of: impl Fn(&'a str) -> &'a str) -> Counts {
    let mut sums = Counts::new();
    for (key, count) in counts {
        *sums.entry(of(key).to_owned()).or_default() += count;
    }
    sums
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_takes_a_write_for_every_message() {
    let _alone = ALONE.lock().await;
    let site = Site::start().await;
    let (people, groups) = crowd(&site).await;
    timeout(FOLLOWING, until_shared(&site, &people, &groups)).await.expect("those who came first share the work");
    let messages = (PEOPLE * EACH) as f64;
    let grown = said(&site, &people, &groups, EACH).await;
    let by_partition = added(&grown[0], |key| key.split_once(' ').map_or("", |(_, partition)| partition));
    let takers = [by_process(&grown[0]), by_process(&grown[1]), by_process(&grown[2]), by_partition, grown[3].clone()];
    for (what, counts) in ["fronts", "processors", "workers", "partitions", "tables"].iter().zip(&takers) {
        let mut most: Vec<_> = counts.iter().map(|(key, count)| (count / messages, key)).collect();
        most.sort_by(|one, other| other.0.total_cmp(&one.0));
        println!("{what}, writes a message: {:.3?}", &most[..most.len().min(4)]);
        assert!(most[0].0 <= SHARE_MAX, "{} takes {:.2} writes a message", most[0].1, most[0].0);
    }
    let partitions: f64 = takers[3].values().sum();
    assert!(partitions >= messages, "{partitions} commands of {messages} were counted");
}

/// Whoever starts first has all of the work, and shares it with those that come: as soon as something comes, since before then it does
/// not know what it has.
async fn until_shared(site: &Site, people: &[Arc<Rest>], groups: &[Uuid]) {
    loop {
        let grown = said(site, people, groups, EACH / 10).await;
        let has_part = |kind: &Counts, process: &str| {
            let count = by_process(kind).get(process).copied().unwrap_or_default();
            count > (1.0 - SHARE_MAX) * sum(kind, |_| true)
        };
        let share = |kind, processes: [&str; 2]| processes.iter().all(|process| has_part(kind, process));
        if share(&grown[1], PROCESSORS) && share(&grown[2], WORKERS) {
            return;
        }
    }
}

/// What is counted while everybody says so much.
async fn said(site: &Site, people: &[Arc<Rest>], groups: &[Uuid], each: usize) -> [Counts; 4] {
    let before = counts(site).await;
    let messages = (PEOPLE * each) as f64;
    let mut talking = JoinSet::new();
    for (number, rest) in people.iter().enumerate() {
        talking.spawn(talk(rest.clone(), number, groups.to_vec(), each));
    }
    while let Some(done) = talking.join_next().await {
        done.unwrap();
    }
    // PostgreSQL counts a second later or so.
    let all = async {
        loop {
            let mut grown = counts(site).await;
            grown.iter_mut().zip(&before).for_each(|(counts, before)| subtract(counts, before));
            let is_logged = sum(&grown[3], |key| key.contains("event_log_")) >= messages;
            if sum(&grown[2], |_| true) >= messages && (is_logged || site.stack().contains("cassandra")) {
                return grown;
            }
            sleep(REST).await;
        }
    };
    timeout(FOLLOWING, all).await.expect("everything is counted")
}

fn by_process(counts: &Counts) -> Counts {
    added(counts, |key| key.split(' ').next().unwrap_or_default())
}

fn sum(counts: &Counts, is_meant: impl Fn(&str) -> bool) -> f64 {
    counts.iter().filter(|(key, _)| is_meant(key)).map(|(_, count)| count).sum()
}

/// People who are all in the same conversations.
async fn crowd(site: &Site) -> (Vec<Arc<Rest>>, Vec<Uuid>) {
    let (owner, _) = sign_up(&site.base(), "owner", &site.claim).await;
    let uses = NewInvite { uses: Some(PEOPLE as u32), ..NewInvite::default() };
    let invite: InviteItem = owner.write(Method::POST, "/invites", Some(&uses)).await.unwrap();
    let invite = invite.token.unwrap();
    let (mut people, mut members) = (Vec::new(), Vec::new());
    for number in 0..PEOPLE {
        let (rest, id) = sign_up(&site.base(), &format!("p{number}"), &invite).await;
        people.push(Arc::new(rest));
        members.push(id);
    }
    let mut groups = Vec::new();
    for number in 0..GROUPS {
        let (id, kind, name) = (new_id(), ConversationKind::Group, format!("group {number}"));
        let (topic, members) = (String::new(), members.clone());
        let wanted = NewConversation { id, kind, name, topic, history: None, members, with: None };
        groups.push(in_the_end(|| owner.create(&wanted)).await.id);
    }
    (people, groups)
}

/// Says everything at once, and waits until all of it is saved.
async fn talk(rest: Arc<Rest>, number: usize, groups: Vec<Uuid>, each: usize) {
    let (mut gateway, _) = Gateway::connect(rest.base(), &rest.tokens().await.access).await.unwrap();
    let mut waiting = HashMap::new();
    for turn in 0..each {
        let body = Body::Text { text: format!("number {turn}"), emote: false };
        let command = CommandBody::Send { body, mentions: Vec::new(), replies: Vec::new(), thread: None };
        let new = NewCommand { id: new_id(), command, seen: Some(1), after: None, claimed_at: None };
        let conversation = groups[(number + turn) % groups.len()];
        gateway.send(&ClientFrame::Command { conversation, new: new.clone() }).await.unwrap();
        waiting.insert(new.id, (conversation, new));
    }
    while !waiting.is_empty() {
        match gateway.next().await.unwrap().unwrap() {
            ServerFrame::Committed { id, .. } => drop(waiting.remove(&id)),
            // So much at once may be more than the queue confirms in time; clients send it again, as it was.
            ServerFrame::Rejected { id, problem, .. } if problem.slug() == Some(Slug::Unavailable) => {
                let (conversation, new) = waiting[&id].clone();
                gateway.send(&ClientFrame::Command { conversation, new }).await.unwrap();
            }
            ServerFrame::Rejected { problem, .. } => panic!("refused: {problem:?}"),
            _ => {}
        }
    }
}
