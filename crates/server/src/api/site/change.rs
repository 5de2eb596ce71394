//! `PATCH /site`

use axum::extract::State;
use klatch_ports::directory::Registration;
use klatch_protocol::rest::{self, SiteChange, SiteInfo};

use super::site_info;
use crate::api::ApiState;
use crate::api::auth::Signed;
use crate::api::extract::Json;
use crate::api::problem::Refusal;

/// Change the site.
///
/// For its owners. What is absent stays.
#[utoipa::path(patch, path = "/site", tag = "Site", request_body = SiteChange,
    responses((status = 200, description = "The site, changed.", body = SiteInfo)))]
pub async fn change(
    State(state): State<ApiState>,
    Signed(identity): Signed,
    Json(body): Json<SiteChange>,
) -> Result<axum::Json<SiteInfo>, Refusal> {
    let registration = body.registration.map(|registration| match registration {
        rest::Registration::Invite => Registration::Invite,
        rest::Registration::Open => Registration::Open,
        rest::Registration::Closed => Registration::Closed,
    });
    Ok(axum::Json(site_info(state.accounts.set_site(identity, body.name, registration).await?)))
}
