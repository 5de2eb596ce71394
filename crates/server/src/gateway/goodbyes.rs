//! Goodbyes of a node that leaves: said to one after the other, since each of those who are told is greeted by another node at once.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Goodbyes within a second, at most, where there is time for that.
const PER_SECOND: u32 = 500;
/// Timers are at times so late. What is later was held up, and what was missed then is not made up for at once.
const LATE_MAX: Duration = Duration::from_millis(5);

/// Says goodbye to one after the other, and to all of them `within` this time.
pub async fn say<T>(to: Vec<T>, within: Duration, goodbye: impl Fn(T)) {
    let (mut due, mut left) = (Instant::now(), to.len());
    let end = due + within;
    for one in to {
        sleep_until(due).await;
        goodbye(one);
        due = next(due, Instant::now(), end, left);
        left -= 1;
    }
}

/// When the next one is due, if one was `due` and was said `now`, and `left` were left with that.
fn next(due: Instant, now: Instant, end: Instant, left: usize) -> Instant {
    let left = u32::try_from(left).unwrap_or(u32::MAX).max(1);
    let pace = (Duration::from_secs(1) / PER_SECOND).min(end.saturating_duration_since(due) / left);
    if due + LATE_MAX < now { now + pace } else { due + pace }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When each of so many goodbyes is said, if nothing runs for `held_up` before the one in the middle.
    fn said(count: usize, within: Duration, held_up: Duration) -> Vec<Duration> {
        let begun = Instant::now();
        let (mut due, mut now, mut said) = (begun, begun, Vec::new());
        for number in 0..count {
            now = now.max(due);
            if number == count / 2 {
                now += held_up;
            }
            said.push(now - begun);
            due = next(due, now, begun + within, count - number);
        }
        said
    }

    #[test]
    fn there_are_never_more_in_a_second_than_may_be_whatever_held_them_up() {
        for held_up in [0, 4, 700, 5_000] {
            let said = said(2_000, Duration::from_secs(15), Duration::from_millis(held_up));
            // One that is a little late is no reason to be late with all that follow.
            let least = Duration::from_secs(1) - LATE_MAX;
            assert!(said.windows(501).all(|of| of[500] - of[0] >= least), "held up for {held_up} ms");
        }
    }

    #[test]
    fn all_are_said_within_the_time_that_there_is_and_not_at_once() {
        let within = Duration::from_secs(1);
        for held_up in [0, 300] {
            let said = said(10_000, within, Duration::from_millis(held_up));
            assert!(said[9_999] <= within, "{:?}", said[9_999]);
            assert!(said[9_999] - said[5_000] >= Duration::from_millis(150));
        }
        assert_eq!(said(10, Duration::ZERO, Duration::ZERO)[9], Duration::ZERO, "no time is none");
    }
}
