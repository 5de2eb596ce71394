//! `EventLog` on fjall. **Embedded**: one process, one disk.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::{BufMut, Bytes, BytesMut};
use klatch_core::ids::{CommandId, ConversationId, Seq};
use klatch_ports::Error;
use klatch_ports::event_log::{Append, EventLog, READ_BYTES_MAX, Record, Snapshot};

use crate::drivers::fjall::{Group, Space, Store, View, note_erasure, pair, u64_or_corrupt};

/// Keys that are looked up without leaving the caller's thread: a few microseconds each, unless the disk must be asked.
const INLINE_MAX: usize = 64;

/// The log in a store on this disk.
pub struct FjallEventLog {
    store: Arc<Store>,
}

impl FjallEventLog {
    /// The log in this store.
    pub fn new(store: Arc<Store>) -> Self {
        Self { store }
    }

    async fn look_up<T: Send + 'static>(
        &self,
        count: usize,
        read: impl FnOnce(View) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        if count <= INLINE_MAX { read(self.store.view()) } else { self.store.view_blocking(read).await }
    }
}

#[async_trait]
impl EventLog for FjallEventLog {
    async fn append(&self, batch: Vec<Append>) -> Vec<Result<(), Error>> {
        let count = batch.len();
        let stage = |group: &mut Group<'_>| Ok(batch.into_iter().map(|append| stage_append(group, append)).collect());
        self.store.write(stage).await.unwrap_or_else(|error| {
            let (kind, reason) =
                (error.kind, std::error::Error::source(&error).map_or_else(String::new, |s| s.to_string()));
            (0..count).map(|_| Err(Error::new(kind, &*reason))).collect()
        })
    }

    async fn read(&self, conversation: ConversationId, from: Seq, limit: usize) -> Result<Vec<Record>, Error> {
        self.store.view_blocking(move |view| read(&view, conversation, from, limit)).await
    }

    async fn tails(&self, conversations: &[ConversationId]) -> Result<Vec<Seq>, Error> {
        let ids = conversations.to_vec();
        let tail = |view: &View, id: ConversationId| match view.get(Space::Tails, id.as_bytes())? {
            Some(tail) => u64_or_corrupt(&tail).map(Seq),
            None => Ok(Seq::ZERO),
        };
        let tails = move |view: View| ids.into_iter().map(|id| tail(&view, id)).collect();
        self.look_up(conversations.len(), tails).await
    }

    async fn find(&self, conversation: ConversationId, ids: &[CommandId]) -> Result<Vec<Option<Bytes>>, Error> {
        let keys: Vec<_> = ids.iter().map(|id| pair(conversation.as_bytes(), id.as_bytes())).collect();
        let find = move |view: View| keys.iter().map(|key| view.get(Space::Index, key)).collect();
        self.look_up(ids.len(), find).await
    }

    async fn erase(&self, conversation: ConversationId, seqs: &[Seq]) -> Result<(), Error> {
        let keys: Vec<_> = seqs.iter().map(|seq| record_key(conversation, *seq)).collect();
        let stage = move |group: &mut Group<'_>| {
            let mut erased = Vec::new();
            for key in keys {
                let Some(value) = group.get(Space::Records, &key)? else { continue };
                let record = decode(Seq::ZERO, value)?;
                if !record.body.is_empty() {
                    erased.push((key, encode(&Record { body: Bytes::new(), ..record })));
                }
            }
            if !erased.is_empty() {
                note_erasure(group)?;
            }
            for (key, value) in erased {
                group.put(Space::Records, key, value);
            }
            // Also where there is nothing left to do: an erasure before may wait for its sync.
            group.must_sync();
            Ok(())
        };
        self.store.write(stage).await
    }

    async fn conversations(
        &self,
        after: Option<ConversationId>,
        limit: usize,
    ) -> Result<Vec<(ConversationId, Seq)>, Error> {
        let list = move |view: View| {
            // The least key after a key is the same with a zero.
            let from = after.map_or_else(Vec::new, |after| pair(after.as_bytes(), &[0]));
            let to = [u8::MAX; 17];
            let tails = view.range(Space::Tails, &from, &to).take(limit);
            let tail = |(id, tail): (Bytes, Bytes)| {
                let id =
                    ConversationId::from_slice(&id).ok_or_else(|| Error::corrupt("no conversation has this id"))?;
                Ok((id, Seq(u64_or_corrupt(&tail)?)))
            };
            tails.map(|entry| entry.and_then(tail)).collect()
        };
        self.store.view_blocking(list).await
    }

    async fn save_snapshot(&self, conversation: ConversationId, snapshot: Snapshot) -> Result<(), Error> {
        let value = [&snapshot.seq.0.to_be_bytes(), &snapshot.bytes[..]].concat();
        let stage = move |group: &mut Group<'_>| {
            group.put(Space::Snapshots, conversation.as_bytes().to_vec(), value);
            Ok(())
        };
        self.store.write(stage).await
    }

    async fn snapshot(&self, conversation: ConversationId) -> Result<Option<Snapshot>, Error> {
        let Some(mut value) = self.store.view().get(Space::Snapshots, conversation.as_bytes())? else {
            return Ok(None);
        };
        let seq = value.split_to(value.len().min(8));
        Ok(Some(Snapshot { seq: Seq(u64_or_corrupt(&seq)?), bytes: value }))
    }
}

/// Stages an append as a whole, or says why not and stages nothing.
fn stage_append(group: &mut Group<'_>, append: Append) -> Result<(), Error> {
    let conversation = append.conversation;
    let tail = match group.get(Space::Tails, conversation.as_bytes())? {
        Some(tail) => u64_or_corrupt(&tail)?,
        None => 0,
    };
    if append.expected != Seq(tail) || !append.is_contiguous() {
        return Err(Error::conflict("the tail is another"));
    }
    for new in &append.records {
        let position = group.next_position();
        let key = record_key(conversation, new.record.seq);
        group.put(Space::Order, position.to_be_bytes().to_vec(), key.clone());
        group.put(Space::Records, key, encode(&new.record));
        group.put(Space::Index, pair(conversation.as_bytes(), new.record.id.as_bytes()), new.index.clone());
    }
    let tail = tail + append.records.len() as u64;
    group.put(Space::Tails, conversation.as_bytes().to_vec(), tail.to_be_bytes().to_vec());
    group.must_sync();
    Ok(())
}

fn read(view: &View, conversation: ConversationId, from: Seq, limit: usize) -> Result<Vec<Record>, Error> {
    let (first, last) = (record_key(conversation, from), record_key(conversation, Seq(u64::MAX)));
    let (mut records, mut bytes) = (Vec::new(), 0);
    for entry in view.range(Space::Records, &first, &last).take(limit) {
        let (key, value) = entry?;
        bytes += value.len();
        if bytes > READ_BYTES_MAX && !records.is_empty() {
            break;
        }
        records.push(decode(seq_of_key(&key)?, value)?);
    }
    Ok(records)
}

/// Where a record lies.
pub(crate) fn record_key(conversation: ConversationId, seq: Seq) -> Vec<u8> {
    pair(conversation.as_bytes(), &seq.0.to_be_bytes())
}

/// The seq in the key of a record.
pub(crate) fn seq_of_key(key: &[u8]) -> Result<Seq, Error> {
    u64_or_corrupt(key.get(16..).unwrap_or_default()).map(Seq)
}

/// A record as it is stored: its id, the length of its head, head and body.
fn encode(record: &Record) -> Bytes {
    let mut bytes = BytesMut::with_capacity(20 + record.head.len() + record.body.len());
    bytes.put_slice(record.id.as_bytes());
    bytes.put_u32(u32::try_from(record.head.len()).expect("a record is far smaller than 4 GiB"));
    bytes.put_slice(&record.head);
    bytes.put_slice(&record.body);
    bytes.freeze()
}

/// The record that was stored as these bytes; it shares their memory.
pub(crate) fn decode(seq: Seq, mut bytes: Bytes) -> Result<Record, Error> {
    let corrupt = || Error::corrupt("a record is not as it was written");
    if bytes.len() < 20 {
        return Err(corrupt());
    }
    let mut prefix = bytes.split_to(20);
    let id = CommandId::from_slice(&prefix.split_to(16)).expect("these are sixteen bytes");
    let head_len = u32::from_be_bytes(prefix[..].try_into().expect("these are four bytes")) as usize;
    if head_len > bytes.len() {
        return Err(corrupt());
    }
    let head = bytes.split_to(head_len);
    Ok(Record { seq, id, head, body: bytes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drivers::fjall::bench::Disk;

    #[async_trait]
    impl klatch_ports::event_log::contract::Bench for Disk {
        fn log(&self) -> Arc<dyn EventLog> {
            Arc::new(FjallEventLog::new(self.store()))
        }

        async fn reopen(&mut self) {
            self.reopen_store().await;
        }

        async fn crash(&mut self) {
            self.crash_store().await;
        }

        fn fail_next_sync(&self) -> bool {
            self.store().fail_next_sync();
            true
        }
    }

    klatch_ports::event_log_contract!(Disk::new());

    /// T8 of the performance targets, without the luck of who comes when: the writer is held up until all of them wait.
    #[tokio::test]
    async fn appends_that_wait_share_a_sync() {
        let store = Disk::new().store();
        let log = FjallEventLog::new(store.clone());
        let (release, released) = std::sync::mpsc::channel::<()>();
        let mut hold_up = Box::pin(store.write(move |_| {
            released.recv().unwrap();
            Ok(())
        }));
        let mut appends: Vec<_> = (0..1_000).map(|n| log.append(vec![append(n)])).collect();
        let before = store.syncs();
        // Each is asked once, so that it takes its place; tokio would interrupt a task that does so much at once.
        let take_places = std::future::poll_fn(|context| {
            assert!(hold_up.as_mut().poll(context).is_pending());
            assert!(appends.iter_mut().all(|append| append.as_mut().poll(context).is_pending()));
            std::task::Poll::Ready(())
        });
        tokio::task::unconstrained(take_places).await;
        release.send(()).unwrap();
        hold_up.await.unwrap();
        for append in appends {
            append.await.remove(0).unwrap();
        }
        let syncs = store.syncs() - before;
        assert!(syncs <= 2, "{syncs} syncs: one with whoever came while the writer was held up, one with all others");
    }

    fn append(n: u128) -> Append {
        let id = klatch_core::ids::Uuid::from_u128(n);
        let record = Record { seq: Seq(1), id: CommandId(id), head: Bytes::new(), body: Bytes::from_static(b"body") };
        let new = klatch_ports::event_log::NewRecord { record, index: Bytes::new() };
        Append { conversation: ConversationId(id), expected: Seq::ZERO, records: vec![new] }
    }
}
