//! Disks that programs were run on.

use klatch_forgetful::Disk;
use klatch_forgetful::program::run;

/// A disk with nothing on it.
pub fn new_disk() -> (Disk, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    (Disk::new(&dir.path().join("data")).unwrap(), dir)
}

/// Runs a program on a new disk and kills it when it is done.
pub fn disk_after(program: &str) -> (Disk, tempfile::TempDir) {
    let (disk, dir) = new_disk();
    run(&disk, program);
    assert_eq!(disk.escapes().unwrap(), 0);
    (disk, dir)
}
