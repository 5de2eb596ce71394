//! `POST /invites`

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use klatch_protocol::rest::{InviteItem, NewInvite};

use super::invite_item;
use crate::api::auth::Signed;
use crate::api::extract::OptionalJson;
use crate::api::problem::Refusal;
use crate::api::{ApiState, origin};

/// Make an invite.
///
/// Its token and link are shown this once.
#[utoipa::path(post, path = "/invites", tag = "Invites", request_body = Option<NewInvite>,
    responses((status = 201, description = "The invite, with its token and link.", body = InviteItem)))]
pub async fn create(
    State(state): State<ApiState>,
    Signed(identity): Signed,
    headers: HeaderMap,
    OptionalJson(body): OptionalJson<NewInvite>,
) -> Result<(StatusCode, axum::Json<InviteItem>), Refusal> {
    let (invite, token) = state.accounts.make_invite(identity, body.uses, body.expires_in_s).await?;
    let token = token.expose().to_owned();
    let link = format!("{}/signup#invite={token}", origin::base(&state.options, &headers));
    let item = InviteItem { token: Some(token), link: Some(link), ..invite_item(&invite) };
    Ok((StatusCode::CREATED, axum::Json(item)))
}
