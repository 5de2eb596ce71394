//! What the harness and the preloaded library say to each other: six numbers in a file that the library maps into memory. Its
//! layout is that of `struct control` in `preload/forgetful.h`.

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
}

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
        [0, -1, -1, 0, 0, 0].into_iter().enumerate().try_for_each(|(field, value)| self.write(field, value))
    }

    pub fn set(&self, field: Field, value: i64) -> io::Result<()> {
        self.write(field as usize, value)
    }

    pub fn get(&self, field: Field) -> io::Result<i64> {
        let mut bytes = [0; 8];
        self.0.read_exact_at(&mut bytes, field as u64 * 8)?;
        Ok(i64::from_ne_bytes(bytes))
    }

    fn write(&self, field: usize, value: i64) -> io::Result<()> {
        self.0.write_all_at(&value.to_ne_bytes(), field as u64 * 8)
    }
}
