//! `GET /channels/{id}`

use axum::Json;
use axum::extract::State;
use klatch_core::conversation::Kind;
use klatch_core::ids::ConversationId;
use klatch_protocol::rest::ChannelItem;

use super::item;
use crate::api::ApiState;
use crate::api::auth::Signed;
use crate::api::extract::PathId;
use crate::api::problem::Refusal;

/// One channel: what whoever follows a link to it sees before they join.
///
/// Conversations of other kinds are answered as if they did not exist.
#[utoipa::path(get, path = "/channels/{id}", tag = "Conversations",
    params(("id" = Uuid, Path, description = "The channel.")),
    responses((status = 200, description = "The channel.", body = ChannelItem)))]
pub async fn get(
    State(state): State<ApiState>,
    Signed(identity): Signed,
    PathId(id): PathId,
) -> Result<Json<ChannelItem>, Refusal> {
    let found = state.services.views.describe(&[ConversationId(id)]).await?.pop().flatten();
    let channel = found.filter(|found| found.kind == Kind::Channel).ok_or_else(Refusal::not_found)?;
    Ok(Json(item(&state, identity.user, channel).await?))
}
