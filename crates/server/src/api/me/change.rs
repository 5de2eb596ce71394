//! `PATCH /me`

use axum::extract::State;
use klatch_ports::directory::Profile;
use klatch_protocol::objects::User;
use klatch_protocol::rest::ProfileChange;

use crate::accounts::user_object;
use crate::api::ApiState;
use crate::api::auth::Signed;
use crate::api::extract::Json;
use crate::api::problem::Refusal;

/// Change one's profile.
///
/// What is absent stays.
#[utoipa::path(patch, path = "/me", tag = "Me", request_body = ProfileChange,
    responses((status = 200, description = "Oneself, changed.", body = User)))]
pub async fn change(
    State(state): State<ApiState>,
    Signed(identity): Signed,
    Json(body): Json<ProfileChange>,
) -> Result<axum::Json<User>, Refusal> {
    let profile = Profile { display_name: body.display_name, about: body.about };
    Ok(axum::Json(user_object(state.accounts.set_profile(identity.user, profile).await?)))
}
