//! `GET /me`

use axum::Json;
use axum::extract::State;
use klatch_protocol::objects::User;

use crate::accounts::user_object;
use crate::api::ApiState;
use crate::api::auth::Signed;
use crate::api::problem::Refusal;

/// Oneself.
#[utoipa::path(get, path = "/me", tag = "Me", responses((status = 200, description = "Oneself.", body = User)))]
pub async fn get(State(state): State<ApiState>, Signed(identity): Signed) -> Result<Json<User>, Refusal> {
    Ok(Json(user_object(state.accounts.account(identity.user).await?)))
}
