//! What is noted for the report of the long form (`scripts/faults`): a line for each time that people were served again.

use std::fs::OpenOptions;
use std::io::Write;
use std::time::Duration;

use crate::site::stack;

/// The environment variable that names the file, to which lines are added.
const FILE: &str = "KLATCH_FAULTS";

/// Notes after what people were served again, within which time that was promised, and how long it took.
pub fn note(what: &str, promised: Duration, took: Duration) {
    let Ok(file) = std::env::var(FILE) else { return };
    let line = format!("{}\t{}\t{}\t{}\n", stack(), kind(what), promised.as_millis(), took.as_millis());
    // One write, so that lines of several processes do not mix.
    OpenOptions::new().create(true).append(true).open(file).unwrap().write_all(line.as_bytes()).unwrap();
}

/// What is the same in each round, and for each of several that are alike: `klatch/front2 is dead` is `front is dead`.
fn kind(what: &str) -> String {
    let same = [", met ", ", round "].iter().fold(what, |what, end| what.split(end).next().unwrap_or(what));
    let mut kind = String::new();
    for letter in same.replace("klatch/", "").chars() {
        let is_number_of =
            letter.is_ascii_digit() && kind.ends_with(|before: char| before.is_alphabetic() || before == '/');
        if !is_number_of {
            kind.push(letter);
        }
    }
    kind.replace('/', "")
}

#[test]
fn what_is_alike_is_of_one_kind() {
    for (what, is) in [
        ("klatch/front2 is dead", "front is dead"),
        ("rabbitmq/3 is back", "rabbitmq is back"),
        ("one of three, kafka/2 is dead, round 7", "one of three, kafka is dead"),
        ("processor1 to Redis: CutBack for 30s, met 4 times", "processor to Redis: CutBack for 30s"),
    ] {
        assert_eq!(kind(what), is);
    }
}
