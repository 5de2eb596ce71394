//! `PATCH /users/{id}`

use axum::extract::State;
use klatch_core::ids::UserId;
use klatch_ports::directory::Role;
use klatch_protocol::objects::{AccountRole, User};
use klatch_protocol::rest::UserChange;

use crate::accounts::user_object;
use crate::api::ApiState;
use crate::api::auth::Signed;
use crate::api::extract::{Json, PathId};
use crate::api::problem::Refusal;

/// Make a person an owner of the site, or no longer.
///
/// For owners of the site. One always remains.
#[utoipa::path(patch, path = "/users/{id}", tag = "People", request_body = UserChange,
    params(("id" = Uuid, Path, description = "The person.")),
    responses((status = 200, description = "The person, changed.", body = User)))]
pub async fn change(
    State(state): State<ApiState>,
    Signed(identity): Signed,
    PathId(id): PathId,
    Json(body): Json<UserChange>,
) -> Result<axum::Json<User>, Refusal> {
    let role = match body.role {
        AccountRole::Member => Role::Member,
        AccountRole::Owner => Role::Owner,
    };
    Ok(axum::Json(user_object(state.accounts.set_role(identity, UserId(id), role).await?)))
}
