//! `GET /invites`

use axum::Json;
use axum::extract::State;
use klatch_protocol::rest::{InviteItem, Page};

use super::invite_item;
use crate::api::ApiState;
use crate::api::auth::Signed;
use crate::api::problem::Refusal;

/// Invites that still let somebody in.
///
/// Newest first, without their tokens.
#[utoipa::path(get, path = "/invites", tag = "Invites",
    responses((status = 200, description = "All of them.", body = Page<InviteItem>)))]
pub async fn list(State(state): State<ApiState>, Signed(identity): Signed) -> Result<Json<Page<InviteItem>>, Refusal> {
    let invites = state.accounts.invites(identity).await?;
    Ok(Json(Page::whole(invites.iter().map(invite_item).collect())))
}
