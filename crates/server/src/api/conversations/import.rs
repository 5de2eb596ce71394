//! `POST /conversations/{id}/import`

use std::collections::HashMap;

use axum::extract::{DefaultBodyLimit, State};
use klatch_core::conversation::{Command, CommandKind, Origin, Role};
use klatch_core::ids::{CommandId, ConversationId, Seq, Timestamp, UserId};
use klatch_core::limits::TEXT_BYTES_MAX;
use klatch_protocol::log::{Outcome, encode_body};
use klatch_protocol::objects::{Body, Problem, Slug};
use klatch_protocol::rest::{ImportAnswer, ImportBatch, ImportItem, ImportOutcome};
use tokio::sync::oneshot;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::accounts::Newcomer;
use crate::api::ApiState;
use crate::api::auth::Signed;
use crate::api::extract::{Json, PathId};
use crate::api::problem::Refusal;
use crate::commanding::{problem, refusal, unavailable};
use crate::sealing::Place;

const ITEMS_MAX: usize = 500;
/// Bytes of a request: 500 messages of some length, or some of the longest.
const BYTES_MAX: usize = 4 * 1024 * 1024;

/// Whoever waits for an outcome.
type Told = oneshot::Receiver<Outcome>;

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(import)).layer(DefaultBodyLimit::max(BYTES_MAX))
}

/// Bring in what was said elsewhere.
///
/// For owners of the conversation. Each message has an id derived from where it stands in its source, so that nothing is imported
/// twice. They get their places in the order of the batch. Authors become people that nobody can sign in as.
#[utoipa::path(post, path = "/conversations/{id}/import", tag = "Conversations", request_body = ImportBatch,
    params(("id" = Uuid, Path, description = "The conversation.")),
    responses((status = 200, description = "What became of each.", body = ImportAnswer)))]
async fn import(
    State(state): State<ApiState>,
    Signed(identity): Signed,
    PathId(id): PathId,
    Json(batch): Json<ImportBatch>,
) -> Result<axum::Json<ImportAnswer>, Refusal> {
    let conversation = ConversationId(id);
    let membership = state.services.views.membership(identity.user, conversation).await?;
    let membership = membership.ok_or_else(Refusal::not_found)?;
    if membership.role != Role::Owner {
        return Err(Refusal::new(Slug::NotAllowed).detail("Only owners of the conversation import into it."));
    }
    if batch.items.len() > ITEMS_MAX {
        return Err(Refusal::invalid(format!("At most {ITEMS_MAX} items fit; send them in batches.")));
    }
    let ids: Vec<_> = batch.items.iter().map(|item| item.id).collect();
    let commands = prepare(&state, identity.user, conversation, batch.items).await?;
    let mut waiting = Vec::with_capacity(commands.len());
    let mut full = None;
    for command in commands {
        // Once one did not fit, those after it must not come before it.
        let told = match (command, &full) {
            (Ok(_), Some(problem)) => Err(Problem::clone(problem)),
            (Ok(command), None) => submit(&state, conversation, command).await.inspect_err(|p| full = Some(p.clone())),
            (Err(problem), _) => Err(problem),
        };
        waiting.push(told);
    }
    let mut outcomes = Vec::with_capacity(ids.len());
    for (id, told) in ids.into_iter().zip(waiting) {
        outcomes.push(match outcome(told).await {
            Ok((seq, repeated)) => ImportOutcome { id, seq: Some(seq.0), repeated, problem: None },
            Err(problem) => ImportOutcome { id, seq: None, repeated: false, problem: Some(problem) },
        });
    }
    Ok(axum::Json(ImportAnswer { outcomes }))
}

/// What became of a command that was submitted, or not.
async fn outcome(told: Result<Told, Problem>) -> Result<(Seq, bool), Problem> {
    match told?.await {
        Ok(Outcome::Committed { seq, repeated }) => Ok((seq, repeated)),
        Ok(other) => Err(problem(other)),
        Err(_) => Err(unavailable()),
    }
}

async fn submit(state: &ApiState, conversation: ConversationId, command: Command) -> Result<Told, Problem> {
    let (tell, told) = oneshot::channel();
    state.conversations.submit(conversation, command, Some(false), tell).await.map_err(refusal)?;
    Ok(told)
}

/// Commands for all of them, in their order; authors and keys are looked up, or made, together.
async fn prepare(
    state: &ApiState,
    actor: UserId,
    conversation: ConversationId,
    items: Vec<ImportItem>,
) -> Result<Vec<Result<Command, Problem>>, Refusal> {
    let newcomer =
        |item: &ImportItem| Newcomer { network: item.author.network.clone(), name: item.author.name.clone() };
    let mut people: Vec<_> = items.iter().map(newcomer).collect();
    people.sort();
    people.dedup();
    let users = state.accounts.import_people(&people).await?;
    let keys =
        state.sealer.author_keys(&users).await.map_err(|error| Refusal::new(Slug::Unavailable).because(error))?;
    let authors: HashMap<_, _> = people.into_iter().zip(users.into_iter().zip(keys)).collect();
    let command = |item: ImportItem| {
        measure(&item.body)?;
        let (author, key) = &authors[&newcomer(&item)];
        let Some(key) = key else { return Err(Problem::new(Slug::AccountClosed)) };
        let place = Place { conversation, author: *author, id: CommandId(item.id) };
        let content = serde_json::to_vec(&item).map_err(|_| Problem::new(Slug::InvalidRequest))?;
        Ok(Command {
            id: place.id,
            actor,
            hash: key.hash(&content),
            after: None,
            seen: None,
            claimed_at: Some(Timestamp(item.at)),
            kind: CommandKind::Import {
                author: *author,
                body: state.sealer.seal(key, place, &encode_body(&item.body)),
                replies: item.replies.into_iter().map(CommandId).collect(),
                origin: Origin { network: item.author.network, name: item.author.name },
                quiet: matches!(item.body, Body::Notice { .. }),
            },
        })
    };
    Ok(items.into_iter().map(command).collect())
}

fn measure(body: &Body) -> Result<(), Problem> {
    match body {
        Body::Text { text, .. } | Body::Notice { text } if text.len() > TEXT_BYTES_MAX => {
            Err(Problem::new(Slug::BodyTooLong).detail(format!("At most {TEXT_BYTES_MAX} bytes fit.")))
        }
        Body::Text { .. } | Body::Notice { .. } => Ok(()),
        Body::Unsupported => Err(Problem::new(Slug::InvalidRequest).detail("The body is of no known type.")),
    }
}
