//! `/channels`: what can be joined.

mod get;
mod list;

use klatch_core::ids::UserId;
use klatch_ports::Error;
use klatch_ports::views::Description;
use klatch_protocol::rest::ChannelItem;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ApiState;

pub fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list::list)).routes(routes!(get::get))
}

/// A channel as `reader` sees it.
async fn item(state: &ApiState, reader: UserId, channel: Description) -> Result<ChannelItem, Error> {
    let joined = state.services.views.membership(reader, channel.conversation).await?.is_some();
    let Description { conversation, name, topic, members, .. } = channel;
    Ok(ChannelItem { id: conversation.0, name, topic, members, joined })
}
