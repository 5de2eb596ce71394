//! `PUT /conversations/{id}/cursor`

use axum::extract::State;
use klatch_core::ids::{ConversationId, Seq};
use klatch_ports::views::Cursor;
use klatch_protocol::objects::ReadCursor;
use klatch_protocol::rest::CursorMove;

use crate::api::ApiState;
use crate::api::auth::Signed;
use crate::api::extract::{Json, PathId};
use crate::api::problem::Refusal;
use crate::cursors;

/// Say how far one has read or received.
///
/// `read` carries a version, one more than the one before; the highest wins on all devices, also where its `seq` is lower ("mark
/// as unread"). `delivered` only grows. It may be repeated.
#[utoipa::path(put, path = "/conversations/{id}/cursor", tag = "Conversations", request_body = CursorMove,
    params(("id" = Uuid, Path, description = "The conversation.")),
    responses((status = 200, description = "The read cursor as it is now.", body = ReadCursor)))]
pub async fn move_cursor(
    State(state): State<ApiState>,
    Signed(identity): Signed,
    PathId(id): PathId,
    Json(wanted): Json<CursorMove>,
) -> Result<axum::Json<ReadCursor>, Refusal> {
    let read = wanted.read.map_or((Seq::ZERO, 0), |read| (Seq(read.seq), read.version));
    let delivered = Seq(wanted.delivered.unwrap_or_default());
    let cursor = Cursor { delivered, read: read.0, version: read.1, read_worthy: 0 };
    let moved = cursors::write(&state.services, vec![(identity.user, ConversationId(id), cursor)]).await?;
    let Cursor { read, read_worthy, version, .. } =
        moved.into_iter().next().flatten().ok_or_else(Refusal::not_found)?;
    Ok(axum::Json(ReadCursor { seq: read.0, version, worthy: read_worthy }))
}
