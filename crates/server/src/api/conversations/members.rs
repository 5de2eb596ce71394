//! `GET /conversations/{id}/members`

use axum::Json;
use axum::extract::State;
use klatch_core::ids::ConversationId;
use klatch_protocol::rest::{MemberItem, Page};
use serde::Deserialize;

use crate::accounts::user_object;
use crate::api::ApiState;
use crate::api::auth::Signed;
use crate::api::extract::{Paging, Params, PathId};
use crate::api::problem::Refusal;
use crate::roster::{self, Row};

/// Whom to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// A part of a name or display name.
    #[serde(default)]
    query: String,
}

/// Who is in a conversation.
///
/// With how far they have read and received. With `query`, in order of name; a page may then have fewer than `limit` items, or none,
/// and still be followed by another.
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
    let (conversation, limit) = (ConversationId(id), paging.limit());
    let query = wanted.query.trim();
    let (rows, next) = if query.is_empty() {
        let after = paging.after.map(|after| after.parse()).transpose();
        let after = after.map_err(|_| Refusal::invalid("`after` is `next` of the page before."))?;
        let (rows, next) = roster::everybody(&state.services, conversation, after, limit).await?;
        (rows, next.map(|user| user.to_string()))
    } else {
        roster::named(&state.services, conversation, query, paging.after, limit).await?
    };
    Ok(Json(Page { items: rows.into_iter().map(member_item).collect(), next }))
}

fn member_item((account, membership, cursor): Row) -> MemberItem {
    MemberItem {
        user: user_object(account),
        role: membership.role.into(),
        joined_seq: membership.joined.0,
        read: cursor.read.0,
        delivered: cursor.delivered.0,
    }
}
