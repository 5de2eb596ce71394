//! `GET /me/blocks`

use axum::Json;
use axum::extract::State;
use klatch_protocol::objects::User;
use klatch_protocol::rest::Page;

use crate::accounts::user_object;
use crate::api::ApiState;
use crate::api::auth::Signed;
use crate::api::problem::Refusal;

/// Whom one has blocked.
#[utoipa::path(get, path = "/me/blocks", tag = "Me",
    responses((status = 200, description = "All of them.", body = Page<User>)))]
pub async fn blocks(State(state): State<ApiState>, Signed(identity): Signed) -> Result<Json<Page<User>>, Refusal> {
    let blocks = state.accounts.blocks(identity.user).await?;
    let accounts = state.accounts.accounts(&blocks).await?;
    Ok(Json(Page::whole(accounts.into_iter().map(user_object).collect())))
}
