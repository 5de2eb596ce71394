//! Which conversations there are, in order of id, and where their last bucket is. They lie in partitions by the first bits of the id:
//! of ids that begin with the time, one holds what began within three days; of others, a millionth of all.

use futures_util::{StreamExt, TryStreamExt, stream};
use klatch_core::ids::{ConversationId, Seq};
use klatch_ports::Error;

use super::{CONCURRENT_MAX, CassandraEventLog};

/// Bits of a prefix. There are at most a million of them, in one partition of some 20 MB.
const PREFIX_BITS: u32 = 20;
/// Prefixes, and conversations of one, that are read at a time.
const PAGE: i32 = 1_000;

impl CassandraEventLog {
    /// Notes that a conversation will have this bucket: before it has, so that none is ever missing.
    pub(super) async fn note_conversation(&self, conversation: ConversationId, bucket: i64) -> Result<(), Error> {
        let prefix = prefix(conversation);
        if bucket == 0 {
            self.database.write(&self.statements.note_prefix, (prefix,)).await?;
        }
        let values = (prefix, &conversation.as_bytes()[..], bucket, bucket + 1);
        self.database.write(&self.statements.note_conversation, values).await
    }

    /// The last bucket of a conversation, or the one after.
    pub(super) async fn noted_bucket(&self, conversation: ConversationId) -> Result<Option<i64>, Error> {
        let key = (prefix(conversation), &conversation.as_bytes()[..]);
        let rows = self.database.rows::<(i64,)>(&self.statements.noted_bucket, key).await?;
        Ok(rows.first().map(|(bucket,)| *bucket))
    }

    pub(super) async fn list(
        &self,
        after: Option<ConversationId>,
        limit: usize,
    ) -> Result<Vec<(ConversationId, Seq)>, Error> {
        let mut listed = Vec::new();
        let mut after = after;
        let mut from = after.map_or(0, prefix);
        while listed.len() < limit {
            let prefixes = self.database.rows::<(i32,)>(&self.statements.prefixes, (from, PAGE)).await?;
            for (prefix,) in &prefixes {
                self.list_prefix(*prefix, after, limit, &mut listed).await?;
                if listed.len() >= limit {
                    return Ok(listed);
                }
                // All that follow begin with more.
                after = None;
            }
            let Some((last,)) = prefixes.last() else { break };
            from = last + 1;
        }
        Ok(listed)
    }

    async fn list_prefix(
        &self,
        prefix: i32,
        after: Option<ConversationId>,
        limit: usize,
        listed: &mut Vec<(ConversationId, Seq)>,
    ) -> Result<(), Error> {
        let mut after = after.map_or_else(Vec::new, |after| after.as_bytes().to_vec());
        while listed.len() < limit {
            let page = i32::try_from(limit - listed.len()).unwrap_or(PAGE).min(PAGE);
            let statement = &self.statements.conversations;
            let rows = self.database.rows::<(Vec<u8>, i64)>(statement, (prefix, &after, page)).await?;
            let Some((last, _)) = rows.last() else { break };
            after = last.clone();
            let is_all = rows.len() < page as usize;
            let tails = rows.into_iter().map(|(id, bucket)| async move {
                let id =
                    ConversationId::from_slice(&id).ok_or_else(|| Error::corrupt("no conversation has this id"))?;
                // What was appended has a majority: a list need not settle what is under way.
                Ok::<_, Error>((id, self.tail_near(&self.statements.tail_majority, id, bucket).await?))
            });
            let tails: Vec<_> = stream::iter(tails).buffered(CONCURRENT_MAX).try_collect().await?;
            // One that was noted and never begun is none.
            listed.extend(tails.into_iter().filter(|(_, tail)| *tail > Seq::ZERO));
            if is_all {
                break;
            }
        }
        Ok(())
    }
}

fn prefix(conversation: ConversationId) -> i32 {
    (conversation.0.as_u128() >> (128 - PREFIX_BITS)) as i32
}
