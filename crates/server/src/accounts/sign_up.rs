//! Signing up.

use std::net::IpAddr;

use klatch_core::ids::UserId;
use klatch_ports::directory::{Account, Admission, Created, Digest, NewAccount, Registration};
use klatch_protocol::objects::Slug;
use uuid::Uuid;

use super::secrets::{Purpose, parse_link_token};
use super::{Accounts, Attempt, Error, SignedIn, names};
use crate::environment::uuid_v7;

const NAME_TAKEN: Error = Error::Refused(Slug::NameTaken, "Somebody has this name. Choose another one.");
const INVITE_INVALID: Error =
    Error::Refused(Slug::InviteInvalid, "Ask whoever invited you for another link; each is good for a time.");

/// What somebody signs up with.
#[derive(Clone, Copy)]
pub struct SignUp<'a> {
    /// The name to sign in with.
    pub name: &'a str,
    /// The password.
    pub password: &'a str,
    /// The name to be shown; without one, the name.
    pub display_name: Option<&'a str>,
    /// The token of an invite, or of the claim that makes an owner.
    pub invite: Option<&'a str>,
    /// How they call their device.
    pub device: Option<&'a str>,
    /// The idempotency key: a sign-up that is repeated with it signs in.
    pub key: Option<Uuid>,
}

impl Accounts {
    /// Makes an account and signs in.
    ///
    /// # Errors
    /// `invalid_name`, `weak_password`, `name_taken`, `invite_required`, `invite_invalid`, `registration_closed`,
    /// `rate_limited`, or that a port is away.
    pub async fn sign_up(&self, wanted: SignUp<'_>, from: IpAddr) -> Result<SignedIn, Error> {
        let name = names::normal(wanted.name);
        names::check_name(&name)?;
        names::check_password(wanted.password, &name)?;
        let display_name = wanted.display_name.unwrap_or(wanted.name).trim();
        names::check_display_name(display_name)?;
        self.count(Attempt::SignUp(from)).await?;

        let directory = &self.services.directory;
        let request = wanted.key.map(|key| request_digest(key, &name));
        let taken = directory.named(&name).await?;
        if taken.is_some() && request.is_none() {
            return Err(NAME_TAKEN);
        }
        let admission = match (taken, self.admission(wanted.invite).await) {
            (_, Ok(admission)) => admission,
            // The invite that a repeated sign-up comes with may be used up: by itself.
            (Some(_), Err(_)) => Admission::Invite(Digest([0; 32])),
            (None, Err(error)) => return Err(error),
        };
        let password = self.passwords.hash(wanted.password, &*self.services.entropy).await?;
        let new = NewAccount {
            id: UserId(uuid_v7(&*self.services.clock, &*self.services.entropy)),
            name,
            display_name: display_name.to_owned(),
            password,
            request,
            at: self.now(),
        };
        match directory.create(new, admission).await? {
            Created::Now(account) => self.open(account, wanted.device).await,
            Created::Before(account) => self.sign_in_again(account, wanted).await,
            Created::NameTaken => Err(NAME_TAKEN),
            Created::NotAdmitted => Err(INVITE_INVALID),
        }
    }

    /// The answer to a sign-up was lost: whoever repeats it has the password.
    async fn sign_in_again(&self, account: Account, wanted: SignUp<'_>) -> Result<SignedIn, Error> {
        let hash = self.services.directory.password(account.id).await?;
        if self.passwords.verify(wanted.password, hash).await? {
            self.open(account, wanted.device).await
        } else {
            Err(NAME_TAKEN)
        }
    }

    /// With what somebody is let in who brings this token.
    async fn admission(&self, invite: Option<&str>) -> Result<Admission, Error> {
        let directory = &self.services.directory;
        let registration = directory.site().await?.registration;
        let admission = match (invite.map(parse_link_token), registration) {
            (Some(Some((Purpose::Claim, digest))), _) => Admission::Claim(digest),
            (_, Registration::Closed) => {
                return Err(Error::Refused(Slug::RegistrationClosed, "Ask the owner of the site for an account."));
            }
            (Some(Some((Purpose::Invite, digest))), _) => Admission::Invite(digest),
            (Some(_), _) => return Err(INVITE_INVALID),
            (None, Registration::Open) => Admission::Open,
            (None, Registration::Invite) => {
                return Err(Error::Refused(Slug::InviteRequired, "Ask somebody on this site for a link to join."));
            }
        };
        // Asked before the password is hashed, so that guessing tokens costs us little; what counts is asked again by `create`.
        if directory.admits(admission, self.now()).await? { Ok(admission) } else { Err(INVITE_INVALID) }
    }
}

fn request_digest(key: Uuid, name: &str) -> Digest {
    Digest(*blake3::Hasher::new().update(key.as_bytes()).update(name.as_bytes()).finalize().as_bytes())
}
