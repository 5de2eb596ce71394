//! Who is here? And how often did they?

pub mod ahead;
pub mod fallback;
pub mod redis;
