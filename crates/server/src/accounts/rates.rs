//! How often somebody may try. What is refused costs nothing and says when to come again.

use std::net::IpAddr;

use klatch_core::ids::UserId;
use klatch_ports::presence::Rate;

use super::{Accounts, Error};

/// How often somebody may try.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rates {
    /// Passwords for one name from one address; and those with which somebody who is signed in proves who they are.
    pub name: Rate,
    /// Passwords for one name from anywhere: more than one guesser needs, so that nobody is locked out by one.
    pub name_anywhere: Rate,
    /// Passwords, resets and invites from one address.
    pub address: Rate,
    /// New accounts from one address.
    pub sign_up: Rate,
    /// Renewals of one session.
    pub refresh: Rate,
    /// Requests of one person.
    pub requests: Rate,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            name: Rate { burst: 10, per_minute: 6 },
            name_anywhere: Rate { burst: 60, per_minute: 30 },
            address: Rate { burst: 60, per_minute: 60 },
            sign_up: Rate { burst: 20, per_minute: 10 },
            refresh: Rate { burst: 20, per_minute: 20 },
            requests: Rate { burst: 400, per_minute: 2_400 },
        }
    }
}

impl Rates {
    /// Next to no limits: for load tests, where thousands sign in from one address.
    pub const fn boundless() -> Self {
        let rate = Rate { burst: 1_000_000, per_minute: 1_000_000 };
        Self { name: rate, name_anywhere: rate, address: rate, sign_up: rate, refresh: rate, requests: rate }
    }
}

/// What somebody tries.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Attempt<'a> {
    /// A password for this name, from this address.
    Name(&'a str, IpAddr),
    /// A password for this name, from anywhere.
    NameAnywhere(&'a str),
    /// A password, by somebody who is signed in.
    Proof(UserId),
    /// A secret, from this address.
    Address(IpAddr),
    /// To sign up, from this address.
    SignUp(IpAddr),
    /// To renew a session.
    Refresh(klatch_core::ids::DeviceId),
    /// A request, by this person.
    Request(UserId),
}

impl Accounts {
    /// Counts a try.
    ///
    /// # Errors
    /// `RateLimited`, or that nobody can tell: tries are not let through uncounted.
    pub(crate) async fn count(&self, attempt: Attempt<'_>) -> Result<(), Error> {
        let rates = &self.options.rates;
        let (key, rate) = match attempt {
            Attempt::Name(name, address) => (format!("password/{}/{name}", network(address)), rates.name),
            Attempt::NameAnywhere(name) => (format!("password/{name}"), rates.name_anywhere),
            Attempt::Proof(user) => (format!("proof/{user}"), rates.name),
            Attempt::Address(address) => (format!("address/{}", network(address)), rates.address),
            Attempt::SignUp(address) => (format!("sign_up/{}", network(address)), rates.sign_up),
            Attempt::Refresh(device) => (format!("refresh/{device}"), rates.refresh),
            Attempt::Request(user) => (format!("request/{user}"), rates.requests),
        };
        let taken = self.services.presence.take(&key, rate, 1, self.services.clock.now()).await?;
        taken.map_err(Error::RateLimited)
    }

    /// Counts a try of somebody who has shown what nobody guesses: while nobody can count, they go on.
    ///
    /// # Errors
    /// `RateLimited`.
    pub(crate) async fn count_if_possible(&self, attempt: Attempt<'_>) -> Result<(), Error> {
        match self.count(attempt).await {
            Err(Error::Port(error)) => {
                tracing::warn!(error = ?error, "tries cannot be counted");
                Ok(())
            }
            counted => counted,
        }
    }
}

/// Who has one IPv6 address has 2^64 of them: the network counts.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_network_counts_as_one_and_a_mapped_address_as_ipv4() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(network(address("2001:db8:1:2:3::4")), network(address("2001:db8:1:2:ffff::")));
        assert_ne!(network(address("2001:db8:1:2::1")), network(address("2001:db8:1:3::1")));
        assert_eq!(network(address("::ffff:192.0.2.1")), address("192.0.2.1"));
    }
}
