//! Small programs to run on the disk: each is an ignored test of a test binary, which runs itself as another process.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Stdio;

use crate::Disk;

/// Where a program finds its directory.
const ROOT: &str = "KLATCH_FORGETFUL_ROOT";
/// What a program says when it is done and waits to be killed.
const DONE: &str = "DONE";

/// Runs the program of this name until it is done or dead, and returns the lines that it printed.
///
/// # Panics
/// If the program cannot be run.
pub fn run(disk: &Disk, program: &str) -> Vec<String> {
    run_watched(disk, program, |_| {})
}

/// [`run`], where `watch` hears each line as soon as it is printed, and may do something about the disk.
///
/// # Panics
/// If the program cannot be run.
pub fn run_watched(disk: &Disk, program: &str, mut watch: impl FnMut(&str)) -> Vec<String> {
    let mut child = disk
        .command(std::env::current_exe().expect("a test binary knows where it is"))
        .args(["--ignored", "--exact", "--nocapture", program])
        .stdout(Stdio::piped())
        .spawn()
        .expect("a test binary can be run");
    let lines = BufReader::new(child.stdout.take().expect("it was asked for")).lines();
    let said = lines.map_while(Result::ok).take_while(|line| line != DONE).inspect(|line| watch(line)).collect();
    // It may be dead already.
    let _ = child.kill();
    child.wait().expect("it was started here");
    said
}

/// In a program: its directory.
///
/// # Panics
/// If the program was not started by [`run`].
pub fn root() -> PathBuf {
    std::env::var_os(ROOT).expect("another test runs this one").into()
}

/// In a program: what it is about was done, and now it is killed.
pub fn done() -> ! {
    println!("{DONE}");
    loop {
        std::thread::park();
    }
}
