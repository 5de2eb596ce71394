//! Who else must hear this now?

pub mod redis;
