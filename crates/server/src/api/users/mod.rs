//! `/users`: people.

mod change;
mod get;
mod list;
mod reset;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ApiState;

pub fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(get::get, change::change))
        .routes(routes!(reset::make_reset))
}
