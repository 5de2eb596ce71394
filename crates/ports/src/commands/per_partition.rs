//! What an engine has for each partition that it knows. There are more of them after [`Commands::grow`](super::Commands::grow), and
//! never fewer.

use std::sync::{Arc, PoisonError, RwLock};

use crate::{Error, ErrorKind};

/// One for each partition.
pub struct PerPartition<T>(RwLock<Vec<Arc<T>>>);

impl<T> PerPartition<T> {
    /// So many, made one after the other.
    pub fn new(count: usize, make: impl Fn(usize) -> T) -> Self {
        Self(RwLock::new((0..count).map(|partition| Arc::new(make(partition))).collect()))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// That of this partition.
    ///
    /// # Errors
    /// `Broken` as [`unknown`] says.
    pub fn get(&self, partition: usize) -> Result<Arc<T>, Error> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(partition).cloned().ok_or_else(|| unknown(partition))
    }

    /// All of them.
    pub fn all(&self) -> Vec<Arc<T>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes those that are not there of so many.
    pub fn grow(&self, count: usize, make: impl Fn(usize) -> T) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let more = all.len()..count;
        all.extend(more.map(|partition| Arc::new(make(partition))));
    }
}

/// `Broken`: this process was not told that there is such a partition.
pub fn unknown(partition: usize) -> Error {
    let sentence = format!("this process has not learned of partition {partition}: is it one of those that there are?");
    Error::new(ErrorKind::Broken, sentence)
}
