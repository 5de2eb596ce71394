//! `GET /conversations/{id}/members`

use axum::Json;
use axum::extract::State;
use klatch_core::ids::{ConversationId, UserId};
use klatch_ports::views::{Cursor, Membership};
use klatch_protocol::rest::{MemberItem, Page};
use serde::Deserialize;

use crate::accounts::user_object;
use crate::api::ApiState;
use crate::api::auth::Signed;
use crate::api::extract::{LIMIT_MAX, Paging, Params, PathId};
use crate::api::problem::Refusal;

/// Whom to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// A part of a name or display name: then those members whom it finds, on one page.
    #[serde(default)]
    query: Option<String>,
}

/// Who is in a conversation, with how far they have read.
#[utoipa::path(get, path = "/conversations/{id}/members", tag = "Conversations",
    params(("id" = Uuid, Path, description = "The conversation."), Wanted, Paging),
    responses((status = 200, description = "A page of members.", body = Page<MemberItem>)))]
pub async fn members(
    State(state): State<ApiState>,
    Signed(identity): Signed,
    PathId(id): PathId,
    Params(wanted): Params<Wanted>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<MemberItem>>, Refusal> {
    super::reader(&state, identity.user, id).await?;
    let conversation = ConversationId(id);
    if let Some(query) = wanted.query.filter(|query| !query.is_empty()) {
        return Ok(Json(Page::whole(found(&state, conversation, &query, paging.limit()).await?)));
    }
    let after = paging.after.as_deref().map(str::parse::<UserId>).transpose();
    let after = after.map_err(|_| Refusal::invalid("`after` is `next` of the page before."))?;
    let rows = state.services.views.members(conversation, after, paging.limit()).await?;
    let items = items(&state, rows).await?;
    Ok(Json(paging.page(items, |item: &MemberItem| item.user.id.to_string())))
}

/// Members by a part of their name.
async fn found(
    state: &ApiState,
    conversation: ConversationId,
    query: &str,
    limit: usize,
) -> Result<Vec<MemberItem>, Refusal> {
    let mut rows = Vec::new();
    for account in state.accounts.search(query, None, LIMIT_MAX).await? {
        if let Some(membership) = state.services.views.membership(account.id, conversation).await? {
            rows.push((account.id, membership, Cursor::default()));
        }
        if rows.len() >= limit {
            break;
        }
    }
    items(state, rows).await
}

async fn items(state: &ApiState, rows: Vec<(UserId, Membership, Cursor)>) -> Result<Vec<MemberItem>, Refusal> {
    let users: Vec<_> = rows.iter().map(|(user, ..)| *user).collect();
    let accounts = state.services.directory.accounts(&users).await?;
    let items = rows.into_iter().zip(accounts).filter_map(|((_, membership, cursor), account)| {
        Some(MemberItem {
            user: user_object(account?),
            role: membership.role.into(),
            joined_seq: membership.joined.0,
            read: cursor.read.0,
            delivered: cursor.delivered.0,
        })
    });
    Ok(items.collect())
}
