//! `/accounts` and `/password-resets`: what one does without being signed in.

mod reset;
mod sign_up;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ApiState;

pub fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(sign_up::sign_up)).routes(routes!(reset::redeem))
}
