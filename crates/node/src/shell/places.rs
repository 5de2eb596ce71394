//! From what people type to what the server knows: conversations and people by their names.

use std::collections::HashMap;

use anyhow::{Context, bail};
use klatch_client::{Rest, new_id};
use klatch_protocol::objects::{Conversation, ConversationKind, Event, EventBody, User};
use klatch_protocol::rest::{ChannelItem, NewConversation, Page};
use uuid::Uuid;

/// People asked for at once.
const PEOPLE_MAX: usize = 200;
/// LIMIT: names that are remembered; beyond, all are asked for anew.
const NAMES_MAX: usize = 50_000;

/// Every conversation of whoever is signed in, newest activity first.
///
/// # Errors
/// The server refused, or cannot be reached.
pub async fn conversations(rest: &Rest) -> anyhow::Result<Vec<Conversation>> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = rest.conversations(after.as_deref()).await?;
        all.extend(page.items);
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(all),
        }
    }
}

/// The conversation that is meant: an id, `#channel`, `@person`, or a name.
///
/// # Errors
/// A sentence that says what to type instead.
pub async fn conversation(rest: &Rest, wanted: &str) -> anyhow::Result<Conversation> {
    if let Ok(id) = Uuid::try_parse(wanted) {
        let found = rest.get(&format!("/conversations/{id}")).await;
        return found.with_context(|| format!("{id} is no conversation of yours"));
    }
    if let Some(name) = wanted.strip_prefix('@') {
        let with = Some(person(rest, name).await?.id);
        let kind = ConversationKind::Direct;
        let (id, name, topic) = (new_id(), String::new(), String::new());
        let new = NewConversation { id, kind, name, topic, history: None, members: Vec::new(), with };
        return Ok(rest.create(&new).await?);
    }
    let name = wanted.strip_prefix('#').unwrap_or(wanted);
    let is_meant =
        |item: &Conversation| item.name == name && (!wanted.starts_with('#') || item.kind == ConversationKind::Channel);
    let mut found: Vec<_> = conversations(rest).await?.into_iter().filter(is_meant).collect();
    match (found.pop(), found.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(one), false) => {
            let ids = found.iter().chain([&one]).map(|item| item.id.to_string()).collect::<Vec<_>>().join(", ");
            bail!("several of your conversations are called \"{name}\"; give the id of one: {ids}")
        }
        (None, _) if channel(rest, name).await?.is_some() => bail!("you are not in #{name}; join it first"),
        (None, _) => bail!("none of your conversations is called \"{name}\"; `klatch conversations` lists them"),
    }
}

/// The channel of this name, whether one is in it or not.
///
/// # Errors
/// The server refused, or cannot be reached.
pub async fn channel(rest: &Rest, name: &str) -> anyhow::Result<Option<ChannelItem>> {
    let mut after: Option<String> = None;
    loop {
        let page: Page<ChannelItem> = rest.get(&path("/channels", &[("query", name)], after.as_deref())).await?;
        if let Some(found) = page.items.into_iter().find(|item| item.name == name) {
            return Ok(Some(found));
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(None),
        }
    }
}

/// The person of this name.
///
/// # Errors
/// There is none.
pub async fn person(rest: &Rest, name: &str) -> anyhow::Result<User> {
    let name = name.strip_prefix('@').unwrap_or(name).to_lowercase();
    let (mut after, mut found) = (None, None);
    while found.is_none() {
        let page = people(rest, &name, after.as_deref()).await?;
        found = page.items.into_iter().find(|user| user.name == name);
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    found.with_context(|| format!("nobody is called @{name}; `klatch users` lists people"))
}

/// A page of people whose name holds `query`.
///
/// # Errors
/// The server refused, or cannot be reached.
pub async fn people(rest: &Rest, query: &str, after: Option<&str>) -> Result<Page<User>, klatch_client::Error> {
    rest.get(&path("/users", &[("query", query), ("limit", "200")], after)).await
}

/// A path with its query, written as addresses must be.
fn path(path: &str, query: &[(&str, &str)], after: Option<&str>) -> String {
    let mut address = reqwest::Url::parse("http://klatch").expect("this is an address");
    address.query_pairs_mut().extend_pairs(query).extend_pairs(after.map(|after| ("after", after)));
    format!("{path}?{}", address.query().unwrap_or_default())
}

/// The names of people, asked for once.
#[derive(Default)]
pub struct Names(HashMap<Uuid, String>);

impl Names {
    /// Looks up whoever appears in these events.
    ///
    /// # Errors
    /// The server refused, or cannot be reached.
    pub async fn learn<'a>(&mut self, rest: &Rest, events: impl Iterator<Item = &'a Event>) -> anyhow::Result<()> {
        let users = events.flat_map(|event| {
            let other = match &event.kind {
                EventBody::Joined { user, .. } | EventBody::Removed { user } | EventBody::RoleSet { user, .. } => {
                    Some(*user)
                }
                _ => None,
            };
            [event.author].into_iter().chain(other)
        });
        let mut missing: Vec<_> = users.filter(|user| !self.0.contains_key(user)).collect();
        missing.sort_unstable();
        missing.dedup();
        if self.0.len() + missing.len() > NAMES_MAX {
            self.0.clear();
        }
        for some in missing.chunks(PEOPLE_MAX) {
            let ids = some.iter().map(Uuid::to_string).collect::<Vec<_>>().join(",");
            let page: Page<User> = rest.get(&format!("/users?id={ids}")).await?;
            self.0.extend(page.items.into_iter().map(|user| (user.id, user.display_name)));
        }
        Ok(())
    }

    /// Somebody's name.
    pub fn of(&self, user: Uuid) -> String {
        self.0.get(&user).cloned().unwrap_or_else(|| user.to_string())
    }
}
