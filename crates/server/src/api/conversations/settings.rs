//! `PATCH /me/conversations/{id}`

use axum::extract::State;
use klatch_core::ids::ConversationId;
use klatch_ports::live::{Said, Topic};
use klatch_protocol::log::Personal;
use klatch_protocol::objects::Conversation;
use klatch_protocol::rest::SettingsChange;

use crate::api::ApiState;
use crate::api::auth::Signed;
use crate::api::extract::{Json, PathId};
use crate::api::problem::Refusal;
use crate::inbox;

/// Change one's own settings for a conversation.
#[utoipa::path(patch, path = "/me/conversations/{id}", tag = "Conversations", request_body = SettingsChange,
    params(("id" = Uuid, Path, description = "The conversation.")),
    responses((status = 200, description = "The conversation, as one's list shows it now.", body = Conversation)))]
pub async fn set(
    State(state): State<ApiState>,
    Signed(identity): Signed,
    PathId(id): PathId,
    Json(change): Json<SettingsChange>,
) -> Result<axum::Json<Conversation>, Refusal> {
    let (user, conversation) = (identity.user, ConversationId(id));
    let views = &state.services.views;
    let row = views.inbox_row(user, conversation).await?.ok_or_else(Refusal::not_found)?;
    let mut settings = row.settings;
    settings.notify = change.notify.map_or(settings.notify, inbox::notify);
    settings.favourite = change.favourite.unwrap_or(settings.favourite);
    if !views.set_settings(user, conversation, settings).await? {
        return Err(Refusal::not_found());
    }
    // Other devices hear of it now; one that does not sees it when it syncs.
    let said = Said { topic: Topic::User(user), payload: Personal::Conversation(conversation).encode() };
    if let Err(error) = state.services.live.publish(vec![said]).await {
        tracing::debug!(%error, "other devices were not told of new settings");
    }
    let item = inbox::item(&state.services, &state.sealer, user, conversation).await?;
    item.map(axum::Json).ok_or_else(Refusal::not_found)
}
