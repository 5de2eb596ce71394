//! The claim: a one-time token with which whoever runs the node becomes the owner of the site.

use super::secrets::{Purpose, link_token};
use super::{Accounts, Error, Secret};

/// How long a claim is good.
pub const CLAIM_MS: u64 = 24 * 3_600_000;

impl Accounts {
    /// Makes a claim, in place of the one before. The node prints it; the sign-up that brings it as `invite` makes an owner. It can
    /// be made at any time: whoever runs the machine decides who runs the site.
    ///
    /// # Errors
    /// That the directory is away.
    pub async fn make_claim(&self) -> Result<Secret, Error> {
        let (token, digest) = link_token(Purpose::Claim, &*self.services.entropy);
        self.services.directory.set_claim(digest, self.now().plus_ms(CLAIM_MS)).await?;
        Ok(token)
    }
}
