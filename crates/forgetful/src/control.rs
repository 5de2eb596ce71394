//! What the harness and the preloaded library say to each other: numbers, and the end of a path, in a file that the library maps
//! into memory. Its layout is that of `struct control` in `preload/forgetful.h`.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

pub const FILE: &str = "control";

#[derive(Clone, Copy)]
pub enum Field {
    FailSyncs,
    Space,
    DieAfter,
    Operations,
    Syncs,
    Escapes,
    IgnoreSyncs,
    DieAtSync,
    Free,
}

/// What every field is at first, in their order.
const FIRST: [i64; 9] = [0, -1, -1, 0, 0, 0, 0, 0, -1];
/// Room for the end of a path, behind the numbers.
pub const ENDING_BYTES: usize = 32;

#[derive(Debug)]
pub struct Control(File);

impl Control {
    pub fn new(shadow: &Path) -> io::Result<Self> {
        let file = File::options().create(true).truncate(false).read(true).write(true).open(shadow.join(FILE))?;
        let control = Self(file);
        control.reset()?;
        Ok(control)
    }

    pub fn reset(&self) -> io::Result<()> {
        FIRST.into_iter().enumerate().try_for_each(|(field, value)| self.write(field, value))?;
        self.set_ending("")
    }

    pub fn set(&self, field: Field, value: i64) -> io::Result<()> {
        self.write(field as usize, value)
    }

    pub fn get(&self, field: Field) -> io::Result<i64> {
        let mut bytes = [0; 8];
        self.0.read_exact_at(&mut bytes, field as u64 * 8)?;
        Ok(i64::from_ne_bytes(bytes))
    }

    pub fn set_ending(&self, ending: &str) -> io::Result<()> {
        let mut bytes = [0; ENDING_BYTES];
        let Some(place) = bytes.get_mut(..ending.len()) else { return Err(io::ErrorKind::InvalidInput.into()) };
        place.copy_from_slice(ending.as_bytes());
        self.0.write_all_at(&bytes, FIRST.len() as u64 * 8)
    }

    fn write(&self, field: usize, value: i64) -> io::Result<()> {
        self.0.write_all_at(&value.to_ne_bytes(), field as u64 * 8)
    }
}
