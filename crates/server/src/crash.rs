//! Named places at which tests let the process die. Without the feature `crash-points`, nothing.

#[cfg(feature = "crash-points")]
mod armed {
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{LazyLock, OnceLock};

    static ARMED: OnceLock<(String, AtomicU64)> = OnceLock::new();

    /// Where a process that runs looks whether it is to die (one of a cluster, a node, or whoever moves a site): the file that
    /// `KLATCH_CRASH_FILE` names, which is not there until a test writes `NAME:PASSES` into it.
    static FILE: LazyLock<Option<PathBuf>> = LazyLock::new(|| std::env::var_os("KLATCH_CRASH_FILE").map(PathBuf::from));

    /// From now on the `passes`-th time that the place `name` is passed ends the process, as SIGKILL would.
    pub fn arm(name: &str, passes: u64) {
        // Armed once a process: a second time would be a mistake of the test, and changes nothing.
        let _ = ARMED.set((name.to_owned(), AtomicU64::new(passes)));
    }

    pub fn point(name: &str) {
        if ARMED.get().is_none() {
            arm_by_file();
        }
        if let Some((armed, passes)) = ARMED.get()
            && armed == name
            && passes.fetch_sub(1, Ordering::Relaxed) == 1
        {
            eprintln!("crash point {name}");
            std::process::abort();
        }
    }

    fn arm_by_file() {
        let Some(told) = FILE.as_ref().and_then(|file| std::fs::read_to_string(file).ok()) else { return };
        let told = told.split_once(':').and_then(|(name, passes)| Some((name, passes.parse().ok()?)));
        let (name, passes) = told.expect("the test wrote NAME:PASSES");
        arm(name, passes);
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
