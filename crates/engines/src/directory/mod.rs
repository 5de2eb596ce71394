//! Who is this, on which devices, with which sessions?

pub mod postgres;
pub mod sqlite;

use klatch_ports::Error;
use klatch_ports::directory::{Registration, Role, Standing, State};

// Enums lie in columns as numbers, which never change their meaning: the place of a value is its number.
const ROLES: [Role; 2] = [Role::Member, Role::Owner];
const STATES: [State; 3] = [State::Active, State::Closed, State::Imported];
const REGISTRATIONS: [Registration; 3] = [Registration::Invite, Registration::Open, Registration::Closed];

/// The number of a site that arrives.
const ARRIVING: i16 = 1;

/// A standing as it lies in columns: its number, and where a site moved to, or by which move it leaves.
fn columns_of(standing: &Standing) -> (i16, Option<&str>) {
    match standing {
        Standing::Here => (0, None),
        Standing::Arriving => (ARRIVING, None),
        Standing::Abandoned => (2, None),
        Standing::Leaving(by) => (4, Some(by)),
        Standing::Moved(to) => (3, Some(to)),
    }
}

/// The standing that lies in columns so.
fn standing_of(number: i16, target: Option<String>) -> Result<Standing, Error> {
    match (number, target) {
        (0, None) => Ok(Standing::Here),
        (ARRIVING, None) => Ok(Standing::Arriving),
        (2, None) => Ok(Standing::Abandoned),
        (4, Some(by)) => Ok(Standing::Leaving(by)),
        (3, Some(to)) => Ok(Standing::Moved(to)),
        _ => Err(Error::corrupt(format!("no standing of a site has the number {number}"))),
    }
}

/// The number of a value.
fn code<T: PartialEq>(all: &[T], value: &T) -> usize {
    all.iter().position(|one| one == value).expect("all values are there")
}

/// Name and display name as a search looks for them. A line break stands between the two, which no name has: so nothing is found
/// across.
fn searched(name: &str, display_name: &str) -> String {
    format!("{name}\n{}", display_name.to_lowercase())
}
