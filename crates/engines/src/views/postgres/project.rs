//! Projecting: the rows of a batch become the parameters of one call. What they do to the tables is said in
//! `migrations/002_project.sql`.

use klatch_core::conversation::{History, Kind};
use klatch_core::ids::{ConversationId, Seq, UserId};
use klatch_ports::Error;
use klatch_ports::views::{Projected, Projection, Row};
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::columns::code;
use crate::drivers::postgres::columns::{get, number, signed};
use crate::drivers::postgres::{Database, step};

/// Projects what continues what is there, in one round trip.
pub async fn project(database: &Database, batch: &[Projection]) -> Result<Vec<Projected>, Error> {
    if batch.is_empty() {
        return Ok(Vec::new());
    }
    // As everybody locks. Conversations have nothing to do with one another; what belongs to one stays in order.
    let mut order: Vec<usize> = (0..batch.len()).collect();
    order.sort_by_key(|n| batch[*n].conversation);
    let sorted: Vec<_> = order.iter().map(|n| &batch[*n]).collect();
    let (heads, texts, rows) = (Heads::of(&sorted)?, Texts::of(&sorted), Rows::of(&sorted)?);
    let statement =
        "SELECT views.project($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) AS upto";
    let found = database
        .query(
            statement,
            &[
                (&heads.conversations, Type::UUID_ARRAY),
                (&heads.afters, Type::INT8_ARRAY),
                (&heads.seqs, Type::INT8_ARRAY),
                (&heads.worthies, Type::INT8_ARRAY),
                (&heads.ats, Type::INT8_ARRAY),
                (&heads.messages, Type::INT8_ARRAY),
                (&texts.kinds, Type::INT2_ARRAY),
                (&texts.histories, Type::INT2_ARRAY),
                (&texts.names, Type::TEXT_ARRAY),
                (&texts.names_lower, Type::TEXT_ARRAY),
                (&texts.topics, Type::TEXT_ARRAY),
                (&texts.topics_lower, Type::TEXT_ARRAY),
                (&rows.places, Type::INT4_ARRAY),
                (&rows.sorts, Type::INT2_ARRAY),
                (&rows.people, Type::UUID_ARRAY),
                (&rows.numbers, Type::INT8_ARRAY),
                (&rows.others, Type::INT8_ARRAY),
            ],
        )
        .await?;
    let upto: Vec<Option<i64>> = found.first().map_or(Ok(Vec::new()), |row| get(row, "upto"))?;
    let mut outcomes = vec![Projected::Now; batch.len()];
    for (place, upto) in order.into_iter().zip(upto) {
        let Some(upto) = upto else { continue };
        let upto = Seq(u64::try_from(upto).map_err(Error::corrupt)?);
        outcomes[place] = if batch[place].head.seq <= upto { Projected::Before } else { Projected::Missing(upto) };
    }
    Ok(outcomes)
}

/// How far the views of this conversation go.
pub async fn projected(database: &Database, conversation: ConversationId) -> Result<Seq, Error> {
    let sql = "SELECT seq FROM views.heads WHERE conversation = $1";
    let rows = database.query(sql, &[(&conversation.0, Type::UUID)]).await?;
    let seq = rows.first().map(|row| number(row, "seq")).transpose()?;
    Ok(Seq(seq.unwrap_or_default()))
}

/// Forgets everything that was projected.
pub async fn clear(database: &Database, conversation: ConversationId) -> Result<(), Error> {
    // The head first: whoever projects waits, and then finds nothing.
    const STEPS: [&str; 4] = [
        "DELETE FROM views.heads WHERE conversation = $1",
        "DELETE FROM views.conversations WHERE id = $1",
        "DELETE FROM views.members WHERE conversation = $1",
        "DELETE FROM views.mentions WHERE conversation = $1",
    ];
    let job = database.transaction(|transaction| {
        Box::pin(async move {
            for sql in STEPS {
                step(transaction, sql, &[(&conversation.0, Type::UUID)]).await?;
            }
            Ok(())
        })
    });
    job.await
}

/// Where conversations stand, a column each.
#[derive(Default)]
struct Heads {
    conversations: Vec<Uuid>,
    afters: Vec<i64>,
    seqs: Vec<i64>,
    worthies: Vec<i64>,
    ats: Vec<i64>,
    messages: Vec<i64>,
}

impl Heads {
    fn of(batch: &[&Projection]) -> Result<Self, Error> {
        let mut all = Self::default();
        for Projection { conversation, after, head, .. } in batch {
            all.conversations.push(conversation.0);
            all.afters.push(signed(after.0)?);
            all.seqs.push(signed(head.seq.0)?);
            all.worthies.push(signed(head.worthy)?);
            all.ats.push(signed(head.at.0)?);
            all.messages.push(signed(head.message.0)?);
        }
        Ok(all)
    }
}

/// What descriptions become, a column each. `None` stays.
#[derive(Default)]
struct Texts {
    kinds: Vec<Option<i16>>,
    histories: Vec<Option<i16>>,
    names: Vec<Option<String>>,
    names_lower: Vec<Option<String>>,
    topics: Vec<Option<String>>,
    topics_lower: Vec<Option<String>>,
}

impl Texts {
    fn of(batch: &[&Projection]) -> Self {
        let mut all = Self::default();
        for projection in batch {
            let (kind, history, name, topic) = described(&projection.rows);
            let lower = |text: Option<&String>| text.map(|text| text.to_lowercase());
            all.kinds.push(kind.map(code));
            all.histories.push(history.map(code));
            all.names_lower.push(lower(name));
            all.names.push(name.cloned());
            all.topics_lower.push(lower(topic));
            all.topics.push(topic.cloned());
        }
        all
    }
}

/// What several descriptions come to: a kind is set once, of the rest the last one stays.
fn described(rows: &[Row]) -> (Option<Kind>, Option<History>, Option<&String>, Option<&String>) {
    let mut all = (None, None, None, None);
    for row in rows {
        if let Row::Described { kind, name, topic, history } = row {
            all.0 = all.0.or(*kind);
            all.1 = history.or(all.1);
            all.2 = name.as_ref().or(all.2);
            all.3 = topic.as_ref().or(all.3);
        }
    }
    all
}

/// What becomes of people, a column each.
#[derive(Default)]
struct Rows {
    /// To which projection each belongs, the first being 1.
    places: Vec<i32>,
    /// What it is, as `views.project` knows it.
    sorts: Vec<i16>,
    people: Vec<Uuid>,
    numbers: Vec<i64>,
    others: Vec<i64>,
}

impl Rows {
    fn of(batch: &[&Projection]) -> Result<Self, Error> {
        let mut rows: Vec<_> = (1..)
            .zip(batch)
            .flat_map(|(place, projection)| projection.rows.iter().map(move |row| (place, projection, row)))
            .filter_map(|(place, projection, row)| Some((projection.conversation, Self::cells(row)?, place)))
            .collect();
        // As everybody locks. People have nothing to do with one another; what concerns one stays in order.
        rows.sort_by_key(|(conversation, (user, ..), _)| (*conversation, *user));
        let mut all = Self::default();
        for (_, (user, sort, number, other), place) in rows {
            all.places.push(place);
            all.sorts.push(sort);
            all.people.push(user.0);
            all.numbers.push(signed(number)?);
            all.others.push(signed(other)?);
        }
        Ok(all)
    }

    /// Whom a row concerns, what it is, and its numbers. `None`: nobody, as it describes the conversation.
    fn cells(row: &Row) -> Option<(UserId, i16, u64, u64)> {
        match *row {
            Row::Described { .. } => None,
            Row::Joined { user, role, joined } => Some((user, 1, joined.0, code(role) as u64)),
            Row::RoleSet { user, role } => Some((user, 2, 0, code(role) as u64)),
            Row::Gone { user } => Some((user, 3, 0, 0)),
            Row::Mentioned { user, seq } => Some((user, 4, seq.0, 0)),
            Row::Read { user, seq, worthy } => Some((user, 5, seq.0, worthy)),
        }
    }
}
