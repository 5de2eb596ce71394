//! How numbers, ids and texts lie in columns, read without trusting that they are what we wrote.

use bytes::Bytes;
use klatch_core::ids::Seq;
use klatch_ports::{Error, ErrorKind};
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

/// The value in this column.
///
/// # Errors
/// `Corrupt`: it is another sort of value.
pub fn get<'a, T: FromSql<'a>>(row: &'a Row, column: &str) -> Result<T, Error> {
    row.try_get(column).map_err(Error::corrupt)
}

/// The number in this column.
///
/// # Errors
/// `Corrupt`: it is none, or below 0.
pub fn number(row: &Row, column: &str) -> Result<u64, Error> {
    u64::try_from(get::<i64>(row, column)?).map_err(Error::corrupt)
}

/// The value in the column at this place.
///
/// # Errors
/// `Corrupt`: it is not what it should be.
pub fn column<'a, T: FromSql<'a>>(row: &'a Row, at: usize) -> Result<T, Error> {
    row.try_get(at).map_err(Error::corrupt)
}

/// Bytes in the column at this place.
///
/// # Errors
/// As for [`column`].
pub fn bytes(row: &Row, at: usize) -> Result<Bytes, Error> {
    column(row, at).map(Bytes::copy_from_slice)
}

/// A seq in the column at this place.
///
/// # Errors
/// As for [`column`].
pub fn seq(row: &Row, at: usize) -> Result<Seq, Error> {
    u64::try_from(column::<i64>(row, at)?).map(Seq).map_err(Error::corrupt)
}

/// A number as it lies in a column.
///
/// # Errors
/// `Broken`: it is beyond what a column holds, which ends at `i64::MAX`.
pub fn signed(number: u64) -> Result<i64, Error> {
    i64::try_from(number).map_err(|error| Error::new(ErrorKind::Broken, error))
}

/// A number as PostgreSQL counts, or the largest it knows.
pub fn to_bigint(number: u64) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// What of a text that somebody looks for can be in a column: PostgreSQL keeps no U+0000. `None`: nothing has it.
pub fn findable(text: &str) -> Option<&str> {
    (!text.contains('\0')).then_some(text)
}

/// The text after which a page begins, which may hold what no column does: in order of bytes, the same texts follow it.
pub fn page_after(text: &str) -> &str {
    text.split('\0').next().unwrap_or_default()
}
