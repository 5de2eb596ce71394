//! Every server that Klatch stands on, real, where it is reached by TLS alone and asks for a certificate and a password: whoever has all of it
//! is let in, and sends its password to nobody who has not shown who they are.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use klatch_backing::{Authority, Kind, Link, Servers};
use klatch_ports::contract::soon;
use krafka::admin::ScramCredentialUpsertion;
use krafka::auth::ScramMechanism;
use tempfile::TempDir;

use crate::drivers::place::Place;
use crate::drivers::{cassandra, kafka, postgres, rabbitmq, redis};

/// Of the account that there is.
const PASSWORD: &str = "s3cret";

// Options that are right, and the file that each names.
const ROOT: (&str, &str) = ("tls_ca", "authority");
const PASS: (&str, &str) = ("password_file", "password");
const CERT: (&str, &str) = ("tls_cert", "certificate");
const KEY: (&str, &str) = ("tls_key", "key");

/// What a server is given, in its folder.
struct Given {
    authority: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
    /// The key and the certificate in one.
    both: PathBuf,
}

/// A server, and who signed for it and for us.
struct Guarded {
    servers: Servers,
    /// Where it speaks TLS, without the port.
    host: String,
    /// Our own files, and those of somebody who is not to be trusted.
    ours: TempDir,
}

impl Guarded {
    /// Starts one whose settings ask for all that.
    fn start(kind: Kind, settings: impl FnOnce(&str, &Given) -> String) -> Self {
        let (authority, stranger, ours) = (Authority::new(), Authority::new(), tempfile::tempdir().unwrap());
        let mut host = String::new();
        let servers = Servers::prepared(kind, 1, |servers| {
            host = servers.address(1).rsplit_once(':').unwrap().0.to_owned();
            let signed = authority.sign(&[&host]);
            let file = |name: &str, content: &str| {
                let file = servers.folder(1).join(name);
                fs::write(&file, content).unwrap();
                // PostgreSQL wants that of a key.
                fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
                file
            };
            let given = Given {
                authority: file("authority.pem", &authority.certificate()),
                certificate: file("certificate.pem", &signed.chain),
                key: file("key.pem", &signed.key),
                both: file("both.pem", &(signed.key.clone() + &signed.chain)),
            };
            servers.configure(1, &settings(&host, &given));
        });
        let own = authority.sign(&["klatch"]);
        for (name, content) in [
            ("authority", &authority.certificate()),
            ("stranger", &stranger.certificate()),
            ("certificate", &own.chain),
            ("key", &own.key),
            ("password", &PASSWORD.to_owned()),
            ("guess", &"guessed".to_owned()),
        ] {
            fs::write(ours.path().join(name), content).unwrap();
        }
        Self { servers, host, ours }
    }

    /// Where it is for who goes there with these options, each of which names one of our files.
    fn place(&self, base: &str, options: &[(&str, &str)]) -> Place {
        let options = options.iter().map(|(name, file)| format!("{name}={}", self.ours.path().join(file).display()));
        format!("{base}?{}", options.collect::<Vec<_>>().join("&")).parse().unwrap()
    }

    /// Nobody is let in but who has all of it. `base` is where that is, given a host and a port; `ask` says what became of a question.
    /// Returns what others are told.
    async fn is_strict(
        &self,
        port: u16,
        base: impl Fn(&str) -> String,
        ask: impl AsyncFn(Place) -> Result<(), String>,
    ) -> Vec<String> {
        let there = format!("{}:{port}", self.host);
        let (all, known) = ([ROOT, PASS, CERT, KEY], base(&there));
        let let_in = async || soon(async { while ask(self.place(&known, &all)).await.is_err() {} }).await;
        // Some make accounts only after they began to serve.
        let_in().await;
        // The same server, at an address that its certificate does not name.
        let link = Link::to(there.clone()).await;
        let mut told = Vec::new();
        for (what, base, options) in [
            ("somebody else signed", &known, &[("tls_ca", "stranger"), PASS, CERT, KEY][..]),
            ("signed for another address", &base(link.address()), &all),
            ("without a certificate of our own", &known, &[ROOT, PASS]),
            ("with a wrong password", &known, &[ROOT, ("password_file", "guess"), CERT, KEY]),
            ("in the clear", &known, &[PASS]),
        ] {
            let refused = ask(self.place(base, options)).await;
            println!("{what}: {refused:?}");
            told.push(refused.expect_err(what));
        }
        let_in().await;
        told
    }
}

/// The whole of an error, as an operator reads it.
fn whole(error: klatch_ports::Error) -> String {
    let reasons = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
    reasons.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[tokio::test]
async fn postgresql() {
    let guarded = Guarded::start(Kind::PostgreSql, |_, given| {
        let accounts = given.key.with_file_name("accounts");
        let rules = "hostssl all klatch all scram-sha-256 clientcert=verify-ca\nhost all postgres all trust\n";
        fs::write(&accounts, rules).unwrap();
        format!(
            "ssl = on\nssl_cert_file = '{}'\nssl_key_file = '{}'\nssl_ca_file = '{}'\nhba_file = '{}'",
            given.certificate.display(),
            given.key.display(),
            given.authority.display(),
            accounts.display()
        )
    });
    let admin = postgres::bench::place_on(&guarded.servers, "").await;
    let made = format!("CREATE ROLE klatch LOGIN PASSWORD '{PASSWORD}'");
    postgres::bench::at(&admin).query(&made, &[]).await.unwrap();
    let base = |there: &str| format!("postgres://klatch@{there}/postgres");
    guarded
        .is_strict(5432, base, async |place| {
            let database = postgres::Database::at(place)?;
            database.query("SELECT 1", &[]).await.map(drop).map_err(whole)
        })
        .await;
}

#[tokio::test]
async fn cassandra() {
    let guarded = Guarded::start(Kind::Cassandra, |_, given| {
        format!(
            "authenticator: PasswordAuthenticator\nclient_encryption_options:\n  enabled: true\n  optional: false\n  require_client_auth: true\n  \
             ssl_context_factory:\n    class_name: org.apache.cassandra.security.PEMBasedSslContextFactory\n  keystore: {}\n  truststore: {}",
            given.both.display(),
            given.authority.display()
        )
    });
    let base = |there: &str| format!("cassandra://cassandra@{there}/klatch");
    fs::write(guarded.ours.path().join("password"), "cassandra").unwrap();
    guarded
        .is_strict(9042, base, async |place| cassandra::Database::connect(place).await.map(drop).map_err(whole))
        .await;
}

#[tokio::test]
async fn kafka() {
    let guarded = Guarded::start(Kind::Kafka, |host, given| {
        let (both, authority, other) = (given.both.display(), given.authority.display(), "listener.name.other");
        let more = format!(
            "sasl.enabled.mechanisms=SCRAM-SHA-512\n{other}.ssl.client.auth=required\n{other}.ssl.keystore.type=PEM\n\
             {other}.ssl.keystore.location={both}\n{other}.ssl.truststore.type=PEM\n{other}.ssl.truststore.location={authority}\n\
             {other}.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;"
        );
        kafka::bench::another_listener(host, &format!("{host}:9094"), "SASL_SSL", &more)
    });
    make_scram_account(&guarded.servers.address(1)).await;
    let base = |there: &str| format!("kafka://klatch@{there}");
    let ask = async |place| Arc::new(kafka::Kafka::at(place)?).migrate(1, false).await.map(drop).map_err(whole);
    let told = guarded.is_strict(9094, base, ask).await;
    // Its driver only waits in vain.
    let reasons =
        ["certificate verify failed", "certificate verify failed", "alert bad certificate", "Authentication failed"];
    for (told, reason) in told.iter().zip(reasons) {
        assert!(told.contains(reason), "{told}");
    }
    // The other client, which asks for nothing but this.
    let ask = async |place| kafka::Kafka::at(place)?.disks(0).await.into_iter().next().map_or(Ok(()), Err);
    guarded.is_strict(9094, base, ask).await;
}

/// Has Kafka know `klatch` and its password (RFC 5802).
async fn make_scram_account(server: &str) {
    let client = krafka::Kafka::builder(server).connect().await.unwrap();
    let (salt, iterations, mut salted) = (b"of a test".to_vec(), 4_096, vec![0; 64]);
    let digest = openssl::hash::MessageDigest::sha512();
    openssl::pkcs5::pbkdf2_hmac(PASSWORD.as_bytes(), &salt, iterations, digest, &mut salted).unwrap();
    let account = ScramCredentialUpsertion {
        name: "klatch".to_owned(),
        mechanism: ScramMechanism::Sha512,
        iterations: iterations as i32,
        salt: salt.into(),
        salted_password: salted.into(),
    };
    let made = client.admin().alter_user_scram_credentials(vec![], vec![account], Default::default()).await.unwrap();
    made["klatch"].as_ref().unwrap();
}

#[tokio::test]
async fn rabbitmq() {
    let guarded = Guarded::start(Kind::RabbitMq, |host, given| {
        format!(
            "listeners.ssl.1 = {host}:5671\nssl_options.cacertfile = {}\nssl_options.certfile = {}\nssl_options.keyfile = {}\n\
             ssl_options.verify = verify_peer\nssl_options.fail_if_no_peer_cert = true\ndefault_user = klatch\ndefault_pass = {PASSWORD}\n\
             default_vhost = chat",
            given.authority.display(),
            given.certificate.display(),
            given.key.display()
        )
    });
    let base = |there: &str| format!("amqp://klatch@{there}/chat");
    guarded
        .is_strict(5671, base, async |place| {
            let broker = rabbitmq::Broker::at(place)?;
            broker.channel(rabbitmq::Way::Out).await.map(drop).map_err(whole)
        })
        .await;
}

#[tokio::test]
async fn redis() {
    let guarded = Guarded::start(Kind::Redis, |_, given| {
        format!(
            "tls-port 6380\ntls-cert-file {}\ntls-key-file {}\ntls-ca-cert-file {}\nuser klatch on >{PASSWORD} ~* &* +@all",
            given.certificate.display(),
            given.key.display(),
            given.authority.display()
        )
    });
    let base = |there: &str| format!("redis://klatch@{there}");
    guarded
        .is_strict(6380, base, async |place| {
            let ping = redis::Call { key: Default::default(), name: "PING", args: vec![] };
            redis::Redis::at(place)?.call(&[ping]).await.map(drop).map_err(whole)
        })
        .await;
}
