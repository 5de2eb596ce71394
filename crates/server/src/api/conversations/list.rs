//! `GET /conversations`

use axum::Json;
use axum::extract::State;
use klatch_protocol::objects::Conversation;
use klatch_protocol::rest::Page;

use crate::api::ApiState;
use crate::api::auth::Signed;
use crate::api::extract::{Paging, Params};
use crate::api::problem::Refusal;
use crate::inbox;

/// One's own conversations, newest activity first.
#[utoipa::path(get, path = "/conversations", tag = "Conversations", params(Paging),
    responses((status = 200, description = "A page of conversations.", body = Page<Conversation>)))]
pub async fn list(
    State(state): State<ApiState>,
    Signed(identity): Signed,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<Conversation>>, Refusal> {
    let (services, sealer) = (&state.services, &state.sealer);
    let (items, next) = inbox::page(services, sealer, identity.user, paging.after.as_deref(), paging.limit()).await?;
    Ok(Json(Page { items, next }))
}
