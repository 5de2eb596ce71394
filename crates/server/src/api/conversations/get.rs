//! `GET /conversations/{id}`

use axum::Json;
use axum::extract::State;
use klatch_core::ids::ConversationId;
use klatch_protocol::objects::Conversation;

use crate::api::ApiState;
use crate::api::auth::Signed;
use crate::api::extract::PathId;
use crate::api::problem::Refusal;
use crate::inbox;

/// One conversation.
#[utoipa::path(get, path = "/conversations/{id}", tag = "Conversations",
    params(("id" = Uuid, Path, description = "The conversation.")),
    responses((status = 200, description = "The conversation, as one's list shows it.", body = Conversation)))]
pub async fn get(
    State(state): State<ApiState>,
    Signed(identity): Signed,
    PathId(id): PathId,
) -> Result<Json<Conversation>, Refusal> {
    let item = inbox::item(&state.services, &state.sealer, identity.user, ConversationId(id)).await?;
    item.map(Json).ok_or_else(Refusal::not_found)
}
