//! Named places at which tests let the process die. Without the feature `crash-points`, nothing.

#[cfg(feature = "crash-points")]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static ARMED: OnceLock<(String, AtomicU64)> = OnceLock::new();

    /// From now on the `passes`-th time that the place `name` is passed ends the process, as SIGKILL would.
    pub fn arm(name: &str, passes: u64) {
        // Armed once a process: a second time would be a mistake of the test, and changes nothing.
        let _ = ARMED.set((name.to_owned(), AtomicU64::new(passes)));
    }

    pub fn point(name: &str) {
        if let Some((armed, passes)) = ARMED.get()
            && armed == name
            && passes.fetch_sub(1, Ordering::Relaxed) == 1
        {
            eprintln!("crash point {name}");
            std::process::abort();
        }
    }
}

#[cfg(feature = "crash-points")]
pub use armed::arm;

/// A place at which tests let the process die.
pub fn point(name: &'static str) {
    #[cfg(feature = "crash-points")]
    armed::point(name);
    #[cfg(not(feature = "crash-points"))]
    let _ = name;
}
