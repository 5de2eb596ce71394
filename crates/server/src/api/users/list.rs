//! `GET /users`

use axum::Json;
use axum::extract::State;
use klatch_core::ids::UserId;
use klatch_protocol::objects::User;
use klatch_protocol::rest::Page;
use serde::Deserialize;

use crate::accounts::user_object;
use crate::api::ApiState;
use crate::api::auth::Signed;
use crate::api::extract::{LIMIT_MAX, Paging, Params};
use crate::api::problem::Refusal;

/// Whom to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// A part of a name or display name.
    #[serde(default)]
    query: String,
    /// These people, at most 200 ids with commas between them; then nothing else counts.
    #[serde(default)]
    id: Option<String>,
}

/// People.
///
/// Whoever's name or display name holds `query`, in order of name; or those with these ids. Who closed their account is only found
/// by id.
#[utoipa::path(get, path = "/users", tag = "People", params(Wanted, Paging),
    responses((status = 200, description = "A page of people.", body = Page<User>)))]
pub async fn list(
    State(state): State<ApiState>,
    _signed: Signed,
    Params(wanted): Params<Wanted>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<User>>, Refusal> {
    if let Some(ids) = wanted.id {
        let ids = parse(&ids)?;
        let accounts = state.accounts.accounts(&ids).await?;
        return Ok(Json(Page::whole(accounts.into_iter().map(user_object).collect())));
    }
    let accounts = state.accounts.search(&wanted.query, paging.after.as_deref(), paging.limit()).await?;
    let users = accounts.into_iter().map(user_object).collect();
    Ok(Json(paging.page(users, |user: &User| user.name.clone())))
}

fn parse(ids: &str) -> Result<Vec<UserId>, Refusal> {
    let ids: Result<Vec<UserId>, _> =
        ids.split(',').filter(|id| !id.is_empty()).take(LIMIT_MAX + 1).map(str::parse).collect();
    let ids = ids.map_err(|_| Refusal::invalid("`id` holds UUIDs with commas between them."))?;
    if ids.len() > LIMIT_MAX {
        return Err(Refusal::invalid("`id` holds at most 200 ids."));
    }
    Ok(ids)
}
