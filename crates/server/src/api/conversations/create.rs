//! `POST /conversations`

use axum::extract::State;
use axum::http::StatusCode;
use klatch_core::conversation::{Founding, History, Kind, Rejection};
use klatch_core::ids::{ConversationId, UserId};
use klatch_core::limits::CONVERSATIONS_PER_PERSON_MAX;
use klatch_ports::directory::State as AccountState;
use klatch_protocol::log::Outcome;
use klatch_protocol::objects::{Conversation, Slug};
use klatch_protocol::rest::NewConversation;

use crate::api::ApiState;
use crate::api::auth::Signed;
use crate::api::extract::Json;
use crate::api::problem::Refusal;
use crate::commanding::{check_id, direct_conversation, prepare_founding, problem, refusal};
use crate::inbox;

/// Begin a conversation.
///
/// Of two people there is one direct conversation: where it exists, it is the answer. The `id` is that of the command; sent again, it
/// is the same conversation.
#[utoipa::path(post, path = "/conversations", tag = "Conversations", request_body = NewConversation,
    responses((status = 201, description = "The conversation.", body = Conversation),
        (status = 200, description = "It was there before.", body = Conversation)))]
pub async fn create(
    State(state): State<ApiState>,
    Signed(identity): Signed,
    Json(wanted): Json<NewConversation>,
) -> Result<(StatusCode, axum::Json<Conversation>), Refusal> {
    let user = identity.user;
    check_id(wanted.id)?;
    let id = wanted.id;
    let (conversation, founding) = founding(&state, user, wanted)?;
    if let Some(found) = existing(&state, user, conversation, founding.kind).await? {
        return Ok((StatusCode::OK, axum::Json(found)));
    }
    let blocked = check(&state, user, &founding).await?;
    let is_direct = founding.kind == Kind::Direct;
    let command = prepare_founding(&state.sealer, user, id, founding).await?;
    let outcome =
        state.conversations.command(conversation, command, Some(blocked && is_direct)).await.map_err(refusal)?;
    let status = match outcome {
        Outcome::Committed { repeated: false, .. } => StatusCode::CREATED,
        Outcome::Committed { repeated: true, .. } => StatusCode::OK,
        // Both of a pair began it at the same moment.
        Outcome::Rejected(Rejection::AlreadyExists) if is_direct => StatusCode::OK,
        other => return Err(problem(other).into()),
    };
    let item = inbox::item(&state.services, &state.sealer, user, conversation).await?;
    item.map(|item| (status, axum::Json(item))).ok_or_else(Refusal::not_found)
}

fn founding(state: &ApiState, user: UserId, wanted: NewConversation) -> Result<(ConversationId, Founding), Refusal> {
    let kind: Kind = wanted.kind.into();
    let history = wanted.history.map_or(History::All, Into::into);
    if kind != Kind::Direct {
        let members = wanted.members.into_iter().map(UserId).collect();
        let founding = Founding { kind, name: wanted.name, topic: wanted.topic, history, members };
        return Ok((ConversationId(wanted.id), founding));
    }
    let with = wanted.with.ok_or_else(|| Refusal::invalid("A direct conversation needs `with`."))?;
    let other = UserId(with);
    let members = if other == user { Vec::new() } else { vec![other] };
    let founding = Founding { kind, name: String::new(), topic: String::new(), history: History::All, members };
    Ok((direct_conversation(&state.services, user, other), founding))
}

/// The direct conversation of this pair, if there is one.
async fn existing(
    state: &ApiState,
    user: UserId,
    conversation: ConversationId,
    kind: Kind,
) -> Result<Option<Conversation>, Refusal> {
    if kind != Kind::Direct {
        return Ok(None);
    }
    Ok(inbox::item(&state.services, &state.sealer, user, conversation).await?)
}

/// Whether everybody exists and has room; true if somebody and the founder are blocked.
async fn check(state: &ApiState, user: UserId, founding: &Founding) -> Result<bool, Refusal> {
    let (directory, views) = (&state.services.directory, &state.services.views);
    let everybody: Vec<_> = founding.members.iter().copied().chain([user]).collect();
    let accounts = directory.accounts(&everybody).await?;
    if accounts.iter().any(|account| account.as_ref().is_none_or(|account| account.state != AccountState::Active)) {
        return Err(Refusal::not_found().detail("Somebody among them does not exist."));
    }
    for person in &everybody {
        if views.memberships(*person).await? >= CONVERSATIONS_PER_PERSON_MAX as u64 {
            return Err(Refusal::new(Slug::TooManyConversations));
        }
    }
    for member in &founding.members {
        if directory.blocked(user, *member).await? {
            if founding.kind == Kind::Direct {
                return Ok(true);
            }
            return Err(Refusal::new(Slug::Blocked));
        }
    }
    Ok(false)
}
