//! Accounts: who people are, how they prove it, and on which devices they are signed in. One file per thing that one can do.
//!
//! It knows no HTTP: [`api`](crate::api) hands requests to it, and the gateway asks it who the bearer of a token is. Rules on
//! names and passwords are here; what must happen in one step is a promise of the port `directory`.

mod authenticate;
mod blocks;
mod claim;
mod close;
mod error;
mod import;
mod invites;
mod known;
pub mod names;
pub mod notices;
mod passwords;
mod people;
mod rates;
mod refresh;
mod reset;
mod secrets;
mod sessions;
mod sign_in;
mod sign_up;
mod signer;
mod site;

use std::sync::Arc;

use klatch_core::ids::{DeviceId, Timestamp, UserId};

pub use error::Error;
pub use import::Newcomer;
pub use passwords::Work;
pub use people::user_object;
pub(crate) use rates::Attempt;
pub use rates::Rates;
pub use secrets::Secret;
pub use sessions::SignedIn;
pub use sign_up::SignUp;
pub use signer::{ACCESS_TOKEN_S, Identity, Signer};

use crate::services::Services;
use notices::AccountNotice;

/// What an operator decides about accounts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// How much work a password is.
    pub work: Work,
    /// How often somebody may try.
    pub rates: Rates,
}

/// Accounts.
pub struct Accounts {
    services: Arc<Services>,
    signer: Signer,
    passwords: passwords::Passwords,
    known: known::Known,
    options: Options,
}

impl Accounts {
    /// The accounts of this site.
    ///
    /// # Errors
    /// If passwords cannot be hashed with this much work.
    pub fn new(services: Arc<Services>, signer: Signer, options: Options) -> Result<Self, Error> {
        let passwords = passwords::Passwords::new(options.work)?;
        Ok(Self { services, signer, passwords, known: known::Known::default(), options })
    }

    /// What others verify access tokens with.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// Forgets what has expired, and finishes closing what was closed. The node calls this from time to time.
    ///
    /// # Errors
    /// That a port is away.
    pub async fn keep_house(&self) -> Result<(), Error> {
        self.services.directory.prune(self.now()).await?;
        self.finish_closures().await
    }

    fn now(&self) -> Timestamp {
        self.services.clock.now()
    }

    /// Tells the roles. At most once, so it is no failure if nobody hears: they ask again within seconds.
    async fn tell(&self, user: UserId, notices: Vec<AccountNotice>) {
        let said = notices.into_iter().map(|notice| notice.said(user)).collect();
        if let Err(error) = self.services.live.publish(said).await {
            tracing::warn!(error = ?error, "a notice about an account was not published");
        }
    }

    /// These sessions have ended: nobody acts for them from here on, and their connections are closed.
    async fn ended(&self, user: UserId, devices: Vec<DeviceId>) {
        if devices.is_empty() {
            return;
        }
        self.known.forget(&devices);
        self.tell(user, devices.into_iter().map(|device| AccountNotice::SessionRevoked { device }).collect()).await;
    }
}
