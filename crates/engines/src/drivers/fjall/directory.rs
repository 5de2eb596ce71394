//! The directory around the database: its lock, its version, and how it comes to be, so that loss of power at any moment leaves
//! either nothing or a store that opens.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use fjall::Database;

use super::{OpenError, Options, SPACES, journal, open_database, open_spaces};

/// The version of what is stored. It grows with every change that an older program would not understand.
const VERSION: u32 = 1;

const LOCK_FILE: &str = "LOCK";
const VERSION_FILE: &str = "VERSION";
/// The database.
pub const STORE: &str = "store";
/// A store that is being made.
const UNFINISHED: &str = "store.unfinished";

/// Makes the directory, if need be, and locks it for this process.
pub fn lock(dir: &Path) -> Result<File, OpenError> {
    let io = |error| OpenError::of_io(dir, error);
    create_dir(dir).map_err(io)?;
    let lock = File::options().create(true).truncate(false).write(true).open(dir.join(LOCK_FILE)).map_err(io)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked(dir.to_owned())),
        Err(TryLockError::Error(error)) => Err(io(error)),
    }
}

/// Opens the database in a locked directory, making it if there is none.
pub fn open(dir: &Path, options: &Options) -> Result<Database, OpenError> {
    let io = |error| OpenError::of_io(dir, error);
    let of_fjall = |error| OpenError::of_fjall(dir, error);
    let store = dir.join(STORE);
    match (version(dir)?, store.is_dir()) {
        (Some(found), _) if found > VERSION => {
            return Err(OpenError::Newer { dir: dir.to_owned(), found, known: VERSION });
        }
        (Some(_), false) => return Err(OpenError::damaged(dir, "store/ is missing")),
        (Some(_), true) => {}
        (None, has_store) => {
            if !has_store {
                create(dir, options)?;
            }
            // Last: it says that everything else was finished.
            fs::write(dir.join(VERSION_FILE), format!("{VERSION}\n")).map_err(io)?;
            sync_tree(&dir.join(VERSION_FILE)).and_then(|()| sync(dir)).map_err(io)?;
        }
    }
    journal::mend(dir, &store)?;
    let database = open_database(&store, options).map_err(of_fjall)?;
    // fjall passes over the journal of a space that is not there, and would begin it anew: its loss must not go unseen.
    match SPACES.iter().find(|(name, _)| !database.keyspace_exists(name)) {
        Some((missing, _)) => Err(OpenError::damaged(dir, &format!("the space \"{missing}\" is missing"))),
        None => Ok(database),
    }
}

/// The version of the store, if it was finished.
fn version(dir: &Path) -> Result<Option<u32>, OpenError> {
    match fs::read_to_string(dir.join(VERSION_FILE)) {
        Ok(text) if text.is_empty() => Ok(None),
        Ok(text) => text.trim().parse().map(Some).map_err(|_| OpenError::damaged(dir, "VERSION holds no number")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(OpenError::of_io(dir, error)),
    }
}

/// Makes an empty database. fjall itself cannot go on where loss of power interrupted that, nor does it sync the folder of a
/// new space: so it is made aside, synced as a whole, and then put in its place.
fn create(dir: &Path, options: &Options) -> Result<(), OpenError> {
    let io = |error| OpenError::of_io(dir, error);
    let unfinished = dir.join(UNFINISHED);
    match fs::remove_dir_all(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
        _ => {}
    }
    let database = open_database(&unfinished, options).map_err(|error| OpenError::of_fjall(dir, error))?;
    open_spaces(&database, options).map_err(|error| OpenError::of_fjall(dir, error))?;
    drop(database);
    sync_tree(&unfinished).map_err(io)?;
    fs::rename(&unfinished, dir.join(STORE)).map_err(io)?;
    sync(dir).map_err(io)
}

/// Makes a directory and those around it, so that they are there after loss of power.
fn create_dir(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let parent = match dir.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    create_dir(parent)?;
    match fs::create_dir(dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists || !dir.is_dir() => Err(error),
        _ => sync(parent),
    }
}

/// Syncs everything in a folder, and then the folder.
fn sync_tree(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            sync_tree(&entry?.path())?;
        }
    }
    sync(path)
}

fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
