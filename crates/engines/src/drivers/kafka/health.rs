//! What an operator should know of a Kafka.

use std::sync::Arc;
use std::time::Duration;

use klatch_ports::Error;
use rdkafka::admin::{AdminClient, AdminOptions, ConfigResource, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;

use super::disks::LEFT_MIN;
use super::topics::{COPIES, Topic, Wanted};
use super::{Kafka, error};

impl Kafka {
    /// What an operator should change, a sentence each; none where all is well.
    ///
    /// # Errors
    /// `Unavailable`: nothing is known.
    pub async fn health(self: &Arc<Self>) -> Result<Vec<String>, Error> {
        let (there, brokers) = self.topics().await?;
        let mut findings = Vec::new();
        if brokers.len() < COPIES {
            let count = brokers.len();
            findings
                .push(format!("Kafka has {count} brokers: with fewer than {COPIES}, the loss of one stops the chat"));
        }
        // Where we may not ask that, whoever joins is told.
        if let Some(broker) = brokers.first()
            && let Ok(settings) = self.configuration(ResourceSpecifier::Broker(*broker)).await
        {
            findings.extend(refused_session(self.session, &settings));
        }
        for Wanted { name, .. } in self.wanted(1) {
            match there.iter().find(|topic| topic.name == name) {
                None => findings.push(format!("there is no topic {name}: run `klatch migrate`")),
                Some(topic) => {
                    findings.extend(topic.findings());
                    findings.extend(settings(
                        &name,
                        topic,
                        &self.configuration(ResourceSpecifier::Topic(&name)).await?,
                    ));
                }
            }
        }
        findings.extend(self.disks(LEFT_MIN).await);
        Ok(findings)
    }

    async fn configuration(&self, of: ResourceSpecifier<'_>) -> Result<ConfigResource, Error> {
        let admin: AdminClient<DefaultClientContext> = self.config.create().map_err(error)?;
        let options = AdminOptions::new().request_timeout(Some(self.timeout));
        let answer = admin.describe_configs([&of], &options).await.map_err(error)?;
        let answer = answer.into_iter().next().ok_or_else(|| Error::unavailable("Kafka answered nothing"))?;
        answer.map_err(|code| Error::unavailable(format!("the settings of {of:?}: {code}")))
    }
}

impl Topic {
    fn findings(&self) -> Vec<String> {
        let Self { name, copies, in_sync, leaderless, .. } = self;
        let mut findings = Vec::new();
        if *copies < COPIES {
            findings.push(format!(
                "the topic {name} has {copies} copies: with fewer than {COPIES}, loss of power can take what was accepted"
            ));
        }
        if in_sync < copies {
            findings.push(format!("a partition of {name} has {in_sync} of {copies} copies in sync: is a broker away?"));
        }
        if *leaderless > 0 {
            findings.push(format!("{leaderless} partitions of {name} have no leader: nothing can be sent there"));
        }
        findings
    }
}

/// What is wrong with how long members may be silent, where brokers with these settings refuse it: then nobody can join a group.
fn refused_session(session: Duration, settings: &ConfigResource) -> Option<String> {
    let ours = session.as_millis();
    let limit = |name| setting(settings, name).parse::<u128>().ok();
    let (min, max) = (limit("group.min.session.timeout.ms")?, limit("group.max.session.timeout.ms")?);
    (!(min..=max).contains(&ours)).then(|| {
        format!("brokers take no `session_ms` of {ours}, but {min} to {max}: set another, or their `group.min.session.timeout.ms`")
    })
}

fn setting(settings: &ConfigResource, name: &str) -> String {
    settings.get(name).and_then(|entry| entry.value.clone()).unwrap_or_default()
}

fn settings(name: &str, topic: &Topic, settings: &ConfigResource) -> Vec<String> {
    let setting = |name: &str| setting(settings, name);
    let mut findings = Vec::new();
    let minimum: usize = setting("min.insync.replicas").parse().unwrap_or(0);
    if minimum < 2 {
        findings
            .push(format!("min.insync.replicas of {name} is {minimum}: set 2, or one broker's loss can take messages"));
    }
    if minimum >= topic.copies && topic.copies > 1 {
        findings.push(format!("min.insync.replicas of {name} is {minimum} of {}: no broker may be away", topic.copies));
    }
    if setting("unclean.leader.election.enable") == "true" {
        findings.push(format!("unclean.leader.election.enable of {name} is true: set false, or messages can be lost"));
    }
    if setting("cleanup.policy") != "delete" {
        findings.push(format!("cleanup.policy of {name} is not `delete`: it would take messages that are needed"));
    }
    findings
}
