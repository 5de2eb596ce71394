//! An append on its way: what it is known by, where it goes, and what of it lies in parts.

use klatch_core::ids::{ConversationId, Uuid};
use klatch_ports::event_log::{Append, NewRecord};
use klatch_ports::{Error, ErrorKind};
use rand::RngExt;

use super::{RECORDS_MAX, bucket_of, stored};

/// Bytes of a record, above which it lies in parts.
pub const RECORD_BYTES_MAX: usize = 16 * 1024;
/// Bytes of all that one conditional write carries, above which all records of the append lie in parts; and of one write of parts.
/// Cassandra takes a write of half a segment of its commit log: 16 MiB, unless told otherwise.
pub const PARTS_BYTES_MAX: usize = 1 << 20;
/// An append on its way.
pub struct Writing {
    /// What nobody else has: by it an append is known again when its answer was lost.
    pub append: Uuid,
    pub conversation: ConversationId,
    pub expected: i64,
    pub bucket: i64,
    pub records: Vec<NewRecord>,
    /// For each record, whether it lies in parts.
    pub large: Vec<bool>,
}

impl Writing {
    pub(super) fn new(append: Append) -> Result<Self, Error> {
        if !append.is_contiguous() {
            return Err(Error::conflict("the records do not continue what is expected"));
        }
        let answers: usize = append.records.iter().map(|new| new.index.len()).sum();
        if append.records.len() > RECORDS_MAX || answers > PARTS_BYTES_MAX {
            let sentence = format!("an append has at most {RECORDS_MAX} records, and 1 MiB for their index");
            return Err(Error::new(ErrorKind::Full, sentence));
        }
        let expected = stored(append.expected);
        Ok(Self {
            append: Uuid::from_u128(rand::rng().random()),
            conversation: append.conversation,
            expected,
            bucket: bucket_of(expected + 1),
            large: is_large(&append.records),
            records: append.records,
        })
    }
}

/// For each record, whether it lies in parts.
pub fn is_large(records: &[NewRecord]) -> Vec<bool> {
    let size = |new: &NewRecord| new.record.head.len() + new.record.body.len();
    let all: usize = records.iter().map(size).filter(|size| *size <= RECORD_BYTES_MAX).sum();
    let most = if all > PARTS_BYTES_MAX { 0 } else { RECORD_BYTES_MAX };
    records.iter().map(|new| size(new) > most).collect()
}
