//! What the contract suites of all ports stand on: ids that nobody used before, waiting with an end, and the macro that turns a
//! list of promises into tests. A suite is `<port>/contract.rs`: one plain async function per promise, whose name begins with
//! the promise's number, and one macro `<port>_contract!` that lists them.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use klatch_core::ids::Uuid;

/// How long a suite waits for what must come.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many times as long as promised a test waits for what is promised: the machine that it runs on does other things as well.
pub const LENIENCY: u32 = 3;

/// An id that was not there before, not even in an earlier run against the same server. Later ones sort after earlier ones.
pub fn fresh() -> Uuid {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970").as_nanos();
    // The count comes first where the clock stands still, and the clock where the count begins anew.
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    Uuid::from_u128(((nanos >> 20) << 64) | (u128::from(count) << 20) | (nanos & 0xf_ffff))
}

/// What `future` gives, which must not take long.
///
/// # Panics
/// If it takes longer than a test has patience.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("this should have come long ago")
}

/// What `future` gives, which is promised within this time. Says how long it took.
///
/// # Panics
/// If it takes longer than [`LENIENCY`] allows.
pub async fn within<T>(promised: Duration, future: impl Future<Output = T>) -> T {
    let begun = Instant::now();
    let given = tokio::time::timeout(promised * LENIENCY, future).await;
    println!("promised within {promised:?}: took {:?}", begun.elapsed());
    given.unwrap_or_else(|_| panic!("this is promised within {promised:?}"))
}

/// One `#[tokio::test]` for each promise of a port's suite. The expression that makes the engine's factory is evaluated anew in
/// each test.
#[macro_export]
macro_rules! contract_tests {
    ($port:ident, $factory:expr; $($promise:ident),+ $(,)?) => {
        $(
            #[tokio::test]
            async fn $promise() {
                $crate::$port::contract::$promise($factory).await;
            }
        )+
    };
}
