//! What a signed-in device holds, and how several processes share it.

use std::io;

/// What a signed-in device holds.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Tokens {
    /// For ten minutes.
    pub access: String,
    /// For the next access token; replaced each time.
    pub refresh: String,
}

/// Where tokens are kept that several processes use: a file, for the command line.
pub trait Keep: Send + Sync + 'static {
    /// Opens it, and keeps all others out until what is returned goes away.
    ///
    /// # Errors
    /// It cannot be read.
    fn open(&self) -> io::Result<Box<dyn Kept>>;
}

/// Tokens that nobody else changes meanwhile.
pub trait Kept: Send {
    /// What is there.
    fn tokens(&self) -> Tokens;

    /// Puts others there.
    ///
    /// # Errors
    /// They cannot be written.
    fn put(self: Box<Self>, tokens: &Tokens) -> io::Result<()>;
}
