//! `/me`: one's own account.

mod block;
mod blocks;
mod change;
mod closure;
mod get;
mod password;
mod unblock;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ApiState;

pub fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(get::get, change::change))
        .routes(routes!(password::set_password))
        .routes(routes!(closure::close))
        .routes(routes!(blocks::blocks))
        .routes(routes!(block::block, unblock::unblock))
}
