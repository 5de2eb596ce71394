//! `POST /conversations/{id}/commands`

use axum::extract::State;
use klatch_core::ids::ConversationId;
use klatch_protocol::log::Outcome;
use klatch_protocol::objects::NewCommand;
use klatch_protocol::rest::CommandAnswer;

use crate::api::ApiState;
use crate::api::auth::Signed;
use crate::api::extract::{Json, PathId};
use crate::api::problem::Refusal;
use crate::commanding::{check, count, prepare, problem, refusal};

/// Do something in a conversation.
///
/// The same commands as on the gateway. It carries its own `id`: sent again, it takes effect once.
#[utoipa::path(post, path = "/conversations/{id}/commands", tag = "Conversations", request_body = NewCommand,
    params(("id" = Uuid, Path, description = "The conversation.")),
    responses((status = 200, description = "It is durable.", body = CommandAnswer)))]
pub async fn command(
    State(state): State<ApiState>,
    Signed(identity): Signed,
    PathId(id): PathId,
    Json(new): Json<NewCommand>,
) -> Result<axum::Json<CommandAnswer>, Refusal> {
    let (services, user, conversation) = (&state.services, identity.user, ConversationId(id));
    let (command_id, now) = (new.id, services.clock.now());
    count(services, user, state.options.commands).await?;
    let blocked = check(services, user, conversation, &new.command).await?;
    let command = prepare(&state.sealer, now, user, conversation, new).await?;
    match state.conversations.command(conversation, command, blocked).await.map_err(refusal)? {
        Outcome::Committed { seq, repeated } => {
            Ok(axum::Json(CommandAnswer { id: command_id, conversation: id, seq: seq.0, repeated }))
        }
        other => Err(problem(other).into()),
    }
}
