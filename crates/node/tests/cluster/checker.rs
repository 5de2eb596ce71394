//! What must be true of a conversation in the end, whatever died meanwhile: a pure function of what there is to see.

use std::collections::HashMap;

use uuid::Uuid;

/// An event: its place in the conversation, and its id.
pub type Placed = (u64, Uuid);

/// All that is known of one conversation.
#[derive(Clone, Default, Debug)]
pub struct Evidence {
    /// What is there, as its history is read.
    pub there: Vec<Placed>,
    /// What each writer said, in the order in which it was said, and which place they were told.
    pub told: Vec<Vec<(Uuid, Option<u64>)>>,
    /// What each listener was handed, in the order in which it came.
    pub heard: Vec<Vec<Placed>>,
    /// The head that the list of conversations shows.
    pub listed: u64,
}

/// What is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Finding {
    /// Something else stands where this place should be.
    Hole { place: u64, stands: u64 },
    /// An event is there a second time.
    Twice { id: Uuid, places: [u64; 2] },
    /// It was acknowledged, and is not there.
    Lost { id: Uuid, told: u64 },
    /// It was acknowledged at a place where it is not.
    Elsewhere { id: Uuid, told: u64, is: u64 },
    /// What one writer said stands before what they had said before it.
    OutOfOrder { writer: usize, id: Uuid },
    /// A writer was never told what became of it.
    Unanswered { writer: usize, id: Uuid },
    /// A listener was handed what does not follow what they had.
    HeardHole { listener: usize, after: u64, came: u64 },
    /// A listener was handed something else than what is there.
    HeardOtherwise { listener: usize, place: u64, id: Uuid },
    /// A listener was not handed everything.
    NotHeard { listener: usize, after: u64 },
    /// The list of conversations does not follow.
    NotListed { shows: u64, last: u64 },
}

/// Everything that is wrong with a conversation; nothing, if nothing is.
pub fn findings(evidence: &Evidence) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut places: HashMap<Uuid, u64> = HashMap::new();
    for (place, (stands, id)) in (1..).zip(&evidence.there) {
        if *stands != place {
            findings.push(Finding::Hole { place, stands: *stands });
        }
        if let Some(first) = places.get(id) {
            findings.push(Finding::Twice { id: *id, places: [*first, *stands] });
        } else {
            places.insert(*id, *stands);
        }
    }
    for (writer, told) in evidence.told.iter().enumerate() {
        findings.extend(promised(writer, told, &places));
    }
    let there: HashMap<u64, Uuid> = evidence.there.iter().copied().collect();
    let last = evidence.there.last().map_or(0, |(place, _)| *place);
    for (listener, heard) in evidence.heard.iter().enumerate() {
        findings.extend(listened(listener, heard, &there, last));
    }
    if evidence.listed != last {
        findings.push(Finding::NotListed { shows: evidence.listed, last });
    }
    findings
}

/// What one writer was told is so, and in the order in which they said it.
fn promised(writer: usize, told: &[(Uuid, Option<u64>)], places: &HashMap<Uuid, u64>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut before = 0;
    for (id, told) in told {
        let is = places.get(id).copied();
        match (*told, is) {
            (None, _) => findings.push(Finding::Unanswered { writer, id: *id }),
            (Some(told), None) => findings.push(Finding::Lost { id: *id, told }),
            (Some(told), Some(is)) if told != is => findings.push(Finding::Elsewhere { id: *id, told, is }),
            _ => {}
        }
        if let Some(is) = is {
            if is < before {
                findings.push(Finding::OutOfOrder { writer, id: *id });
            }
            before = is;
        }
    }
    findings
}

/// One listener heard what is there, from the first to the last, in order. What comes again they drop, if it is the same.
fn listened(listener: usize, heard: &[Placed], there: &HashMap<u64, Uuid>, last: u64) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut after = 0;
    for (place, id) in heard {
        if *place > after + 1 {
            findings.push(Finding::HeardHole { listener, after, came: *place });
        }
        if there.get(place) != Some(id) {
            findings.push(Finding::HeardOtherwise { listener, place: *place, id: *id });
        }
        after = after.max(*place);
    }
    if after < last {
        findings.push(Finding::NotHeard { listener, after });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    fn placed(numbers: &[u128]) -> Vec<Placed> {
        (1..).zip(numbers).map(|(place, number)| (place, id(*number))).collect()
    }

    /// Two write, three messages each, in turn; two listen. Nothing is wrong.
    fn all_is_well() -> Evidence {
        let there = placed(&[10, 20, 11, 21, 12, 22]);
        let said = |numbers: [u128; 3], first| (0..3).map(|n| (id(numbers[n]), Some(first + 2 * n as u64))).collect();
        let told = vec![said([10, 11, 12], 1), said([20, 21, 22], 2)];
        Evidence { heard: vec![there.clone(), there.clone()], listed: 6, there, told }
    }

    #[test]
    fn nothing_is_found_where_nothing_is_wrong() {
        assert_eq!(findings(&all_is_well()), []);
        let mut evidence = all_is_well();
        evidence.heard[0].insert(3, (2, id(20)));
        assert_eq!(findings(&evidence), [], "what comes again is dropped");
    }

    #[test]
    fn a_lost_message_is_found() {
        let mut evidence = all_is_well();
        evidence.there.pop();
        evidence.heard.iter_mut().for_each(|heard| heard.truncate(5));
        evidence.listed = 5;
        assert_eq!(findings(&evidence), [Finding::Lost { id: id(22), told: 6 }]);
    }

    #[test]
    fn an_acknowledgement_before_it_was_durable_is_found() {
        // Who was told first lost their place to somebody else.
        let mut evidence = all_is_well();
        evidence.told[0][2].1 = Some(6);
        assert_eq!(findings(&evidence), [Finding::Elsewhere { id: id(12), told: 6, is: 5 }]);
        evidence.told[0][2] = (id(13), Some(5));
        assert_eq!(findings(&evidence), [Finding::Lost { id: id(13), told: 5 }]);
    }

    #[test]
    fn a_doubled_message_is_found() {
        let mut evidence = all_is_well();
        evidence.there.push((7, id(12)));
        evidence.heard.iter_mut().for_each(|heard| heard.push((7, id(12))));
        evidence.listed = 7;
        assert_eq!(findings(&evidence), [Finding::Twice { id: id(12), places: [5, 7] }]);
    }

    #[test]
    fn a_hole_and_a_place_that_is_taken_twice_are_found() {
        let mut evidence = all_is_well();
        evidence.there.remove(3);
        let found = findings(&evidence);
        assert!(found.contains(&Finding::Hole { place: 4, stands: 5 }), "{found:?}");
        let mut evidence = all_is_well();
        evidence.there.insert(3, (3, id(99)));
        let found = findings(&evidence);
        assert!(found.contains(&Finding::Hole { place: 4, stands: 3 }), "{found:?}");
    }

    #[test]
    fn a_message_out_of_its_senders_order_is_found() {
        let mut evidence = all_is_well();
        evidence.told[1].swap(0, 1);
        assert_eq!(findings(&evidence), [Finding::OutOfOrder { writer: 1, id: id(20) }]);
    }

    #[test]
    fn an_answer_that_never_came_is_found() {
        let mut evidence = all_is_well();
        evidence.told[1][1].1 = None;
        assert_eq!(findings(&evidence), [Finding::Unanswered { writer: 1, id: id(21) }]);
    }

    #[test]
    fn what_listeners_miss_or_hear_otherwise_is_found() {
        let mut evidence = all_is_well();
        evidence.heard[0].remove(2);
        assert_eq!(findings(&evidence), [Finding::HeardHole { listener: 0, after: 2, came: 4 }]);
        let mut evidence = all_is_well();
        evidence.heard[1].truncate(4);
        assert_eq!(findings(&evidence), [Finding::NotHeard { listener: 1, after: 4 }]);
        let mut evidence = all_is_well();
        evidence.heard[1][2].1 = id(99);
        assert_eq!(findings(&evidence), [Finding::HeardOtherwise { listener: 1, place: 3, id: id(99) }]);
        let mut evidence = all_is_well();
        evidence.heard[1].swap(2, 3);
        assert_eq!(findings(&evidence), [Finding::HeardHole { listener: 1, after: 2, came: 4 }], "another order");
    }

    #[test]
    fn a_list_that_stands_still_is_found() {
        let evidence = Evidence { listed: 5, ..all_is_well() };
        assert_eq!(findings(&evidence), [Finding::NotListed { shows: 5, last: 6 }]);
    }
}
