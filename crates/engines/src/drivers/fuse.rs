//! What all stores of a node have in common: after the disk failed one of them, none of them writes. A disk that lost one write
//! may have lost others, and a node that goes on with half of its stores would promise what it cannot keep.

use std::sync::{Arc, OnceLock};

use klatch_ports::{Error, ErrorKind};

/// Blown by the first write or sync that fails; it stays so until the stores are opened anew, with another one.
#[derive(Clone, Debug, Default)]
pub struct Fuse(Arc<OnceLock<Arc<str>>>);

impl Fuse {
    /// Whether nothing is written any more.
    pub fn is_blown(&self) -> bool {
        self.0.get().is_some()
    }

    /// Nothing is written from now on; the sentence is what whoever tries is told.
    pub(crate) fn blow(&self, reason: &str) {
        if self.0.set(reason.into()).is_ok() {
            tracing::error!(reason, "the disk failed: this node takes no writes until it is started again");
        }
    }

    /// Why nothing is written, if nothing is.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        self.0.get().map(|reason| Refusal { kind: ErrorKind::Broken, reason: reason.clone() })
    }
}

/// An error that many can be told.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub kind: ErrorKind,
    pub reason: Arc<str>,
}

impl From<&Refusal> for Error {
    fn from(refusal: &Refusal) -> Self {
        Self::new(refusal.kind, &*refusal.reason)
    }
}
