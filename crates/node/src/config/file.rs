//! From a file and the environment to a [`Config`]; what is not known is refused, with the nearest name that is.

use std::path::Path;

use anyhow::{Context, bail};
use toml::{Table, Value};

use super::Config;

const PREFIX: &str = "KLATCH_";

/// The configuration in this file, or the default, with what the environment says over it: `KLATCH_HTTP__LISTEN` is
/// `listen` in the section `http`.
///
/// # Errors
/// A sentence that says where and what to change.
pub fn load(file: Option<&Path>, environment: impl Iterator<Item = (String, String)>) -> anyhow::Result<Config> {
    let mut table = match file {
        Some(file) => {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("the configuration file {} cannot be read", file.display()))?;
            text.parse::<Table>().with_context(|| format!("{} is not valid TOML", file.display()))?
        }
        None => Table::new(),
    };
    let known = Table::try_from(Config::default()).context("the default configuration is a table")?;
    check(&table, &known, "")?;
    if let Some(file) = file {
        fits(&table).with_context(|| format!("{} cannot be used", file.display()))?;
    }
    for (name, value) in environment.filter(|(name, _)| name.starts_with(PREFIX)) {
        let path = name[PREFIX.len()..].to_lowercase();
        // Others of that prefix are the shell's, such as KLATCH_TOKEN; a section makes it ours.
        if let Some((section, key)) = path.split_once("__") {
            let sections = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            let Some(sections) = sections.as_table_mut() else { bail!("{name}: \"{section}\" is no section") };
            sections.insert(key.to_owned(), value.parse::<Value>().unwrap_or(Value::String(value)));
            let fits = check(&table, &known, "").and_then(|()| fits(&table));
            fits.with_context(|| format!("the environment variable {name} cannot be used"))?;
        }
    }
    Value::Table(table).try_into().context("the configuration cannot be used")
}

/// Whether the values can be what their keys want.
fn fits(table: &Table) -> anyhow::Result<()> {
    Ok(Value::Table(table.clone()).try_into::<Config>().map(drop)?)
}

/// Options without a default do not appear in the default table.
const OPTIONAL: [&str; 6] =
    ["http.admin_listen", "http.peer_listen", "http.peer_address", "http.tls_cert", "http.tls_key", "http.public_url"];

fn check(table: &Table, known: &Table, section: &str) -> anyhow::Result<()> {
    for (key, value) in table {
        let path = if section.is_empty() { key.clone() } else { format!("{section}.{key}") };
        match (value, known.get(key)) {
            (Value::Table(inner), Some(Value::Table(known))) => check(inner, known, &path)?,
            (_, Some(_)) => {}
            (_, None) if OPTIONAL.contains(&path.as_str()) => {}
            (_, None) => {
                let optional = OPTIONAL.iter().filter_map(|name| name.strip_prefix(section)?.strip_prefix('.'));
                let nearest = nearest(key, known.keys().map(String::as_str).chain(optional));
                bail!("there is no key `{path}`{nearest}");
            }
        }
    }
    Ok(())
}

fn nearest<'a>(key: &str, known: impl Iterator<Item = &'a str>) -> String {
    known
        .map(|name| (strsim::damerau_levenshtein(key, name), name))
        .min()
        .filter(|(distance, _)| *distance <= key.len() / 2 + 1)
        .map(|(_, name)| format!("; did you mean `{name}`?"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = dir.path().join("klatch.toml");
        std::fs::write(&file, text).expect("the file is written");
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        load(Some(&file), environment).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn the_environment_goes_over_the_file_and_the_file_over_the_default() {
        let text = "[http]\nlisten = \"127.0.0.1:1\"\n[limits]\nqueue = 5";
        let config = config(text, &[("KLATCH_HTTP__LISTEN", "127.0.0.1:2"), ("KLATCH_TOKEN", "x")]).expect("valid");
        assert_eq!(config.http.listen.port(), 2);
        assert_eq!(config.limits.queue, 5);
        assert_eq!(config.name, "Klatch");
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_one() {
        let error = config("[http]\nlisen = \"127.0.0.1:1\"", &[]).expect_err("unknown");
        assert!(error.contains("`http.lisen`") && error.contains("`listen`"), "{error}");
        let error = config("", &[("KLATCH_LIMITS__QUEU", "1")]).expect_err("unknown");
        assert!(error.contains("KLATCH_LIMITS__QUEU") && error.contains("`queue`"), "{error}");
        assert!(config("[http]\ntls_cert = \"x\"", &[]).is_ok());
    }

    #[test]
    fn what_cannot_run_says_what_to_change() {
        let mut config = Config::default();
        config.http.listen = "0.0.0.0:80".parse().expect("an address");
        assert!(config.validate().expect_err("in the clear").contains("--trusted-proxies"));
        let mut config = Config::default();
        config.roles.pop();
        assert!(config.validate().expect_err("split").contains("`roles`"));
        let mut config = Config::default();
        config.engines.event_log = "cassandra://a".to_owned();
        assert!(config.validate().expect_err("unknown").contains("fjall:"));
        assert_eq!(Config::default().validate(), Ok(()));
    }

    #[test]
    fn where_processors_are_asked_must_be_where_others_find_it() {
        let valid = |listen: &str, address: Option<&str>| {
            let mut config = Config::default();
            config.http.peer_listen = Some(listen.parse().expect("an address"));
            config.http.peer_address = address.map(ToOwned::to_owned);
            config.validate()
        };
        assert!(valid("0.0.0.0:7470", None).expect_err("nowhere").contains("`http.peer_address`"));
        assert_eq!(valid("0.0.0.0:7470", Some("processor-3:7470")), Ok(()));
        for wrong in ["processor-3", ":7470", "processor-3:port"] {
            assert!(valid("127.0.0.1:7470", Some(wrong)).expect_err("no address").contains(wrong));
        }
        let mut config = Config::default();
        config.http.peer_address = Some("processor-3:7470".to_owned());
        assert!(config.validate().expect_err("nobody listens").contains("`http.peer_listen`"));
    }
}
