//! The people whom somebody on this node is, or watches.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use klatch_core::ids::UserId;
use klatch_ports::Error;
use klatch_ports::live::{Topic, Topics};
use parking_lot::Mutex;

use super::connection::Connection;

/// The people whom somebody on this node is, or watches.
pub struct People {
    topics: Arc<dyn Topics>,
    /// Held while a topic is added or removed, so that one does not overtake the other.
    changing_topics: tokio::sync::Mutex<()>,
    people: Mutex<HashMap<UserId, Person>>,
}

#[derive(Default)]
struct Person {
    own: Vec<Arc<Connection>>,
    watchers: Vec<Arc<Connection>>,
}

impl People {
    /// Nobody yet; those who come are listened to by these topics.
    pub fn new(topics: Arc<dyn Topics>) -> Self {
        Self { topics, changing_topics: tokio::sync::Mutex::default(), people: Mutex::default() }
    }

    /// A person's connection is there, and hears what concerns them.
    ///
    /// # Errors
    /// The port `live` failed.
    pub async fn add(&self, connection: &Arc<Connection>) -> Result<(), Error> {
        self.listen_to(connection.user, |person| person.own.push(connection.clone())).await
    }

    /// A connection is gone, and watches nobody.
    pub async fn remove(&self, connection: &Arc<Connection>) {
        self.watch(connection, &[]).await;
        self.forget(connection.user, |person| person.own.retain(|other| !Arc::ptr_eq(other, connection))).await;
    }

    /// From now on a connection watches these people, and nobody else.
    pub async fn watch(&self, connection: &Arc<Connection>, users: &[UserId]) {
        let before = connection.set_watched(users.to_vec());
        for user in before.iter().filter(|user| !users.contains(user)) {
            self.forget(*user, |person| person.watchers.retain(|other| !Arc::ptr_eq(other, connection))).await;
        }
        for user in users.iter().filter(|user| !before.contains(user)) {
            let added = self.listen_to(*user, |person| person.watchers.push(connection.clone())).await;
            if let Err(error) = added {
                tracing::warn!(%error, "somebody cannot be watched");
            }
        }
    }

    /// All connections.
    pub fn connections(&self) -> Vec<Arc<Connection>> {
        self.people.lock().values().flat_map(|person| person.own.clone()).collect()
    }

    /// Hands a frame to all connections of a person.
    pub fn tell(&self, user: UserId, frame: &Bytes) {
        self.for_own(user, |connection| connection.outbox.push(frame.clone()));
    }

    /// Does something with each connection of a person.
    pub fn for_own(&self, user: UserId, act: impl FnMut(&Arc<Connection>)) {
        if let Some(person) = self.people.lock().get(&user) {
            person.own.iter().for_each(act);
        }
    }

    /// Hands a signal to all who watch a person.
    pub fn tell_watchers(&self, user: UserId, frame: &Bytes) {
        if let Some(person) = self.people.lock().get(&user) {
            person.watchers.iter().for_each(|connection| connection.outbox.push_signal(frame.clone()));
        }
    }

    async fn listen_to(&self, user: UserId, change: impl FnOnce(&mut Person)) -> Result<(), Error> {
        let _changing = self.changing_topics.lock().await;
        self.topics.add(Topic::User(user)).await?;
        change(self.people.lock().entry(user).or_default());
        Ok(())
    }

    async fn forget(&self, user: UserId, change: impl FnOnce(&mut Person)) {
        let _changing = self.changing_topics.lock().await;
        let gone = {
            let mut people = self.people.lock();
            let Some(person) = people.get_mut(&user) else { return };
            change(person);
            person.own.is_empty() && person.watchers.is_empty() && people.remove(&user).is_some()
        };
        if gone && let Err(error) = self.topics.remove(Topic::User(user)).await {
            tracing::warn!(%error, "a topic was not removed");
        }
    }
}
