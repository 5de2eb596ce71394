//! Passwords as Argon2id hashes (RFC 9106), a few at a time and with the same work for people who do not exist.

use std::sync::Arc;

use argon2::password_hash::{PasswordHash as Phc, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use klatch_ports::directory::PasswordHash;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::Error;
use crate::environment::Entropy;

/// How much work a password is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Work {
    /// Memory of one hash, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
    /// Hashes at a time. LIMIT: memory for passwords is this many times `memory_kib`, and nothing while nobody signs in.
    pub at_once: usize,
    /// LIMIT: hashes that wait for their turn; who comes then is told to come again.
    pub waiting: usize,
}

impl Default for Work {
    /// The second recommendation of RFC 9106, section 4: for machines with little memory to spare.
    fn default() -> Self {
        Self { memory_kib: 64 * 1024, passes: 3, lanes: 4, at_once: 2, waiting: 256 }
    }
}

impl Work {
    /// As little as the algorithm takes: for tests, which sign in all the time.
    pub const fn least() -> Self {
        Self { memory_kib: Params::MIN_M_COST, passes: 1, lanes: 1, at_once: 2, waiting: 100_000 }
    }
}

/// Hashes and verifies passwords.
pub struct Passwords {
    argon2: Argon2<'static>,
    turns: Arc<Semaphore>,
    places: Semaphore,
    /// What is verified for people who do not exist.
    nobody: String,
}

impl Passwords {
    /// With this much work each.
    ///
    /// # Errors
    /// If the algorithm does not take this work.
    pub fn new(work: Work) -> Result<Self, Error> {
        let params = Params::new(work.memory_kib, work.passes, work.lanes, None)
            .map_err(|_| Error::Internal("Argon2id does not take these parameters"))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        // No password has this hash; the work to find that out is the same as for any other.
        let nobody = format!(
            "$argon2id$v=19$m={},t={},p={}$bm9ib2R5bm9ib2R5bm9ibw$bm9ib2R5bm9ib2R5bm9ib2R5bm9ib2R5bm9ib2R5bm8",
            work.memory_kib, work.passes, work.lanes
        );
        let (turns, places) = (Semaphore::new(work.at_once.max(1)), Semaphore::new(work.waiting.max(1)));
        Ok(Self { argon2, turns: Arc::new(turns), places, nobody })
    }

    /// The hash of a new password.
    ///
    /// # Errors
    /// `Busy`, or if the algorithm fails.
    pub async fn hash(&self, password: &str, entropy: &dyn Entropy) -> Result<PasswordHash, Error> {
        let mut salt = [0; 16];
        entropy.fill(&mut salt);
        let argon2 = self.argon2.clone();
        let password = Zeroizing::new(password.to_owned());
        let work = move || {
            let salt = SaltString::encode_b64(&salt).ok()?;
            argon2.hash_password(password.as_bytes(), &salt).ok().map(|hash| PasswordHash(hash.to_string()))
        };
        self.in_turn(work).await?.ok_or(Error::Internal("Argon2id failed"))
    }

    /// Whether the password is the one of this hash. Takes as long where there is none.
    ///
    /// # Errors
    /// `Busy`, or if the thread that does it dies.
    pub async fn verify(&self, password: &str, hash: Option<PasswordHash>) -> Result<bool, Error> {
        let is_somebody = hash.is_some();
        let hash = hash.map_or_else(|| self.nobody.clone(), |hash| hash.0);
        let argon2 = self.argon2.clone();
        let password = Zeroizing::new(password.to_owned());
        let work = move || Phc::new(&hash).is_ok_and(|hash| argon2.verify_password(password.as_bytes(), &hash).is_ok());
        Ok(self.in_turn(work).await? && is_somebody)
    }

    /// Runs the work where it may block, once it has its turn. The turn lasts until the work ends, also when nobody waits for it
    /// any longer.
    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        let _place = self.places.try_acquire().map_err(|_| Error::Busy)?;
        let turn =
            Arc::clone(&self.turns).acquire_owned().await.map_err(|_| Error::Internal("no turns for passwords"))?;
        let run = move || {
            let _turn = turn;
            work()
        };
        tokio::task::spawn_blocking(run).await.map_err(|_| Error::Internal("a password's thread died"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting;

    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            (0..).zip(bytes).for_each(|(i, byte)| *byte = i);
        }
    }

    #[tokio::test]
    async fn a_password_is_verified_by_its_hash_alone() {
        let passwords = Passwords::new(Work::least()).unwrap();
        let hash = passwords.hash("correct horse", &Counting).await.unwrap();
        assert!(hash.0.starts_with("$argon2id$v=19$m=8,t=1,p=1$"));
        assert!(passwords.verify("correct horse", Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify("correct house", Some(hash.clone())).await.unwrap());
        assert!(!format!("{hash:?}").contains("argon2"), "a hash is not printed");

        let stronger = Passwords::new(Work { passes: 2, ..Work::least() }).unwrap();
        assert!(stronger.verify("correct horse", Some(hash)).await.unwrap(), "a hash names its own parameters");
    }

    #[tokio::test]
    async fn nobody_has_a_password_and_costs_the_same() {
        let passwords = Passwords::new(Work::least()).unwrap();
        assert!(!passwords.verify("nobody", None).await.unwrap());
        let phc = Phc::new(&passwords.nobody).unwrap();
        assert_eq!(Params::try_from(&phc).unwrap(), Params::new(8, 1, 1, Some(32)).unwrap());
    }

    #[tokio::test]
    async fn only_so_many_wait_for_their_turn() {
        let passwords = Passwords::new(Work { at_once: 1, waiting: 2, ..Work::least() }).unwrap();
        let turn = passwords.turns.acquire().await.unwrap();
        let first = passwords.verify("x", None);
        let second = passwords.verify("x", None);
        let third = async {
            tokio::task::yield_now().await;
            let outcome = passwords.verify("x", None).await;
            drop(turn);
            outcome
        };
        let (first, second, third) = tokio::join!(first, second, third);
        assert!(matches!(third, Err(Error::Busy)));
        assert!(!first.unwrap() && !second.unwrap());
    }

    #[test]
    fn the_default_is_that_of_the_rfc() {
        let work = Work::default();
        assert_eq!((work.memory_kib, work.passes, work.lanes), (65_536, 3, 4));
    }
}
