//! Mending: what a replay made of a conversation becomes the parameters of one call. What that does to the tables is said in
//! `migrations/003_mend.sql`.

use klatch_core::ids::{ConversationId, Seq};
use klatch_ports::Error;
use klatch_ports::views::{Dump, Replayed};
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::columns::code;
use crate::drivers::postgres::columns::{get, signed};
use crate::drivers::postgres::{Database, Param};

/// Makes what was projected what a replay made of it, if it goes as far as `at`; false if it does not.
pub async fn mend(database: &Database, conversation: ConversationId, at: Seq, to: &Replayed) -> Result<bool, Error> {
    let Dump { kind, texts: [name, topic], history, head, members, mentions } = &to.dump;
    let people: Vec<Uuid> = members.iter().map(|(user, _)| user.0).collect();
    let roles: Vec<i16> = members.iter().map(|(_, member)| code(member.role)).collect();
    let places = numbers(members.iter().map(|(_, member)| member.joined.0))?;
    let mentioned: Vec<Uuid> = mentions.iter().map(|(user, _)| user.0).collect();
    let mentions = numbers(mentions.iter().map(|(_, seq)| seq.0))?;
    let readers: Vec<Uuid> = to.reads.iter().map(|(user, ..)| user.0).collect();
    let reads = numbers(to.reads.iter().map(|(_, seq, _)| seq.0))?;
    let worthies = numbers(to.reads.iter().map(|(.., worthy)| *worthy))?;
    let (kind, history) = (kind.map(code), history.map(code));
    let (name_lower, topic_lower) = (name.to_lowercase(), topic.to_lowercase());
    let [at, seq, worthy, time, message] = [at.0, head.seq.0, head.worthy, head.at.0, head.message.0].map(signed);
    let params: [Param<'_>; 20] = [
        (&conversation.0, Type::UUID),
        (&at?, Type::INT8),
        (&seq?, Type::INT8),
        (&worthy?, Type::INT8),
        (&time?, Type::INT8),
        (&message?, Type::INT8),
        (&kind, Type::INT2),
        (&history, Type::INT2),
        (name, Type::TEXT),
        (&name_lower, Type::TEXT),
        (topic, Type::TEXT),
        (&topic_lower, Type::TEXT),
        (&people, Type::UUID_ARRAY),
        (&roles, Type::INT2_ARRAY),
        (&places, Type::INT8_ARRAY),
        (&mentioned, Type::UUID_ARRAY),
        (&mentions, Type::INT8_ARRAY),
        (&readers, Type::UUID_ARRAY),
        (&reads, Type::INT8_ARRAY),
        (&worthies, Type::INT8_ARRAY),
    ];
    let places: Vec<String> = (1..=params.len()).map(|n| format!("${n}")).collect();
    let rows = database.query(&format!("SELECT views.mend({}) AS mended", places.join(", ")), &params).await?;
    rows.first().map_or(Ok(false), |row| get(row, "mended"))
}

fn numbers(all: impl Iterator<Item = u64>) -> Result<Vec<i64>, Error> {
    all.map(signed).collect()
}
