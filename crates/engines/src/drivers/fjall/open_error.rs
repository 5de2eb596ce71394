//! Why a store does not open, as sentences that say what to do.

use std::io;
use std::path::{Path, PathBuf};

/// Why a store does not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Somebody else has it open.
    #[error(
        "{} is in use by another process: stop that one, or give this node a data directory of its own",
        .0.display()
    )]
    Locked(PathBuf),
    /// A later version of Klatch has written it.
    #[error(
        "{} was written by a newer version of Klatch (its format is {found}, this version knows {known}): run that version \
         again, or restore a backup from before the upgrade",
        .dir.display()
    )]
    Newer {
        /// Where.
        dir: PathBuf,
        /// The version of what is there.
        found: u32,
        /// The version that this program writes.
        known: u32,
    },
    /// It cannot be written to.
    #[error(
        "{} cannot be written to ({source}): make sure that it is a directory on a disk that takes writes, and that the user \
         who runs Klatch owns it",
        .dir.display()
    )]
    Unwritable {
        /// Where.
        dir: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The disk is full.
    #[error("the disk under {} is full: make room, or move the directory to a larger one, then start again", .0.display())]
    Full(PathBuf),
    /// What is there is not what was written.
    #[error(
        "{} is damaged ({what}): keep a copy of the directory as it is, check the disk, and restore the last backup",
        .dir.display()
    )]
    Damaged {
        /// Where.
        dir: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The system refused something else.
    #[error("{} cannot be opened ({source})", .dir.display())]
    Io {
        /// Where.
        dir: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl OpenError {
    pub(super) fn of_io(dir: &Path, source: io::Error) -> Self {
        use io::ErrorKind as Kind;
        let dir = dir.to_owned();
        match source.kind() {
            Kind::StorageFull | Kind::QuotaExceeded => Self::Full(dir),
            Kind::PermissionDenied | Kind::ReadOnlyFilesystem | Kind::NotADirectory | Kind::AlreadyExists => {
                Self::Unwritable { dir, source }
            }
            _ => Self::Io { dir, source },
        }
    }

    pub(super) fn of_fjall(dir: &Path, error: fjall::Error) -> Self {
        match error {
            fjall::Error::Io(error) | fjall::Error::Storage(fjall::LsmError::Io(error)) => Self::of_io(dir, error),
            fjall::Error::Locked => Self::Locked(dir.to_owned()),
            error => Self::damaged(dir, &error.to_string()),
        }
    }

    pub(super) fn damaged(dir: &Path, what: &str) -> Self {
        Self::Damaged { dir: dir.to_owned(), what: what.to_owned() }
    }
}
