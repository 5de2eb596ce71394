//! Where a server is, as an operator writes it: `scheme://user@host:port,host/path?option=value`, with secrets and certificates in
//! files.
//!
//! | option | |
//! | --- | --- |
//! | `password_file` | a file with the password, in place of one in the address |
//! | `tls=true` | TLS; the server's certificate is checked against the roots of this machine |
//! | `tls_ca` | a PEM file: TLS, and only these roots are trusted |
//! | `tls_cert`, `tls_key` | PEM files: the certificate with which Klatch shows who it is |
//!
//! An engine may know more options. `amqps:` and `rediss:` mean TLS as well.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A secret, which no log shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// How TLS is spoken.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tls {
    /// The roots that are trusted, instead of this machine's.
    pub ca: Option<PathBuf>,
    /// Our own certificate and its key.
    pub own: Option<(PathBuf, PathBuf)>,
}

/// Where a server is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// What speaks there: `postgres`, `kafka`, …
    pub scheme: String,
    /// As whom we go there.
    pub user: Option<String>,
    /// The password.
    pub password: Option<Secret>,
    /// Hosts with their ports, where those are named. At least one.
    pub hosts: Vec<(String, Option<u16>)>,
    /// What follows the hosts, without the slash: a database, a keyspace, a virtual host.
    pub path: String,
    /// TLS, if it is spoken.
    pub tls: Option<Tls>,
    /// What the engine may know.
    options: BTreeMap<String, String>,
}

impl Place {
    /// Hosts with their ports, or with this one.
    pub fn hosts_or(&self, port: u16) -> Vec<String> {
        let with_port = |(host, named): &(String, Option<u16>)| format!("{host}:{}", named.unwrap_or(port));
        self.hosts.iter().map(with_port).collect()
    }

    /// Takes an option that the engine knows.
    pub fn take(&mut self, option: &str) -> Option<String> {
        self.options.remove(option)
    }

    /// Ends the taking: what is left is known to nobody.
    ///
    /// # Errors
    /// A sentence that names it.
    pub fn done(&self) -> Result<(), String> {
        let unknown = self.options.keys().next();
        unknown.map_or(Ok(()), |name| Err(format!("`{}://` has no option `{name}`", self.scheme)))
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (scheme, rest) =
            text.split_once("://").ok_or("an address begins with `scheme://`, such as `postgres://`")?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (account, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = account.split_once(':').map_or((account, None), |(user, word)| (user, Some(word)));
        let mut options = BTreeMap::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or_else(|| format!("the option `{pair}` has no value"))?;
            if options.insert(name.to_owned(), decode(value)?).is_some() {
                return Err(format!("the option `{name}` is there twice"));
            }
        }
        let (scheme, is_secure) = match scheme {
            "amqps" => ("amqp", true),
            "rediss" => ("redis", true),
            "postgresql" => ("postgres", false),
            scheme => (scheme, false),
        };
        let password = match (password, options.remove("password_file")) {
            (Some(_), Some(_)) => return Err("there is a password and a `password_file`: leave one out".to_owned()),
            (Some(password), None) => Some(Secret(decode(password)?)),
            (None, Some(file)) => Some(read_secret(&file)?),
            (None, None) => None,
        };
        Ok(Self {
            scheme: scheme.to_owned(),
            user: (!user.is_empty()).then(|| decode(user)).transpose()?,
            password,
            hosts: hosts.split(',').map(host).collect::<Result<_, _>>()?,
            path: decode(path)?,
            tls: tls(&mut options, is_secure)?,
            options,
        })
    }
}

fn host(text: &str) -> Result<(String, Option<u16>), String> {
    let split = match text.strip_prefix('[') {
        // IPv6 has colons of its own.
        Some(_) => text.rsplit_once("]:").map(|(host, port)| (&text[..=host.len()], port)),
        None => text.rsplit_once(':'),
    };
    let (host, port) = split.map_or((text, None), |(host, port)| (host, Some(port)));
    if host.is_empty() {
        return Err("a host is missing".to_owned());
    }
    let port = port.map(|port| port.parse().map_err(|_| format!("`{port}` is no port"))).transpose()?;
    Ok((host.to_owned(), port))
}

fn tls(options: &mut BTreeMap<String, String>, is_secure: bool) -> Result<Option<Tls>, String> {
    let is_wanted = match options.remove("tls").as_deref() {
        None => is_secure,
        Some("true") => true,
        Some("false") if !is_secure => false,
        Some(other) => return Err(format!("`tls` is `{other}`; it is `true` or left out")),
    };
    let ca = options.remove("tls_ca").map(PathBuf::from);
    let own = match (options.remove("tls_cert"), options.remove("tls_key")) {
        (Some(certificate), Some(key)) => Some((certificate.into(), key.into())),
        (None, None) => None,
        _ => return Err("`tls_cert` and `tls_key` belong together".to_owned()),
    };
    let is_wanted = is_wanted || ca.is_some() || own.is_some();
    Ok(is_wanted.then_some(Tls { ca, own }))
}

fn read_secret(file: &str) -> Result<Secret, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("the password file {file}: {error}"))?;
    Ok(Secret(text.trim_end_matches(['\r', '\n']).to_owned()))
}

/// Percent-encoding (RFC 3986, section 2.1).
fn decode(text: &str) -> Result<String, String> {
    let broken = || format!("`{text}` is not percent-encoded as an address must be");
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.bytes());
    while let Some(byte) = rest.next() {
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        bytes.push(match byte {
            b'%' => match (digit(rest.next()), digit(rest.next())) {
                (Some(high), Some(low)) => u8::try_from(high * 16 + low).map_err(|_| broken())?,
                _ => return Err(broken()),
            },
            byte => byte,
        });
    }
    String::from_utf8(bytes).map_err(|_| broken())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Place {
        text.parse().unwrap()
    }

    #[test]
    fn hosts_with_and_without_ports() {
        let cassandra = place("cassandra://a,b:9043,[::1]:9044/klatch");
        assert_eq!(cassandra.hosts_or(9042), ["a:9042", "b:9043", "[::1]:9044"]);
        assert_eq!((cassandra.path.as_str(), cassandra.user, cassandra.tls), ("klatch", None, None));
    }

    #[test]
    fn secrets_come_from_files_or_the_address_and_are_never_shown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "s3cret\n").unwrap();
        let there = place(&format!("postgres://klatch@db/chat?password_file={}", file.path().display()));
        assert_eq!(there.password, Some(Secret("s3cret".to_owned())));
        assert!(!format!("{there:?}").contains("s3cret"));
        assert_eq!(place("amqp://u:p%40ss@h").password, Some(Secret("p@ss".to_owned())));
    }

    #[test]
    fn tls_is_asked_for_in_several_ways() {
        assert_eq!(place("rediss://h").tls, Some(Tls::default()));
        let own = Some(("/c".into(), "/k".into()));
        let tls = Some(Tls { ca: Some("/ca".into()), own });
        assert_eq!(place("kafka://h?tls_ca=/ca&tls_cert=/c&tls_key=/k").tls, tls);
        assert_eq!(place("kafka://h?tls=true").scheme, "kafka");
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_a_sentence() {
        for (text, sentence) in [
            ("db", "begins with"),
            ("postgres://h:x/d", "no port"),
            ("postgres:///d", "a host is missing"),
            ("postgres://h/d?tls", "has no value"),
            ("postgres://h/d?tls=maybe", "is `true` or left out"),
            ("postgres://h/d?tls_cert=/c", "belong together"),
            ("postgres://u:p@h/d?password_file=/f", "leave one out"),
            ("postgres://h/d?password_file=/not/there", "/not/there"),
            ("postgres://u%4@h/d", "percent-encoded"),
        ] {
            let refused = text.parse::<Place>().unwrap_err();
            assert!(refused.contains(sentence), "{text}: {refused}");
        }
        let mut there = place("postgres://h/d?pool=9&speed=1");
        assert_eq!(there.take("pool").as_deref(), Some("9"));
        assert!(there.done().unwrap_err().contains("`speed`"));
    }
}
