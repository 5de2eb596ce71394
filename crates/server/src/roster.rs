//! Who is in a conversation.

use klatch_core::ids::{ConversationId, UserId};
use klatch_ports::Error;
use klatch_ports::directory::Account;
use klatch_ports::views::{Cursor, Membership};

use crate::services::Services;

/// A member: who, as what, and how far they are.
pub type Row = (Account, Membership, Cursor);

/// LIMIT: people who are looked at to answer one question for members of some name; the page then ends early.
const LOOKED_AT_MAX: usize = 2_000;
const LOOKED_AT_ONCE: usize = 200;

/// Members in order of id, from after `after` on, and where the next page begins.
///
/// # Errors
/// A port failed.
pub async fn everybody(
    services: &Services,
    conversation: ConversationId,
    after: Option<UserId>,
    limit: usize,
) -> Result<(Vec<Row>, Option<UserId>), Error> {
    let members = services.views.members(conversation, after, limit).await?;
    let next = members.last().filter(|_| members.len() >= limit).map(|(user, ..)| *user);
    let users: Vec<_> = members.iter().map(|(user, ..)| *user).collect();
    let accounts = services.directory.accounts(&users).await?;
    let rows = members.into_iter().zip(accounts);
    Ok((rows.filter_map(|((_, membership, cursor), account)| Some((account?, membership, cursor))).collect(), next))
}

/// Members whose name or display name holds `query`, in order of name, from after the name `after` on, and where the next page
/// begins.
///
/// # Errors
/// A port failed.
pub async fn named(
    services: &Services,
    conversation: ConversationId,
    query: &str,
    after: Option<String>,
    limit: usize,
) -> Result<(Vec<Row>, Option<String>), Error> {
    let (mut rows, mut after) = (Vec::new(), after);
    for _ in 0..LOOKED_AT_MAX / LOOKED_AT_ONCE {
        let accounts = services.directory.search(query, after.as_deref(), LOOKED_AT_ONCE).await?;
        let is_last = accounts.len() < LOOKED_AT_ONCE;
        for account in accounts {
            after = Some(account.name.clone());
            let Some(row) = services.views.inbox_row(account.id, conversation).await? else { continue };
            rows.push((account, row.membership, row.cursor));
            if rows.len() >= limit {
                return Ok((rows, after));
            }
        }
        if is_last {
            return Ok((rows, None));
        }
    }
    Ok((rows, after))
}
