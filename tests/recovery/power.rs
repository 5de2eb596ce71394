//! Rounds of losing power: at any moment, at named places, with everything lost that was not synced or a random part of it.

use std::collections::BTreeMap;

use klatch_forgetful::Loss;

use super::child::{End, Fate};
use super::load::IN_FLIGHT_MIN;
use super::site::{Plan, Round, Site};

/// Rounds in CI; `make test-long` sets `KLATCH_ROUNDS`.
const ROUNDS: u64 = 50;
/// Rounds of one site: each adds to what must be there, and is compared with a replay, after the next.
const ROUNDS_PER_SITE: u64 = 10;
/// How often each named place ends a node in [`ROUNDS`].
const HITS_MIN: u64 = 3;

/// Named places at which a node dies by itself: how they are told, and how it is made to die there.
const PLACES: [&str; 7] = [
    "before_append",
    AFTER_APPEND,
    "after_sync",
    "between_log_and_views",
    "after_views",
    "after_acknowledgement",
    DURING_SNAPSHOT,
];
/// Written, and not synced: between two calls of the store that only the disk sees.
const AFTER_APPEND: &str = "after_append";
const DURING_SNAPSHOT: &str = "during_snapshot";

/// How nodes died, how often, and what people had done by then.
#[derive(Default)]
struct Report(BTreeMap<&'static str, Line>);

#[derive(Default)]
struct Line {
    rounds: u64,
    commands: usize,
    acknowledged: usize,
    in_flight_min: Option<usize>,
}

impl Report {
    fn take(&mut self, name: &'static str, round: &Round) {
        let line = self.0.entry(name).or_default();
        line.rounds += 1;
        line.commands += round.book.len();
        line.acknowledged += round.acknowledged;
        line.in_flight_min = Some(line.in_flight_min.map_or(round.in_flight, |least| least.min(round.in_flight)));
    }

    fn print(&self) {
        println!("{:>22} {:>7} {:>9} {:>9} {:>18}", "died", "rounds", "commands", "saved", "in flight at least");
        for (name, Line { rounds, commands, acknowledged, in_flight_min }) in &self.0 {
            let in_flight = in_flight_min.unwrap_or_default();
            println!("{name:>22} {rounds:>7} {commands:>9} {acknowledged:>9} {in_flight:>18}");
        }
    }

    fn hits(&self, name: &str) -> u64 {
        self.0.get(name).map_or(0, |line| line.rounds)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_loss_of_power() {
    let rounds = std::env::var("KLATCH_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().expect("a number"));
    let (mut report, mut busy) = (Report::default(), 0);
    let mut site = Site::new().await;
    for number in 0..rounds {
        if number > 0 && number % ROUNDS_PER_SITE == 0 {
            site = Site::new().await;
        }
        let (name, fate, plan) = round(number);
        let what = format!("round {number}, {fate:?}, {plan:?}");
        let done = site.round(&fate, &plan).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(done.findings.is_empty(), "{what}: {:#?}", done.findings);
        busy += u64::from(done.in_flight >= IN_FLIGHT_MIN);
        assert_eq!(site.disk.escapes().expect("a disk that counts"), 0, "something was written behind its back");
        report.take(name, &done);
    }
    report.print();
    // How many are in flight when a node dies depends on who of the two is slow just then; in a run it must be many, most often.
    assert!(busy * 2 > rounds, "{IN_FLIGHT_MIN} commands or more were in flight in only {busy} of {rounds} rounds");
    for place in PLACES {
        let hits = report.hits(place);
        assert!(hits >= HITS_MIN * rounds / ROUNDS, "{place} ended a node in only {hits} rounds");
    }
}

/// Every second round ends at a place that has a name; of the others one half when somebody pulls the plug, one half before
/// some write or sync of the disk.
fn round(number: u64) -> (&'static str, Fate, Plan) {
    // The two ways of losing take turns at each of the places.
    let loss = if (number / 2).is_multiple_of(2) { Loss::Everything } else { Loss::Some { seed: number } };
    let plan = Plan { enough: 300 + (number as usize * 37) % 900, loss, ..Plan::default() };
    let (name, end) = match number % 4 {
        1 => ("the plug is pulled", End::Plug),
        3 => ("before a write or sync", End::Operation(1 + number * 7 % 400)),
        _ => {
            let name = PLACES[(number / 2) as usize % PLACES.len()];
            let passes = 1 + number / 2 * 5 % 12;
            match name {
                AFTER_APPEND => (name, End::BeforeSync(passes as u32)),
                // Each is thousands of events after the one before.
                DURING_SNAPSHOT => (name, End::Point(name, 1)),
                _ => (name, End::Point(name, passes)),
            }
        }
    };
    let conversations = if name == DURING_SNAPSHOT { 1 } else { plan.conversations };
    (name, Fate { end, ..Fate::default() }, Plan { conversations, ..plan })
}
