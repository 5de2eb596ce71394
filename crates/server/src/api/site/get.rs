//! `GET /site`

use axum::Json;
use axum::extract::State;
use klatch_protocol::rest::SiteInfo;

use super::site_info;
use crate::api::ApiState;
use crate::api::problem::Refusal;

/// The site.
#[utoipa::path(get, path = "/site", tag = "Site", security(()),
    responses((status = 200, description = "What everybody may know.", body = SiteInfo)))]
pub async fn get(State(state): State<ApiState>) -> Result<Json<SiteInfo>, Refusal> {
    Ok(Json(site_info(state.accounts.site().await?)))
}
