//! `/site`: what everybody may know, and owners may change.

mod change;
mod get;

use klatch_ports::directory::{Registration, Site};
use klatch_protocol::rest::{self, SiteInfo};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ApiState;

pub fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(get::get, change::change))
}

fn site_info(site: Site) -> SiteInfo {
    SiteInfo {
        name: site.name,
        registration: match site.registration {
            Registration::Invite => rest::Registration::Invite,
            Registration::Open => rest::Registration::Open,
            Registration::Closed => rest::Registration::Closed,
        },
        needs_owner: !site.owned,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}
