//! `GET /conversations/{id}/pins`

use axum::Json;
use axum::extract::State;
use klatch_core::ids::{ConversationId, Seq};
use klatch_protocol::rest::PinsPage;

use crate::api::ApiState;
use crate::api::auth::Signed;
use crate::api::extract::PathId;
use crate::api::problem::Refusal;
use crate::pins;

/// The pinned messages.
///
/// Oldest first, with their overlay.
#[utoipa::path(get, path = "/conversations/{id}/pins", tag = "History",
    params(("id" = Uuid, Path, description = "The conversation.")),
    responses((status = 200, description = "All of them.", body = PinsPage)))]
pub async fn pins(
    State(state): State<ApiState>,
    Signed(identity): Signed,
    PathId(id): PathId,
) -> Result<Json<PinsPage>, Refusal> {
    let reader = super::reader(&state, identity.user, id).await?;
    let pinned: Vec<Seq> = pins::pins(&state.services, ConversationId(id)).await?.into_iter().collect();
    let page = reader.messages(&pinned).await?;
    Ok(Json(PinsPage { items: page.events, overlay: page.overlay }))
}
