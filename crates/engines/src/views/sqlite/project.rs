//! Projecting: the rows of events become rows of tables. A plain message moves a head and its author's cursor, and that is all.

use klatch_core::ids::{ConversationId, Seq};
use klatch_ports::views::{Dump, Head, Membership, Projected, Projection, Replayed, Row};
use rusqlite::{Connection, OptionalExtension, Result, params};

use super::own;
use crate::views::Code;

/// Projects, if it continues what is there.
pub fn project(views: &Connection, projection: &Projection) -> Result<Projected> {
    let Projection { conversation, after, head, rows } = projection;
    if head.seq <= *after || !advance(views, *conversation, *after, head)? {
        let upto = projected(views, *conversation)?;
        return Ok(if head.seq <= upto { Projected::Before } else { Projected::Missing(upto) });
    }
    for row in rows {
        write(views, *conversation, row)?;
    }
    Ok(Projected::Now)
}

/// How far the views of this conversation go.
pub fn projected(views: &Connection, conversation: ConversationId) -> Result<Seq> {
    let mut head = views.prepare_cached("SELECT seq FROM heads WHERE conversation = ?1")?;
    let seq = head.query_row([conversation.as_bytes()], |row| row.get(0)).optional()?;
    Ok(Seq(seq.unwrap_or_default()))
}

/// Forgets everything that was projected; what refers to the conversation goes with it.
pub fn clear(views: &Connection, conversation: ConversationId) -> Result<()> {
    views.execute("DELETE FROM conversations WHERE id = ?1", [conversation.as_bytes()])?;
    Ok(())
}

/// Makes what was projected what a replay made of it, if it goes as far as `at`; false if it does not.
pub fn mend(views: &Connection, conversation: ConversationId, at: Seq, to: &Replayed) -> Result<bool> {
    if projected(views, conversation)? != at {
        return Ok(false);
    }
    clear(views, conversation)?;
    let Dump { kind, texts: [name, topic], history, head, members, mentions } = &to.dump;
    advance(views, conversation, Seq::ZERO, head)?;
    let (name, topic) = (Some(name.clone()), Some(topic.clone()));
    write(views, conversation, &Row::Described { kind: *kind, name, topic, history: *history })?;
    for (user, Membership { role, joined }) in members {
        write(views, conversation, &Row::Joined { user: *user, role: *role, joined: *joined })?;
    }
    for (user, seq) in mentions {
        write(views, conversation, &Row::Mentioned { user: *user, seq: *seq })?;
    }
    for (user, seq, worthy) in &to.reads {
        own::replayed(views, *user, conversation, *seq, *worthy)?;
    }
    Ok(true)
}

/// Moves the head from `after` to `head`. False if it is not at `after`.
fn advance(views: &Connection, conversation: ConversationId, after: Seq, head: &Head) -> Result<bool> {
    let id = conversation.as_bytes();
    let sql = if after == Seq::ZERO {
        views.prepare_cached("INSERT OR IGNORE INTO conversations (id) VALUES (?1)")?.execute([id])?;
        "INSERT INTO heads (conversation, seq, worthy, at, message) SELECT ?1, ?2, ?3, ?4, ?5 WHERE ?6 = 0
            ON CONFLICT DO NOTHING"
    } else {
        "UPDATE heads SET seq = ?2, worthy = ?3, at = ?4, message = max(message, ?5)
            WHERE conversation = ?1 AND seq = ?6"
    };
    let Head { seq, worthy, at, message } = head;
    Ok(views.prepare_cached(sql)?.execute(params![id, seq.0, worthy, at.0, message.0, after.0])? == 1)
}

fn write(views: &Connection, conversation: ConversationId, row: &Row) -> Result<()> {
    let id = conversation.as_bytes();
    match row {
        Row::Described { kind, name, topic, history } => {
            let sql = "UPDATE conversations SET kind = coalesce(kind, ?2), history = coalesce(?3, history),
                name = coalesce(?4, name), name_lower = coalesce(?5, name_lower),
                topic = coalesce(?6, topic), topic_lower = coalesce(?7, topic_lower) WHERE id = ?1";
            let lower = |text: &Option<String>| text.as_ref().map(|text| text.to_lowercase());
            let (kind, history) = (kind.map(Code::code), history.map(Code::code));
            let described = params![id, kind, history, name, lower(name), topic, lower(topic)];
            views.prepare_cached(sql)?.execute(described)?;
        }
        Row::Joined { user, role, joined } => {
            // Not "or replace": that would count a member twice.
            let sql = "INSERT INTO members (conversation, user, role, joined) VALUES (?1, ?2, ?3, ?4)
                ON CONFLICT (conversation, user) DO UPDATE SET role = excluded.role, joined = excluded.joined";
            views.prepare_cached(sql)?.execute(params![id, user.as_bytes(), role.code(), joined.0])?;
        }
        Row::RoleSet { user, role } => {
            let sql = "UPDATE members SET role = ?3 WHERE conversation = ?1 AND user = ?2";
            views.prepare_cached(sql)?.execute(params![id, user.as_bytes(), role.code()])?;
        }
        Row::Gone { user } => {
            own::forget(views, *user, conversation)?;
            for sql in [
                "DELETE FROM mentions WHERE conversation = ?1 AND user = ?2",
                "DELETE FROM members WHERE conversation = ?1 AND user = ?2",
            ] {
                views.prepare_cached(sql)?.execute([id, user.as_bytes()])?;
            }
        }
        Row::Mentioned { user, seq } => {
            let sql = "INSERT OR IGNORE INTO mentions (conversation, user, seq) VALUES (?1, ?2, ?3)";
            views.prepare_cached(sql)?.execute(params![id, user.as_bytes(), seq.0])?;
        }
        Row::Read { user, seq, worthy } => own::wrote(views, *user, conversation, *seq, *worthy)?,
    }
    Ok(())
}
