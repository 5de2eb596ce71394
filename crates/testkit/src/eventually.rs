//! Waiting for a condition, never for a time.

use tokio::time::{Duration, Instant};

use crate::user::PATIENCE;

/// How long to let others work between two looks.
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// Looks until there is something to see, and returns it.
///
/// # Panics
/// If nothing is seen for as long as a test is patient.
pub async fn eventually<T>(what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
    eventually_within(PATIENCE, what, look).await
}

/// The same, for what may take longer than a test is patient, or is promised within a time of its own.
///
/// # Panics
/// If nothing is seen by then.
pub async fn eventually_within<T>(limit: Duration, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(Instant::now() < deadline, "never seen: {what}");
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}
