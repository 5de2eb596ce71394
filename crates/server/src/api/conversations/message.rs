//! `GET /conversations/{id}/messages/{message}`

use axum::Json;
use axum::extract::State;
use klatch_core::ids::{CommandId, ConversationId};
use klatch_ports::Error;
use klatch_protocol::log::decode_index;
use klatch_protocol::rest::MessagePlace;

use crate::api::ApiState;
use crate::api::auth::Signed;
use crate::api::extract::PathIds;
use crate::api::problem::Refusal;

/// Where a message is.
#[utoipa::path(get, path = "/conversations/{id}/messages/{message}", tag = "History",
    params(("id" = Uuid, Path, description = "The conversation."), ("message" = Uuid, Path, description = "The message.")),
    responses((status = 200, description = "Its place.", body = MessagePlace)))]
pub async fn message(
    State(state): State<ApiState>,
    Signed(identity): Signed,
    PathIds(conversation, message): PathIds,
) -> Result<Json<MessagePlace>, Refusal> {
    let reader = super::reader(&state, identity.user, conversation).await?;
    let found = state.services.event_log.find(ConversationId(conversation), &[CommandId(message)]).await?;
    let found = found.into_iter().next().flatten().map(|bytes| decode_index(&bytes).map_err(Error::corrupt));
    let place = found.transpose()?.filter(|known| known.is_message && known.seq >= reader.first());
    let place = place.ok_or_else(|| Refusal::new(klatch_protocol::objects::Slug::NoSuchMessage))?;
    Ok(Json(MessagePlace { id: message, seq: place.seq.0 }))
}
