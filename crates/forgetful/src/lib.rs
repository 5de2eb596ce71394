//! The forgetful disk: what loss of power leaves of a directory, for a program that runs on Linux as it is.
//!
//! `kill -9` proves nothing about syncs, since the kernel keeps what was written. So the program runs with a small library
//! preloaded that writes down, outside of the process, how to undo every write, rename and removal that was not synced yet.
//! When the process is dead, [`Disk::lose_power`] undoes all of it, or a random part. `docs/decisions/0010-forgetful-disk.md`
//! says how, and what it does not see.
//!
//! ```no_run
//! # fn main() -> std::io::Result<()> {
//! use klatch_forgetful::{Disk, Loss};
//! let disk = Disk::new("data".as_ref())?;
//! let mut child = disk.command("target/debug/klatch").spawn()?;
//! // … until something was acknowledged …
//! child.kill()?;
//! child.wait()?;
//! disk.lose_power(Loss::Everything)?;
//! // … and now it must still be there.
//! # Ok(())
//! # }
//! ```

mod control;
mod file;
mod folder;
pub mod program;

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use rand::SeedableRng;
use rand::rngs::StdRng;

use control::{Control, Field};

/// The library that is preloaded. It is there on Linux only.
const LIBRARY: &str = env!("FORGETFUL_LIBRARY");

/// What loss of power takes of what was not synced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Loss {
    /// Nothing: only the process was lost. The kernel writes the rest.
    Nothing,
    /// Everything.
    Everything,
    /// Of each file the end of what was written last: a torn block. Names stay.
    Torn,
    /// A part that follows from the seed: of each file either the later writes, or sectors here and there (so that writes are
    /// torn); of the folders always the later changes, since file systems keep those in order.
    Some {
        /// Where the choice comes from.
        seed: u64,
    },
}

/// A directory on a disk that forgets.
#[derive(Debug)]
pub struct Disk {
    root: PathBuf,
    shadow: PathBuf,
    control: Control,
}

impl Disk {
    /// Watches over this directory, which is made if it is not there; what it holds now is taken for synced. Beside it lies a
    /// folder of notes, with `.shadow` at the end of its name.
    ///
    /// # Errors
    /// What the system says; `Unsupported` where it is not Linux.
    pub fn new(root: &Path) -> io::Result<Self> {
        if !cfg!(target_os = "linux") {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "the forgetful disk needs Linux"));
        }
        fs::create_dir_all(root)?;
        let root = root.canonicalize()?;
        let mut shadow = root.clone().into_os_string();
        shadow.push(".shadow");
        let shadow = PathBuf::from(shadow);
        fs::create_dir_all(&shadow)?;
        forget(&shadow)?;
        let control = Control::new(&shadow)?;
        Ok(Self { root, shadow, control })
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A program that will run on this disk. It must not start others, and whatever it maps into memory to write to it is
    /// lost on us ([`Self::escapes`]).
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env("LD_PRELOAD", LIBRARY);
        command.env("KLATCH_FORGETFUL_ROOT", &self.root).env("KLATCH_FORGETFUL_SHADOW", &self.shadow);
        command
    }

    /// Kills the program before whatever it does to the disk after so many operations: writes, syncs, changes of folders. With
    /// [`Self::operations`] every moment of a run can be tried.
    ///
    /// # Errors
    /// What the system says.
    pub fn die_after(&self, operations: u64) -> io::Result<()> {
        self.control.set(Field::DieAfter, operations.cast_signed())
    }

    /// The next `count` syncs fail. What they should have made durable is lost, whatever later syncs say: the kernel takes it
    /// for written.
    ///
    /// # Errors
    /// What the system says.
    pub fn fail_syncs(&self, count: u32) -> io::Result<()> {
        self.control.set(Field::FailSyncs, count.into())
    }

    /// Syncs say that they succeeded and make nothing durable, as some disks do: what stands on them must be found to be lost.
    ///
    /// # Errors
    /// What the system says.
    pub fn ignore_syncs(&self) -> io::Result<()> {
        self.control.set(Field::IgnoreSyncs, 1)
    }

    /// Kills the program before the so-manieth of the syncs that follow: everything that it would have made durable was
    /// written, and nothing of it is durable.
    ///
    /// # Errors
    /// What the system says.
    pub fn die_at_sync(&self, count: u32) -> io::Result<()> {
        self.control.set(Field::DieAtSync, count.into())
    }

    /// What is asked of syncs ([`Self::fail_syncs`], [`Self::ignore_syncs`], [`Self::die_at_sync`]) is asked only of files whose
    /// paths end so.
    ///
    /// # Errors
    /// What the system says; `InvalidInput`: more than 32 bytes.
    pub fn only_syncs_of(&self, ending: &str) -> io::Result<()> {
        self.control.set_ending(ending)
    }

    /// So many bytes are said to be free, by those who ask before they write; `None`: as many as are.
    ///
    /// # Errors
    /// What the system says.
    pub fn show_free(&self, bytes: Option<u64>) -> io::Result<()> {
        self.control.set(Field::Free, bytes.map_or(-1, u64::cast_signed))
    }

    /// The disk is full after so many bytes more; `None`: there is room.
    ///
    /// # Errors
    /// What the system says.
    pub fn set_space(&self, bytes: Option<u64>) -> io::Result<()> {
        self.control.set(Field::Space, bytes.map_or(-1, u64::cast_signed))
    }

    /// What was done to the disk since it was new or lost its power: writes, syncs, changes of folders.
    ///
    /// # Errors
    /// What the system says.
    pub fn operations(&self) -> io::Result<u64> {
        Ok(self.control.get(Field::Operations)?.cast_unsigned())
    }

    /// The syncs among these.
    ///
    /// # Errors
    /// What the system says.
    pub fn syncs(&self) -> io::Result<u64> {
        Ok(self.control.get(Field::Syncs)?.cast_unsigned())
    }

    /// How many files were mapped into memory to be written there, where nobody sees it. Unless this is 0, the disk proves
    /// nothing. SQLite's `-shm` files do not count: they are made anew.
    ///
    /// # Errors
    /// What the system says.
    pub fn escapes(&self) -> io::Result<u64> {
        Ok(self.control.get(Field::Escapes)?.cast_unsigned())
    }

    /// Makes of the directory what loss of power would leave, once the program is dead; then everything that is there counts
    /// as synced, and nothing that was asked for (such as [`Self::die_after`]) holds any longer. Returns the files that are
    /// no longer as the program had left them.
    ///
    /// # Errors
    /// What the system says.
    pub fn lose_power(&self, loss: Loss) -> io::Result<Vec<PathBuf>> {
        let mut chance = match loss {
            Loss::Nothing => None,
            Loss::Everything => Some(Chance { rng: None, tears: false }),
            Loss::Torn => Some(Chance { rng: None, tears: true }),
            Loss::Some { seed } => Some(Chance { rng: Some(StdRng::seed_from_u64(seed)), tears: false }),
        };
        let mut changed = Vec::new();
        if let Some(chance) = &mut chance {
            changed = file::restore_all(&self.root, &self.shadow, chance)?;
            if !chance.tears {
                folder::restore(&self.root, &self.shadow, chance)?;
            }
        }
        forget(&self.shadow)?;
        self.control.reset()?;
        Ok(changed)
    }
}

/// What decides.
struct Chance {
    /// Nothing is kept without it,
    rng: Option<StdRng>,
    /// but for everything before the end of what was written last.
    tears: bool,
}

/// Removes all notes but for the control, which a program may have open.
fn forget(shadow: &Path) -> io::Result<()> {
    for entry in fs::read_dir(shadow)? {
        let entry = entry?;
        if entry.file_name() != control::FILE {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Everything below a folder and the folder itself, by number.
fn by_number(folder: &Path) -> io::Result<std::collections::HashMap<u64, PathBuf>> {
    use std::os::unix::fs::MetadataExt;
    let mut found = std::collections::HashMap::from([(fs::metadata(folder)?.ino(), folder.to_owned())]);
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let what = entry.metadata()?;
            if what.is_dir() {
                folders.push(entry.path());
            }
            found.insert(what.ino(), entry.path());
        }
    }
    Ok(found)
}
