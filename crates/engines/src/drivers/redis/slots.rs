//! Which node of a cluster has which slots.

use std::collections::BTreeSet;
use std::sync::Arc;

use redis::Value;

/// The last slot.
const LAST: u16 = 16_383;

/// Which node has which slots. Some may be nobody's.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Slots {
    /// First and last slot, and the address of who takes writes; sorted.
    ranges: Vec<(u16, u16, Arc<str>)>,
}

impl Slots {
    /// One node has all.
    pub fn all_at(address: Arc<str>) -> Self {
        Self { ranges: vec![(0, LAST, address)] }
    }

    /// What a node answered to `CLUSTER SLOTS`, if that says anything. A node that names no host for itself is where it was asked.
    pub fn parse(answer: &Value, asked: &str) -> Option<Self> {
        let Value::Array(rows) = answer else { return None };
        let mut ranges = rows.iter().map(|row| range(row, asked)).collect::<Option<Vec<_>>>()?;
        ranges.sort_unstable();
        (!ranges.is_empty()).then_some(Self { ranges })
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The address of the node that has the slot of a key.
    pub fn node_of(&self, key: &[u8]) -> Option<&Arc<str>> {
        let slot = slot_of(key);
        let at = self.ranges.partition_point(|(_, last, _)| *last < slot);
        self.ranges.get(at).filter(|(first, ..)| *first <= slot).map(|(.., address)| address)
    }

    /// The addresses of all nodes.
    pub fn nodes(&self) -> BTreeSet<Arc<str>> {
        self.ranges.iter().map(|(.., address)| address.clone()).collect()
    }
}

/// The slot of a key: its CRC-16 (XMODEM), or that of what it has in its first braces.
pub(super) fn slot_of(key: &[u8]) -> u16 {
    let tag = key.iter().position(|byte| *byte == b'{').and_then(|open| {
        let rest = &key[open + 1..];
        rest.iter().position(|byte| *byte == b'}').map(|length| &rest[..length])
    });
    let crc = tag.filter(|tag| !tag.is_empty()).unwrap_or(key).iter().fold(0_u16, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| (crc << 1) ^ if crc & 0x8000 == 0 { 0 } else { 0x1021 })
    });
    crc % (LAST + 1)
}

/// A row: first and last slot, who takes writes, and the replicas. A node is its host, its port, and more.
fn range(row: &Value, asked: &str) -> Option<(u16, u16, Arc<str>)> {
    let Value::Array(row) = row else { return None };
    let [first, last, Value::Array(node), ..] = &row[..] else { return None };
    let host = match node.first()? {
        Value::BulkString(host) if !host.is_empty() => std::str::from_utf8(host).ok()?,
        _ => asked.rsplit_once(':')?.0,
    };
    let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() };
    let port = number(node.get(1)?)?;
    Some((number(first)?, number(last)?, format!("{host}:{port}").into()))
}

fn number(value: &Value) -> Option<u16> {
    if let Value::Int(number) = value { u16::try_from(*number).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slot_of_a_key_is_what_redis_says() {
        // As `CLUSTER KEYSLOT` answers.
        let slots = ["foo", "a", "123456789", "x{foo}y{a}", "{}foo", "foo{"].map(|key| slot_of(key.as_bytes()));
        assert_eq!(slots, [12_182, 15_495, 12_739, 12_182, 9_500, 7_673]);
    }

    #[test]
    fn slots_are_found_in_their_ranges_and_holes_are_nobodys() {
        let node = |host: &str| Value::Array(vec![Value::BulkString(host.into()), Value::Int(7)]);
        let row = |first, last, host| Value::Array(vec![Value::Int(first), Value::Int(last), node(host), node("copy")]);
        // The key `a` has slot 15495, `b` 3300, `foo` 12182.
        let answer = Value::Array(vec![row(15_495, 16_383, "two"), row(0, 3_300, ""), row(4_000, 5_000, "::1")]);
        let slots = Slots::parse(&answer, "asked:6379").unwrap();
        let node_of = |key: &str| slots.node_of(key.as_bytes()).map(|address| &**address);
        assert_eq!([node_of("a"), node_of("b"), node_of("foo")], [Some("two:7"), Some("asked:7"), None]);
        assert_eq!(slots.nodes(), ["two:7", "asked:7", "[::1]:7"].map(Arc::from).into());
        assert_eq!(Slots::parse(&Value::Okay, "asked:6379"), None);
    }
}
