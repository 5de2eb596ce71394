//! Whoever stops what a test started, however the test ends.

use std::ffi::OsStr;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A process that waits for the end of this one, or of this value; then it runs a script with `stop` and a folder, and removes the folder.
#[derive(Debug)]
pub struct Guard {
    child: Child,
}

impl Guard {
    /// Begins to wait. `socket` is what [`crate::Net::take`] returned: the addresses are free when the guard is through, and not before.
    ///
    /// # Panics
    /// If there is no shell.
    pub fn of(script: &Path, folder: &Path, environment: &[(&str, &OsStr)], socket: TcpListener) -> Self {
        let stop = r#"cat >/dev/null; "$0" stop "$1" >/dev/null 2>&1; rm -rf "$1""#;
        let child = Command::new("sh")
            .args(["-c", stop])
            .args([script, folder])
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(OwnedFd::from(socket))
            .stderr(Stdio::null())
            .spawn()
            .expect("there is a shell");
        Self { child }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // If there is no such child any more, there is nothing to wait for.
        let _ = self.child.wait();
    }
}
