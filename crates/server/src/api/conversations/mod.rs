//! `/conversations`: one's own, and what happens in them.

mod command;
mod create;
mod cursor;
mod events;
mod get;
mod import;
mod list;
mod members;
mod message;
mod pins;
mod settings;

use klatch_core::ids::{ConversationId, UserId};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::ApiState;
use super::problem::Refusal;
use crate::history::Reader;

/// What is read, and what carries an id of its own by which a repeat is known.
pub fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list::list, create::create))
        .routes(routes!(get::get))
        .routes(routes!(members::members))
        .routes(routes!(command::command))
        .routes(routes!(events::events))
        .routes(routes!(message::message))
        .routes(routes!(pins::pins))
        .routes(routes!(cursor::move_cursor))
        .merge(import::router())
}

/// What is known to be repeated by its `Idempotency-Key`.
pub fn with_a_key() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(settings::set))
}

/// Somebody who may read this conversation; to whoever may not, it does not exist.
async fn reader(state: &ApiState, user: UserId, conversation: Uuid) -> Result<Reader<'_>, Refusal> {
    let reader = Reader::admit(&state.services, &state.sealer, user, ConversationId(conversation)).await?;
    reader.ok_or_else(|| Refusal::not_found().detail("There is no such conversation, or you are not in it."))
}
