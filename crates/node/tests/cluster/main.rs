//! A cluster of real processes behind HAProxy, as `make cluster` starts it. Everything in it dies, and every link in it is cut and slow,
//! while people write; nothing that was acknowledged may be lost, doubled, or out of its order, whoever listens hears all of it, people
//! are served again soon, and everything that follows from the log is what a replay of it makes. `KLATCH_STACK` says on which servers, and
//! `KLATCH_ROUNDS` how often; then it is the long form. With `KLATCH_LINK` only the links that have this in their names are broken, each
//! in every way and for as long as in the long form.
#![expect(clippy::unwrap_used, reason = "in tests")]

mod away;
mod checker;
mod crashes;
mod links;
mod listeners;
mod owners;
mod partitions;
mod people;
mod proof;
mod rebuilt;
mod report;
mod rolling;
mod site;
mod spread;
mod three;
mod writers;

use std::time::{Duration, Instant};

use crashes::is_as_a_replay_makes_it;
use links::Fault;
use people::People;
use site::Site;
use tokio::sync::Mutex;
use tokio::time::sleep;

/// Within which another process has taken over the work of one that stays dead.
const TAKEN_OVER: Duration = Duration::from_secs(15);
/// Within which people are served again when what was alone is back, or mended.
const BACK: Duration = Duration::from_secs(10);
/// How long a link is cut; and in the long form, now and then.
const CUT: Duration = Duration::from_secs(1);
const LONG_CUT: Duration = Duration::from_secs(30);

/// One site at a time: two would only slow each other down.
static ALONE: Mutex<()> = Mutex::const_new(());

/// How many rounds are asked for, if it is the long form.
fn rounds() -> Option<usize> {
    std::env::var("KLATCH_ROUNDS").ok().map(|rounds| rounds.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_may_die_while_people_write() {
    let _alone = ALONE.lock().await;
    let site = Site::start().await;
    let people = People::of_everything(&site.base(), &site.claim).await;
    people.are_served("at first", BACK).await;
    for round in 0..rounds().unwrap_or(1) {
        // Of those that are there twice another one takes over.
        for process in ["front", "processor", "worker"] {
            let process = format!("klatch/{process}{}", 1 + round % 2);
            site.kill(&process);
            people.are_served(&format!("{process} is dead"), TAKEN_OVER).await;
            site.revive().await;
            people.are_served(&format!("{process} is back"), BACK).await;
        }
        // Another one takes over from an owner who only rests; and then the owner wakes up, and believes that nothing has happened.
        let owner = format!("klatch/processor{}", 2 - round % 2);
        site.pause(&owner);
        people.are_served(&format!("{owner} is paused"), TAKEN_OVER).await;
        site.wake(&owner);
        people.are_served(&format!("{owner} is awake"), BACK).await;
        for server in site.servers() {
            site.kill(&server);
            site.revive().await;
            people.are_served(&format!("{server} is back"), BACK).await;
        }
    }
    people.finish().await.is_clean();
    is_as_a_replay_makes_it(&site).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_link_may_be_cut_and_slow_while_people_write() {
    let _alone = ALONE.lock().await;
    let begun = Instant::now();
    let site = Site::linked().await;
    let people = People::of_everything(&site.base(), &site.claim).await;
    people.are_served("at first", BACK).await;
    site.has_only_links();
    let only = std::env::var("KLATCH_LINK").ok();
    let (mut faults, mut felt) = (0, 0);
    for round in 0..rounds().unwrap_or(1) {
        // Of those that are there twice, one in each round.
        let of_the_other = format!("{}", 2 - round % 2);
        let ways = site.ways.iter().filter(|way| !way.name.split(' ').any(|part| part.ends_with(&of_the_other)));
        let ways = ways.filter(|way| only.as_ref().is_none_or(|only| way.name.contains(only)));
        for (number, way) in ways.enumerate() {
            let chosen = if only.is_some() { Fault::ALL.to_vec() } else { chosen(number) };
            for (turn, fault) in chosen.into_iter().enumerate() {
                // In each round another one of them is long.
                let is_turn = (round + number + turn).is_multiple_of(Fault::ALL.len());
                let is_long = only.is_some() || rounds().is_some() && is_turn;
                let cut = if is_long { LONG_CUT } else { CUT };
                let what = format!("{}: {fault:?} for {cut:?}", way.name);
                let before = way.met();
                way.suffers(fault);
                sleep(cut).await;
                if fault == Fault::Slow {
                    people.are_served(&format!("{what}, meanwhile"), BACK).await;
                }
                way.is_mended();
                let met = way.met() - before;
                let what = format!("{what}, met {met} times");
                people.are_served(&what, BACK).await;
                faults += 1;
                felt += usize::from(met > 0);
            }
        }
    }
    people.finish().await.is_clean();
    is_as_a_replay_makes_it(&site).await;
    site.has_only_links();
    println!("{faults} faults of links, of which {felt} met something on its way, in {:?}", begun.elapsed());
    assert!(faults > 0 && 2 * felt >= faults, "links that nothing goes over prove nothing");
}

/// Which faults a link has: all of them in the long form; in the short, it is cut both ways, and has one of the others in turn.
fn chosen(number: usize) -> Vec<Fault> {
    let [cut, others @ ..] = Fault::ALL;
    let others = if rounds().is_some() { others.to_vec() } else { vec![others[number % others.len()]] };
    [vec![cut], others].concat()
}
