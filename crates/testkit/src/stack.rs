//! What the nodes of a test stand on: nothing but this process, or the real servers of a cluster.

use klatch_backing::{Kind, Servers};
use klatch_engines::drivers::place::Place;
use klatch_engines::drivers::postgres::Database;
use klatch_node::Role;
use klatch_node::config::Engines;
use uuid::Uuid;

/// How long an answer of a server is waited for: a busy machine is no outage.
const TIMEOUT: &str = "timeout_ms=10000";
/// The environment variable that chooses: the name of a stack; nothing for the embedded engines.
const CHOICE: &str = "KLATCH_STACK";

/// What nodes stand on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stack {
    /// The embedded engines, all roles in one node.
    Embedded,
    /// Kafka, PostgreSQL and Redis, and a node for each role, twice.
    KafkaPostgreSql,
    /// RabbitMQ, PostgreSQL and Redis, and a node for each role, twice.
    RabbitMqPostgreSql,
    /// Kafka, Cassandra for the log, PostgreSQL for the rest, and Redis, and a node for each role, twice.
    KafkaCassandraPostgreSql,
}

impl Stack {
    const ALL: [Self; 4] =
        [Self::Embedded, Self::KafkaPostgreSql, Self::RabbitMqPostgreSql, Self::KafkaCassandraPostgreSql];

    const fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::KafkaPostgreSql => "kafka-postgresql",
            Self::RabbitMqPostgreSql => "rabbitmq-postgresql",
            Self::KafkaCassandraPostgreSql => "kafka-cassandra-postgresql",
        }
    }

    /// The one that the environment asks for.
    ///
    /// # Panics
    /// If there is no such stack.
    pub fn chosen() -> Self {
        let name = std::env::var(CHOICE).unwrap_or_default();
        if name.is_empty() {
            return Self::Embedded;
        }
        let chosen = Self::ALL.into_iter().find(|stack| stack.name() == name);
        chosen.unwrap_or_else(|| panic!("{CHOICE} is {name}: there are {}", Self::ALL.map(Self::name).join(", ")))
    }

    /// The roles of each node. People reach those that come first.
    pub fn roles(self) -> Vec<Vec<Role>> {
        match self {
            Self::Embedded => vec![Role::ALL.to_vec()],
            Self::KafkaPostgreSql | Self::RabbitMqPostgreSql | Self::KafkaCassandraPostgreSql => {
                let split = [vec![Role::Api, Role::Gateway], vec![Role::Processor], vec![Role::Worker]];
                split.into_iter().flat_map(|roles| [roles.clone(), roles]).collect()
            }
        }
    }

    /// Databases, queues and so on that are empty, and nobody else's.
    pub async fn engines(self) -> Engines {
        if self == Self::Embedded {
            return Engines::default();
        }
        let name = format!("test_{}", Uuid::now_v7().simple());
        let shared = |kind| Servers::shared(kind).address(1);
        let (sql, redis) = (shared(Kind::PostgreSql), shared(Kind::Redis));
        for database in [name.clone(), format!("{name}_keys")] {
            create_database(&sql, &database).await;
        }
        let relational = format!("postgres://postgres@{sql}/{name}?pool=8&{TIMEOUT}");
        let bus = format!("redis://{redis}?prefix={name}");
        let queue = match self {
            Self::RabbitMqPostgreSql => {
                format!("amqp://guest:guest@{}?prefix={name}&{TIMEOUT}", shared(Kind::RabbitMq))
            }
            _ => format!("kafka://{}/{name}?{TIMEOUT}", shared(Kind::Kafka)),
        };
        let event_log = match self {
            Self::KafkaCassandraPostgreSql => {
                format!("cassandra://{}/{name}?replication=1&{TIMEOUT}", shared(Kind::Cassandra))
            }
            _ => relational.clone(),
        };
        Engines {
            event_log,
            queue,
            views: relational.clone(),
            directory: relational,
            keys: format!("postgres://postgres@{sql}/{name}_keys?pool=2&{TIMEOUT}"),
            live: bus.clone(),
            presence: bus,
            ..Engines::default()
        }
    }
}

async fn create_database(server: &str, name: &str) {
    let place: Place = format!("postgres://postgres@{server}/postgres?pool=1").parse().expect("an address");
    let all = Database::at(place).expect("a place");
    all.query(&format!("CREATE DATABASE {name}"), &[]).await.expect("the server takes another database");
}
