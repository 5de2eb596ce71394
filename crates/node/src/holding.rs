//! Commands that are held back while something changes, and were not.

use anyhow::anyhow;
use klatch_server::partitioning::NotHeld;

use crate::engines;

/// What an operator can do about commands that were not held back, for something that so did not happen.
pub fn not_held(outcome: &str, failure: NotHeld) -> anyhow::Error {
    let advice = match failure {
        NotHeld::Failed(error) => return engines::whole(error),
        NotHeld::Changing => "wait for it; one whose command was killed ends after 10 s",
        NotHeld::Silent(_) => {
            "each may send for an hour from when it was last heard, also where it does not reach the database. Start or mend \
             it; if it is dead, and you are sure, add `--gone NAME`"
        }
        NotHeld::Late(_) => {
            "look whether they run and reach the directory's database, and try again. If one is dead, and you are sure, add `--gone NAME`"
        }
        NotHeld::Living(_) => "leave them out of `--gone`, or stop them first",
        NotHeld::Ended => "try again",
        NotHeld::NotDrained(_) => {
            "look whether processors run and the log's database is well, and try again when little waits"
        }
    };
    anyhow!("{outcome}: {failure}; {advice}")
}
