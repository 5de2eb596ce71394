//! A live bus that loses what it is told to lose. "At most once" is its promise, so nobody may rely on more.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use klatch_ports::Error;
use klatch_ports::live::memory::Memory;
use klatch_ports::live::{Listener, Live, Said, Topic, Topics};

/// Whether something that is said is lost.
pub type Loses = Box<dyn Fn(&Said) -> bool + Send + Sync>;

/// A live bus that loses things.
pub struct DeafLive {
    inner: Memory,
    loses: Loses,
    refusals: Arc<AtomicUsize>,
}

impl DeafLive {
    /// A bus that loses whatever `loses` says.
    pub fn new(loses: Loses) -> Arc<Self> {
        Arc::new(Self { inner: Memory::default(), loses, refusals: Arc::default() })
    }

    /// A bus that is away the first so many times that a node wants to listen to a conversation, and loses nothing.
    pub fn refusing(times: usize) -> Arc<Self> {
        let refusals = Arc::new(AtomicUsize::new(times));
        Arc::new(Self { inner: Memory::default(), loses: Box::new(|_| false), refusals })
    }

    /// It is not away any more.
    pub fn relent(&self) {
        self.refusals.store(0, Ordering::SeqCst);
    }
}

#[async_trait]
impl Live for DeafLive {
    async fn publish(&self, messages: Vec<Said>) -> Result<(), Error> {
        self.inner.publish(messages.into_iter().filter(|said| !(self.loses)(said)).collect()).await
    }

    async fn listen(&self) -> Result<(Arc<dyn Topics>, Box<dyn Listener>), Error> {
        let (inner, listener) = self.inner.listen().await?;
        Ok((Arc::new(Refusing { inner, refusals: self.refusals.clone() }), listener))
    }
}

struct Refusing {
    inner: Arc<dyn Topics>,
    refusals: Arc<AtomicUsize>,
}

#[async_trait]
impl Topics for Refusing {
    async fn add(&self, topic: Topic) -> Result<(), Error> {
        let one_less = |times: usize| times.checked_sub(1);
        if matches!(topic, Topic::Conversation(_))
            && self.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok()
        {
            return Err(Error::unavailable("as it was told"));
        }
        self.inner.add(topic).await
    }

    async fn remove(&self, topic: Topic) -> Result<(), Error> {
        self.inner.remove(topic).await
    }
}
