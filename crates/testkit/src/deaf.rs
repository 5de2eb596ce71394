//! A live bus that loses what it is told to lose. "At most once" is its promise, so nobody may rely on more.

use std::sync::Arc;

use async_trait::async_trait;
use klatch_ports::Error;
use klatch_ports::live::memory::Memory;
use klatch_ports::live::{Listener, Live, Said, Topics};

/// Whether something that is said is lost.
pub type Loses = Box<dyn Fn(&Said) -> bool + Send + Sync>;

/// A live bus that loses things.
pub struct DeafLive {
    inner: Memory,
    loses: Loses,
}

impl DeafLive {
    /// A bus that loses whatever `loses` says.
    pub fn new(loses: Loses) -> Arc<Self> {
        Arc::new(Self { inner: Memory::default(), loses })
    }
}

#[async_trait]
impl Live for DeafLive {
    async fn publish(&self, messages: Vec<Said>) -> Result<(), Error> {
        self.inner.publish(messages.into_iter().filter(|said| !(self.loses)(said)).collect()).await
    }

    async fn listen(&self) -> Result<(Arc<dyn Topics>, Box<dyn Listener>), Error> {
        self.inner.listen().await
    }
}
