//! `GET /channels`

use axum::Json;
use axum::extract::State;
use klatch_core::ids::ConversationId;
use klatch_protocol::rest::{ChannelItem, Page};
use serde::Deserialize;

use super::item;
use crate::api::ApiState;
use crate::api::auth::Signed;
use crate::api::extract::{Paging, Params};
use crate::api::problem::Refusal;

/// What to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// A part of a name or topic.
    #[serde(default)]
    query: String,
}

/// Channels, in order of name.
#[utoipa::path(get, path = "/channels", tag = "Conversations", params(Wanted, Paging),
    responses((status = 200, description = "A page of channels.", body = Page<ChannelItem>)))]
pub async fn list(
    State(state): State<ApiState>,
    Signed(identity): Signed,
    Params(wanted): Params<Wanted>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<ChannelItem>>, Refusal> {
    let after = paging.after.as_deref().map(parse).transpose()?;
    let found = state.services.views.channels(&wanted.query, after, paging.limit()).await?;
    let mut items = Vec::with_capacity(found.len());
    for channel in found {
        items.push(item(&state, identity.user, channel).await?);
    }
    Ok(Json(paging.page(items, |item: &ChannelItem| format!("{}.{}", item.id, item.name))))
}

fn parse(cursor: &str) -> Result<(String, ConversationId), Refusal> {
    let parts = cursor.split_once('.').and_then(|(id, name)| Some((name.to_owned(), id.parse().ok()?)));
    parts.ok_or_else(|| Refusal::invalid("`after` is `next` of the page before."))
}
