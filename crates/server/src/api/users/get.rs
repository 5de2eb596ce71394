//! `GET /users/{id}`

use axum::Json;
use axum::extract::State;
use klatch_core::ids::UserId;
use klatch_protocol::objects::User;

use crate::accounts::user_object;
use crate::api::ApiState;
use crate::api::auth::Signed;
use crate::api::extract::PathId;
use crate::api::problem::Refusal;

/// One person.
#[utoipa::path(get, path = "/users/{id}", tag = "People", params(("id" = Uuid, Path, description = "The person.")),
    responses((status = 200, description = "The person.", body = User)))]
pub async fn get(State(state): State<ApiState>, _signed: Signed, PathId(id): PathId) -> Result<Json<User>, Refusal> {
    Ok(Json(user_object(state.accounts.account(UserId(id)).await?)))
}
