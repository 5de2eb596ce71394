//! What is a member's own: cursor and settings, one row a membership, made with it.

use klatch_core::ids::{ConversationId, UserId};
use klatch_ports::Error;
use klatch_ports::views::{Cursor, NUMBER_MAX, Notify, Own, Settings};
use tokio_postgres::types::Type;

use super::columns;
use crate::drivers::postgres::columns::{get, number, signed};
use crate::drivers::postgres::{Database, Param};

/// Moves cursors as far as they can be moved. `None` for those who are no members.
pub async fn move_cursors(
    database: &Database,
    moves: &[(UserId, ConversationId, Cursor)],
) -> Result<Vec<Option<Cursor>>, Error> {
    if moves.is_empty() {
        return Ok(Vec::new());
    }
    // As everybody locks.
    let mut order: Vec<usize> = (0..moves.len()).collect();
    order.sort_by_key(|n| (moves[*n].1, moves[*n].0));
    let sorted = || order.iter().map(|n| &moves[*n]);
    let conversations: Vec<_> = sorted().map(|wish| wish.1.0).collect();
    let people: Vec<_> = sorted().map(|wish| wish.0.0).collect();
    let [mut delivered, mut read, mut worthy, mut versions] = [const { Vec::new() }; 4];
    for (.., to) in sorted() {
        let numbers = [to.delivered.0, to.read.0, to.read_worthy, to.version];
        // What cannot be kept moves nothing, as 0 does.
        let numbers = if numbers.into_iter().all(|number| number <= NUMBER_MAX) { numbers } else { [0; 4] };
        for (column, number) in [&mut delivered, &mut read, &mut worthy, &mut versions].into_iter().zip(numbers) {
            column.push(signed(number)?);
        }
    }
    let rows = database
        .query(
            "SELECT * FROM views.move_cursors($1, $2, $3, $4, $5, $6)",
            &[
                (&conversations, Type::UUID_ARRAY),
                (&people, Type::UUID_ARRAY),
                (&delivered, Type::INT8_ARRAY),
                (&read, Type::INT8_ARRAY),
                (&worthy, Type::INT8_ARRAY),
                (&versions, Type::INT8_ARRAY),
            ],
        )
        .await?;
    let mut moved = vec![None; moves.len()];
    for row in &rows {
        let place = get::<i64>(row, "place")? as usize;
        let place = order.get(place.wrapping_sub(1)).ok_or_else(|| Error::corrupt("a place that nobody gave"))?;
        moved[*place] = Some(columns::cursor(row)?);
    }
    Ok(moved)
}

/// Sets somebody's settings. False if they are no member.
pub async fn set_settings(
    database: &Database,
    user: UserId,
    conversation: ConversationId,
    settings: Settings,
) -> Result<bool, Error> {
    let sql = "UPDATE views.own SET notify = $3, favourite = $4, times_set = times_set + 1 FROM views.members AS m
        WHERE m.conversation = $1 AND m.person = $2
        AND own.conversation = $1 AND own.person = $2 AND own.joined = m.joined RETURNING true";
    let Settings { notify, favourite } = settings;
    let notify = columns::code(notify);
    let params: [Param<'_>; 4] =
        [(&conversation.0, Type::UUID), (&user.0, Type::UUID), (&notify, Type::INT2), (&favourite, Type::BOOL)];
    Ok(!database.query(sql, &params).await?.is_empty())
}

/// What is members' own, in order.
pub async fn list(
    database: &Database,
    after: Option<(ConversationId, UserId)>,
    limit: usize,
) -> Result<Vec<Own>, Error> {
    let (limit, place) = (signed(limit as u64)?, after.map(|(conversation, user)| (conversation.0, user.0)));
    let (conversation, person) = place.unzip();
    let sql = "SELECT conversation, person, delivered, read, read_worthy, version, notify, favourite, times_set
        FROM views.own AS o JOIN views.members AS m USING (conversation, person, joined)
        WHERE $1::uuid IS NULL OR (conversation, person) > ($1, $2) ORDER BY conversation, person LIMIT $3";
    let params: [Param<'_>; 3] = [(&conversation, Type::UUID), (&person, Type::UUID), (&limit, Type::INT8)];
    let own = |row| {
        Ok(Own {
            conversation: columns::conversation(row, "conversation")?,
            user: columns::user(row, "person")?,
            cursor: columns::cursor(row)?,
            settings: Settings {
                notify: columns::get_enum::<Notify>(row, "notify")?,
                favourite: get(row, "favourite")?,
            },
            set: number(row, "times_set")?,
        })
    };
    database.query(sql, &params).await?.iter().map(own).collect()
}

/// Sets what is members' own, whatever there was.
pub async fn take(database: &Database, own: Vec<Own>) -> Result<(), Error> {
    let set = "delivered = t.delivered, read = t.read, read_worthy = t.read_worthy, version = t.version,
        notify = t.notify, favourite = t.favourite, times_set = t.times_set";
    write(database, own, set, "true").await
}

/// Takes from a copy what is later: `Cursor::merged`, and settings by how often they were set.
pub async fn merge(database: &Database, own: Vec<Own>) -> Result<(), Error> {
    let is_later = "(t.version > o.version OR t.version = o.version AND t.read > o.read)";
    let later = |column: &str| format!("{column} = CASE WHEN {is_later} THEN t.{column} ELSE o.{column} END");
    let set =
        |column: &str| format!("{column} = CASE WHEN t.times_set > o.times_set THEN t.{column} ELSE o.{column} END");
    let columns = [
        format!("delivered = greatest(o.delivered, t.delivered, CASE WHEN {is_later} THEN t.read ELSE o.read END)"),
        later("read"),
        later("read_worthy"),
        later("version"),
        set("notify"),
        set("favourite"),
        set("times_set"),
    ];
    // What is not later writes nothing.
    let is_any = format!("({is_later} OR t.delivered > o.delivered OR t.times_set > o.times_set)");
    write(database, own, &columns.join(", "), &is_any).await
}

/// Writes what is members' own, `o`, from what is given, `t`, where that is so.
async fn write(database: &Database, mut own: Vec<Own>, set: &str, wanted: &str) -> Result<(), Error> {
    // As everybody locks.
    own.sort_by_key(|own| (own.conversation, own.user));
    let conversations: Vec<_> = own.iter().map(|own| own.conversation.0).collect();
    let people: Vec<_> = own.iter().map(|own| own.user.0).collect();
    let numbers =
        |number: fn(&Own) -> u64| -> Result<Vec<i64>, Error> { own.iter().map(|own| signed(number(own))).collect() };
    let delivered = numbers(|own| own.cursor.delivered.0)?;
    let read = numbers(|own| own.cursor.read.0)?;
    let worthy = numbers(|own| own.cursor.read_worthy)?;
    let versions = numbers(|own| own.cursor.version)?;
    let times = numbers(|own| own.set)?;
    let notify: Vec<_> = own.iter().map(|own| columns::code(own.settings.notify)).collect();
    let favourite: Vec<_> = own.iter().map(|own| own.settings.favourite).collect();
    let sql = format!(
        "WITH taken AS (SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) AS t (conversation, person,
            delivered, read, read_worthy, version, notify, favourite, times_set)),
        locked AS (SELECT o.conversation, o.person, o.joined FROM views.own AS o
            JOIN views.members AS m USING (conversation, person, joined) JOIN taken USING (conversation, person)
            ORDER BY o.conversation, o.person FOR UPDATE OF o)
        UPDATE views.own AS o SET {set}
        FROM locked AS l JOIN taken AS t USING (conversation, person)
        WHERE o.conversation = l.conversation AND o.person = l.person AND o.joined = l.joined AND {wanted}"
    );
    let params: [Param<'_>; 9] = [
        (&conversations, Type::UUID_ARRAY),
        (&people, Type::UUID_ARRAY),
        (&delivered, Type::INT8_ARRAY),
        (&read, Type::INT8_ARRAY),
        (&worthy, Type::INT8_ARRAY),
        (&versions, Type::INT8_ARRAY),
        (&notify, Type::INT2_ARRAY),
        (&favourite, Type::BOOL_ARRAY),
        (&times, Type::INT8_ARRAY),
    ];
    database.query(&sql, &params).await.map(drop)
}
