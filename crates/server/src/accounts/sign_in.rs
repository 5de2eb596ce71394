//! Signing in.

use std::net::IpAddr;

use klatch_ports::directory::State;
use klatch_protocol::objects::Slug;

use super::{Accounts, Attempt, Error, SignedIn, names};

impl Accounts {
    /// Signs somebody in. Whether there is such a name cannot be told from the answer, nor from how long it takes.
    ///
    /// # Errors
    /// `wrong_password`, `rate_limited`, or that a port is away.
    pub async fn sign_in(
        &self,
        name: &str,
        password: &str,
        device: Option<&str>,
        from: IpAddr,
    ) -> Result<SignedIn, Error> {
        self.count(Attempt::Address(from)).await?;
        let name = names::normal(name);
        let account = if names::check_name(&name).is_ok() {
            self.count(Attempt::Name(&name, from)).await?;
            self.count(Attempt::NameAnywhere(&name)).await?;
            self.services.directory.named(&name).await?
        } else {
            None
        };
        let account = account.filter(|account| account.state == State::Active);
        let hash = match &account {
            Some(account) => self.services.directory.password(account.id).await?,
            None => None,
        };
        match (self.passwords.verify(password, hash).await?, account) {
            (true, Some(account)) => {
                metrics::counter!("klatch_sign_ins_total", "outcome" => "signed_in").increment(1);
                self.open(account, device).await
            }
            _ => {
                metrics::counter!("klatch_sign_ins_total", "outcome" => "wrong_password").increment(1);
                Err(Error::Refused(Slug::WrongPassword, "Check both; capital letters count in the password."))
            }
        }
    }
}
