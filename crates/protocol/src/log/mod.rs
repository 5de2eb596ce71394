//! The versioned, compact format of what lies in the log.
