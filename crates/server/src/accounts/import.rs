//! People who come with what was said elsewhere.

use klatch_core::ids::UserId;
use klatch_core::limits::ORIGIN_BYTES_MAX;
use klatch_ports::directory::{Imported, Origin};
use klatch_protocol::objects::Slug;

use super::{Accounts, Error, names};
use crate::environment::uuid_v7;

/// Somebody from another network.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct Newcomer {
    /// The network: `irc`, `slack`, …
    pub network: String,
    /// Their name there.
    pub name: String,
}

impl Accounts {
    /// The ids of people from another network, in their order; those who were not here yet get an account that nobody can sign in
    /// with, under a name as near to their own as is free.
    ///
    /// # Errors
    /// `invalid_name`, or that the directory is away.
    pub async fn import_people(&self, people: &[Newcomer]) -> Result<Vec<UserId>, Error> {
        let services = &self.services;
        let mut imported = Vec::with_capacity(people.len());
        for person in people {
            if [&person.network, &person.name].iter().any(|text| text.is_empty() || text.len() > ORIGIN_BYTES_MAX) {
                return Err(Error::Refused(Slug::InvalidName, "The origin of somebody has 1 to 128 bytes a part."));
            }
            let id = UserId(uuid_v7(&*services.clock, &*services.entropy));
            imported.push(Imported {
                id,
                names: candidates(person, id),
                display_name: display_name(&person.name),
                origin: Origin { network: person.network.clone(), name: person.name.clone() },
            });
        }
        Ok(services.directory.import(imported, self.now()).await?)
    }
}

/// `[Ada]`, from IRC, becomes `ada`, or `ada-irc`, or `ada-` with the end of the id, where chance lies.
fn candidates(person: &Newcomer, id: UserId) -> Vec<String> {
    let stem = plain(&person.name, 20);
    let network = plain(&person.network, 8);
    let bytes = id.as_bytes();
    let unique = format!("{stem}-{:02x}{:02x}{:02x}{:02x}", bytes[12], bytes[13], bytes[14], bytes[15]);
    let all = [stem.clone(), format!("{stem}-{network}"), unique];
    all.into_iter().filter(|name| names::check_name(name).is_ok()).collect()
}

/// The letters and digits of a name, in lower case, with what lies between them as hyphens; `x` where there are none.
fn plain(name: &str, chars_max: usize) -> String {
    let mut plain = String::new();
    for c in name.to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' => plain.push(c),
            _ if plain.ends_with('-') => {}
            _ => plain.push('-'),
        }
    }
    let plain: String = plain.trim_matches('-').chars().take(chars_max).collect();
    let plain = plain.trim_end_matches('-');
    if plain.is_empty() { "x".to_owned() } else { plain.to_owned() }
}

/// The name as it was, without what cannot be seen.
fn display_name(name: &str) -> String {
    let seen: String = name.chars().filter(|c| !klatch_core::text::is_forbidden_in_name(*c)).collect();
    let cut: String = seen.trim().chars().take(names::DISPLAY_NAME_CHARS_MAX).collect();
    if cut.trim().is_empty() { "?".to_owned() } else { cut.trim().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_of(name: &str) -> Vec<String> {
        candidates(&Newcomer { network: "irc".into(), name: name.into() }, UserId::from_bytes([0xab; 16]))
    }

    #[test]
    fn names_from_elsewhere_stay_recognisable() {
        assert_eq!(names_of("[Ada]"), ["ada", "ada-irc", "ada-abababab"]);
        assert_eq!(names_of("jean_luc|away"), ["jean-luc-away", "jean-luc-away-irc", "jean-luc-away-abababab"]);
        assert_eq!(names_of("ж"), ["x-irc", "x-abababab"]);
        assert_eq!(names_of("here"), ["here-irc", "here-abababab"]);
        assert!(names_of(&"long ".repeat(50)).iter().all(|name| name.len() <= 32));
        assert_eq!(display_name("\u{202e}Ada "), "Ada");
        assert_eq!(display_name(" \u{7}"), "?");
    }
}
