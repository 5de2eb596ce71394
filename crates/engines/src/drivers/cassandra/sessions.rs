//! A session that comes back soon. The driver waits up to ten seconds between its attempts to reach a node, however long that has been
//! there again; so where no node can be reached, a new session is opened beside the old one, and whichever comes through first stays.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::errors::{ExecutionError, NewSessionError};
use tokio::sync::watch;

/// How long to wait before each attempt, and for each answer.
const PAUSE: Duration = Duration::from_secs(1);

/// A session, and how to open another. Cheap to clone.
#[derive(Clone)]
pub struct Sessions(Arc<Inner>);

struct Inner {
    builder: SessionBuilder,
    current: watch::Sender<Arc<Session>>,
    /// Whether somebody tries to come through.
    is_trying: AtomicBool,
}

impl Sessions {
    /// Opens the first.
    ///
    /// # Errors
    /// As the driver has them: nobody is there, or nobody lets us in.
    pub async fn open(builder: SessionBuilder) -> Result<Self, NewSessionError> {
        let current = watch::Sender::new(Arc::new(builder.build().await?));
        Ok(Self(Arc::new(Inner { builder, current, is_trying: AtomicBool::new(false) })))
    }

    /// The session to be used now.
    pub fn current(&self) -> Arc<Session> {
        self.0.current.borrow().clone()
    }

    /// Looks at what a statement failed with: if no node could be reached, an attempt begins to come through.
    pub fn failed(&self, error: &ExecutionError) {
        let is_cut_off = matches!(error, ExecutionError::ConnectionPoolError(_) | ExecutionError::EmptyPlan);
        if is_cut_off && !self.0.is_trying.swap(true, Ordering::AcqRel) {
            tokio::spawn(come_through(Arc::downgrade(&self.0)));
        }
    }
}

/// Until a node answers, or nobody needs it any more.
async fn come_through(inner: Weak<Inner>) {
    loop {
        tokio::time::sleep(PAUSE).await;
        let Some(inner) = inner.upgrade() else { return };
        let current = inner.current.borrow().clone();
        let ask = current.query_unpaged("SELECT key FROM system.local", ());
        let answers = matches!(tokio::time::timeout(PAUSE, ask).await, Ok(Ok(_)));
        if !answers && let Ok(session) = inner.builder.build().await {
            inner.current.send_replace(Arc::new(session));
            tracing::info!("Cassandra is reached again");
        } else if !answers {
            continue;
        }
        inner.is_trying.store(false, Ordering::Release);
        return;
    }
}
