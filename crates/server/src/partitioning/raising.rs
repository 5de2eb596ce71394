//! More partitions while people write: while everybody holds back, the map changes, and what was held goes by the new one.

use std::time::Duration;

use klatch_ports::Error;
use klatch_ports::partitions::Map;

use super::holding::{Hold, NotHeld};
use crate::services::Services;

/// What was done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Raised {
    /// As many as there were.
    pub before: usize,
    /// From when somebody may have begun to hold commands back.
    pub held: Duration,
}

/// Why everything is as it was.
#[derive(thiserror::Error, Debug)]
pub enum NotRaised {
    /// Queues are only added.
    #[error("there are {0} partitions: their number can only become greater")]
    NotMore(usize),
    /// There are fewer slots.
    #[error("there are at most {} partitions", super::SLOTS)]
    TooMany,
    /// People went on writing.
    #[error(transparent)]
    NotHeld(#[from] NotHeld),
}

impl From<Error> for NotRaised {
    fn from(error: Error) -> Self {
        NotHeld::from(error).into()
    }
}

/// Whether there can be so many, before queues are made for them.
///
/// # Errors
/// As [`NotRaised`] says.
pub fn is_possible(map: Map, partitions: usize) -> Result<(), NotRaised> {
    match map.change {
        Some(_) => Err(NotHeld::Changing.into()),
        None if partitions <= map.partitions => Err(NotRaised::NotMore(map.partitions)),
        None if partitions > super::SLOTS => Err(NotRaised::TooMany),
        None => Ok(()),
    }
}

/// Makes the number of partitions greater; the queues must have been made. `gone` are senders that are dead for sure.
///
/// # Errors
/// As [`NotRaised`] says: then everything is as it was.
pub async fn raise(services: &Services, partitions: usize, gone: &[String]) -> Result<Raised, NotRaised> {
    let map = services.partitioning.port.map(services.clock.now()).await?;
    is_possible(map, partitions)?;
    let hold = Hold::begin(services, map.partitions, partitions, gone).await?;
    Ok(Raised { before: map.partitions, held: hold.finish().await? })
}
