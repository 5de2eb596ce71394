//! `/invites`: links with which people sign up. For owners of the site.

mod create;
mod list;
mod remove;

use klatch_ports::directory::Invite;
use klatch_protocol::rest::InviteItem;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ApiState;

pub fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list::list, create::create)).routes(routes!(remove::remove))
}

fn invite_item(invite: &Invite) -> InviteItem {
    let expires_at = invite.expires_at.map(|at| at.0);
    InviteItem { id: invite.id, token: None, link: None, uses_left: invite.uses_left, expires_at }
}
