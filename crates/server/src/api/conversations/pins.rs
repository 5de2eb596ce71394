//! `GET /conversations/{id}/pins`

use axum::Json;
use axum::extract::State;
use klatch_core::ids::{ConversationId, Seq};
use klatch_ports::Error;
use klatch_protocol::log::decode_overlay;
use klatch_protocol::rest::HistoryPage;

use crate::api::ApiState;
use crate::api::auth::Signed;
use crate::api::extract::PathId;
use crate::api::problem::Refusal;

/// The pinned messages, oldest first, in the shape of a page of history.
#[utoipa::path(get, path = "/conversations/{id}/pins", tag = "History",
    params(("id" = Uuid, Path, description = "The conversation.")),
    responses((status = 200, description = "The pinned messages.", body = HistoryPage)))]
pub async fn pins(
    State(state): State<ApiState>,
    Signed(identity): Signed,
    PathId(id): PathId,
) -> Result<Json<HistoryPage>, Refusal> {
    let reader = super::reader(&state, identity.user, id).await?;
    let rows = state.services.overlays.range(ConversationId(id), reader.first(), Seq(u64::MAX)).await?;
    let mut pinned = Vec::new();
    for (seq, bytes) in rows {
        if decode_overlay(bytes).map_err(Error::corrupt)?.pinned.is_some() {
            pinned.push(seq);
        }
    }
    Ok(Json(reader.messages(&pinned).await?))
}
