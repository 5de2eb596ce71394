//! The number of partitions is raised while people write. Whatever stands in the way of that leaves it as it was, and in no case is
//! anything lost, doubled, or out of its sender's order.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;

use crate::crashes::is_as_a_replay_makes_it;
use crate::people::People;
use crate::site::Site;
use crate::{ALONE, BACK};

/// More partitions each time.
const MORE: u64 = 5;
/// Milliseconds: one who was heard of so lately is taken for alive for long enough that a change begins.
const HEARD: u64 = 2_000;
/// Within which a change that somebody began is seen, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn partitions_are_added_while_people_write() {
    let _alone = ALONE.lock().await;
    let site = Site::start().await;
    let people = People::of_everything(&site.base(), &site.claim).await;
    people.are_served("at first", BACK).await;
    let first = seen(&site).await;
    assert_eq!(first["senders"].as_array().unwrap().len(), 2, "both fronts send: {first}");
    let first = first["partitions"].as_u64().unwrap();

    let second = first + MORE;
    let done = set(&site, second).await.unwrap();
    println!("{first} partitions became {second}; commands waited for {} ms at most", done["held_ms"]);
    people.are_served("more partitions", BACK).await;
    let fewer = set(&site, first).await.unwrap_err();
    assert!(fewer.contains(&format!("there are {second} partitions: their number can only become greater")), "{fewer}");

    let many = set(&site, 5_000).await.unwrap_err();
    assert!(
        many.contains("there are at most 4096 partitions"),
        "before queues are made that nobody can take away: {many}"
    );

    // One who sends is not heard of, and may go on at any time.
    let third = second + MORE;
    site.pause("klatch/front1");
    let refused = set(&site, third).await.unwrap_err();
    assert!(refused.contains("there are as many partitions as before: not all"), "{refused}");
    people.are_served("a change was given up", BACK).await;
    // And whoever drives a change dies, which lasts for a while as long as one was heard of who does not answer.
    site.wake("klatch/front1");
    let are_heard = async { while !silences(&seen(&site).await).iter().all(|(_, silent)| *silent < HEARD) {} };
    timeout(PATIENCE, are_heard).await.expect("who is awake is heard of");
    site.pause("klatch/front1");
    let mut driver = site.operator(&site.config(), &["partitions", "--set", &third.to_string()]).spawn().unwrap();
    let is_changing = async {
        while seen(&site).await["changing_to"] != third {
            assert!(driver.try_wait().unwrap().is_none(), "it ended before it was seen");
        }
    };
    timeout(PATIENCE, is_changing).await.expect("it begins");
    driver.kill().await.unwrap();
    site.wake("klatch/front1");
    // A change that nobody drives lasts for another 10 s.
    people.are_served("whoever drove a change is dead", 2 * BACK).await;
    assert_eq!(seen(&site).await["partitions"], second);

    // A process that died sends no more, and only an operator knows that.
    site.kill("klatch/front2");
    site.revive().await;
    people.are_served("a front was killed", BACK).await;
    let refused = set(&site, third).await.unwrap_err();
    let (dead, _) = silences(&seen(&site).await).into_iter().max_by_key(|(_, silent)| *silent).unwrap();
    assert!(refused.contains(&dead), "{dead} is not named: {refused}");
    let done = run(&site, &["--set", &third.to_string(), "--gone", &dead]).await.unwrap();
    println!("{second} partitions became {third}; commands waited for {} ms at most", done["held_ms"]);
    people.are_served("more partitions again", BACK).await;
    let last = seen(&site).await;
    assert_eq!((last["partitions"].as_u64(), last["changing_to"].is_null()), (Some(third), true), "{last}");
    people.finish().await.is_clean();
    is_as_a_replay_makes_it(&site).await;
}

/// What is said of them.
pub async fn seen(site: &Site) -> Value {
    run(site, &[]).await.unwrap()
}

/// Raises their number; or why it was left as it was.
pub async fn set(site: &Site, partitions: u64) -> Result<Value, String> {
    run(site, &["--set", &partitions.to_string()]).await
}

/// What the command says, or what it complains of.
async fn run(site: &Site, arguments: &[&str]) -> Result<Value, String> {
    let mut command = site.operator(&site.config(), &["partitions"]);
    let done = command.arg("--json").args(arguments).stdin(Stdio::null()).output().await.unwrap();
    match done.status.success() {
        true => Ok(serde_json::from_slice(&done.stdout).unwrap()),
        false => Err(String::from_utf8(done.stderr).unwrap()),
    }
}

/// Who sends, and for how long nothing was heard of them.
fn silences(seen: &Value) -> Vec<(String, u64)> {
    let senders = seen["senders"].as_array().unwrap().iter();
    senders.map(|it| (it["name"].as_str().unwrap().to_owned(), it["silent_ms"].as_u64().unwrap())).collect()
}
