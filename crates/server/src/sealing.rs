//! Sealing: what people write is encrypted under their own key where it comes in, before any queue, and opened where it is
//! shown. Destroying the key makes every body of theirs unreadable; everything else goes on working.
//!
//! A body is sealed with XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03), whose nonce is long enough to be drawn at random, and is
//! bound to workspace, conversation, author and command id. Author keys lie in the port `keys`, wrapped in the same way
//! under the master key, which never leaves this module.

use std::sync::Arc;

use bytes::Bytes;
use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use klatch_core::conversation::CommandHash;
use klatch_core::ids::{CommandId, ConversationId, UserId, WorkspaceId};
use klatch_ports::keys::{Key as StoredKey, Keys};
use quick_cache::sync::Cache;
use zeroize::Zeroizing;

use crate::environment::Entropy;

/// Author keys kept in memory, unwrapped.
const CACHED_KEYS_MAX: usize = 20_000;
/// Keys that are asked for with one call when it is looked whether they are still there.
const LOOKED_AT_MAX: usize = 1_000;
const FORMAT: u8 = 1;
const NONCE_BYTES: usize = 24;

/// Why something could not be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The key store failed.
    #[error("the key store failed")]
    Keys(#[from] klatch_ports::Error),
    /// The author's key was destroyed.
    #[error("the author's key was destroyed")]
    Destroyed,
    /// The bytes were not sealed here, or not for this place.
    #[error("the seal does not fit")]
    Broken,
    /// The master key is not the one that the stored keys were wrapped with.
    #[error("this master key does not belong to these data; start with the one they were made with")]
    WrongMaster,
}

/// The key under which author keys are wrapped: 32 bytes that the node read from a file.
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl MasterKey {
    /// The key of these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

/// The place that a sealed body is bound to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// The conversation.
    pub conversation: ConversationId,
    /// Whose key seals.
    pub author: UserId,
    /// The command that brings the body.
    pub id: CommandId,
}

/// An author's key, unwrapped.
pub struct AuthorKey {
    cipher: XChaCha20Poly1305,
    hashing: Zeroizing<[u8; 32]>,
}

impl AuthorKey {
    fn new(secret: &[u8; 32]) -> Self {
        let sealing = Zeroizing::new(blake3::derive_key("klatch 2026 author key: bodies", secret));
        let hashing = Zeroizing::new(blake3::derive_key("klatch 2026 author key: command hashes", secret));
        Self { cipher: XChaCha20Poly1305::new((&*sealing).into()), hashing }
    }

    /// The hash of a command's content under this key, so that nobody without it can test a guess.
    pub fn hash(&self, content: &[u8]) -> CommandHash {
        let hash = blake3::keyed_hash(&self.hashing, content);
        *hash.as_bytes().first_chunk().expect("a hash has 32 bytes")
    }
}

/// Seals and opens.
pub struct Sealer {
    workspace: WorkspaceId,
    keys: Arc<dyn Keys>,
    entropy: Arc<dyn Entropy>,
    master: XChaCha20Poly1305,
    /// `None` for a key that was destroyed.
    cache: Cache<UserId, Option<Arc<AuthorKey>>>,
}

impl Sealer {
    /// A sealer on this key store.
    ///
    /// # Errors
    /// [`SealError::WrongMaster`] if the stored keys were wrapped with another master key.
    pub async fn open_store(
        workspace: WorkspaceId,
        keys: Arc<dyn Keys>,
        entropy: Arc<dyn Entropy>,
        master: &MasterKey,
    ) -> Result<Self, SealError> {
        let master = XChaCha20Poly1305::new((&*master.0).into());
        let sealer = Self { workspace, keys, entropy, master, cache: Cache::new(CACHED_KEYS_MAX) };
        let mut check = [0; 32];
        sealer.entropy.fill(&mut check);
        sealer.secret("master-check", &check).await.map_err(|error| match error {
            SealError::Broken => SealError::WrongMaster,
            other => other,
        })?;
        Ok(sealer)
    }

    /// A secret of the site, kept wrapped beside the author keys: `first` becomes it where there is none of this name.
    ///
    /// # Errors
    /// [`SealError`].
    pub async fn secret(&self, name: &str, first: &[u8; 32]) -> Result<Zeroizing<[u8; 32]>, SealError> {
        let context = [b"secret", self.workspace.as_bytes().as_slice(), name.as_bytes()].concat();
        let wrapped = encrypt(&self.master, &*self.entropy, &context, first);
        let stored = self.keys.secret(name, wrapped).await?;
        let bytes = Zeroizing::new(decrypt(&self.master, &context, &stored)?);
        bytes.as_slice().try_into().map(Zeroizing::new).map_err(|_| SealError::Broken)
    }

    /// The keys of these people, made where there is none yet, in their order; `None` for those that were destroyed.
    ///
    /// # Errors
    /// [`SealError`].
    pub async fn author_keys(&self, users: &[UserId]) -> Result<Vec<Option<Arc<AuthorKey>>>, SealError> {
        let missing: Vec<_> = users.iter().copied().filter(|user| self.cache.get(user).is_none()).collect();
        if !missing.is_empty() {
            let new = missing.iter().map(|user| (*user, self.new_key(*user))).collect();
            let stored = self.keys.create(new).await?;
            for (user, key) in missing.into_iter().zip(stored) {
                self.cache.insert(user, self.unwrap_key(user, key)?);
            }
        }
        // One that was put out of the cache again at once is simply asked for anew.
        let mut keys = Vec::with_capacity(users.len());
        for user in users {
            keys.push(match self.cache.get(user) {
                Some(key) => key,
                None => self.known_key(*user).await?,
            });
        }
        Ok(keys)
    }

    /// Gives these people's keys to the store of another sealer of the same workspace, wrapped under the master key there. Somebody
    /// whose key is another or destroyed there, if there is one. Keys that are destroyed here are passed over.
    ///
    /// # Errors
    /// [`SealError`].
    pub async fn hand_over(&self, to: &Self, users: &[UserId]) -> Result<Option<UserId>, SealError> {
        let stored = self.keys.get(users).await?;
        let mut secrets = Vec::with_capacity(users.len());
        for (user, key) in users.iter().zip(stored) {
            if let Some(StoredKey::Wrapped(wrapped)) = key {
                let secret = Zeroizing::new(decrypt(&self.master, &self.wrapping_context(*user), &wrapped)?);
                secrets.push((*user, secret));
            }
        }
        let wrap = |(user, secret): &(UserId, Zeroizing<Vec<u8>>)| {
            (*user, encrypt(&to.master, &*to.entropy, &to.wrapping_context(*user), secret))
        };
        let there = to.keys.create(secrets.iter().map(wrap).collect()).await?;
        for ((user, secret), key) in secrets.iter().zip(there) {
            let StoredKey::Wrapped(wrapped) = key else { return Ok(Some(*user)) };
            if *Zeroizing::new(decrypt(&to.master, &to.wrapping_context(*user), &wrapped)?) != **secret {
                return Ok(Some(*user));
            }
        }
        Ok(None)
    }

    /// The key with which `author` writes.
    ///
    /// # Errors
    /// [`SealError`].
    pub async fn author_key(&self, author: UserId) -> Result<Arc<AuthorKey>, SealError> {
        let keys = self.author_keys(&[author]).await?;
        keys.into_iter().next().flatten().ok_or(SealError::Destroyed)
    }

    /// Forgets a key that was destroyed, so that nothing of theirs is opened any more.
    pub fn forget(&self, user: UserId) {
        self.cache.insert(user, None);
    }

    /// Forgets those of the keys in memory that were destroyed meanwhile, by whatever process: not everybody hears of each.
    ///
    /// # Errors
    /// [`SealError`].
    pub async fn forget_destroyed(&self) -> Result<(), SealError> {
        let users: Vec<_> = self.cache.iter().filter_map(|(user, key)| key.map(|_| user)).collect();
        for users in users.chunks(LOOKED_AT_MAX) {
            for (user, key) in users.iter().zip(self.keys.get(users).await?) {
                if key == Some(StoredKey::Destroyed) {
                    self.forget(*user);
                }
            }
        }
        Ok(())
    }

    /// Seals a body for its place.
    pub fn seal(&self, key: &AuthorKey, place: Place, body: &[u8]) -> Bytes {
        encrypt(&key.cipher, &*self.entropy, &self.context(place), body)
    }

    /// Opens a body; `Ok(None)` where its author's key was destroyed.
    ///
    /// # Errors
    /// [`SealError`].
    pub async fn open(&self, place: Place, sealed: &[u8]) -> Result<Option<Vec<u8>>, SealError> {
        let key = match self.cache.get(&place.author) {
            Some(key) => key,
            None => self.known_key(place.author).await?,
        };
        let Some(key) = key else { return Ok(None) };
        decrypt(&key.cipher, &self.context(place), sealed).map(Some)
    }

    async fn known_key(&self, user: UserId) -> Result<Option<Arc<AuthorKey>>, SealError> {
        let stored = self.keys.get(&[user]).await?.into_iter().next().flatten();
        let key = match stored {
            Some(stored) => self.unwrap_key(user, stored)?,
            None => None,
        };
        self.cache.insert(user, key.clone());
        Ok(key)
    }

    fn new_key(&self, user: UserId) -> Bytes {
        let mut secret = Zeroizing::new([0; 32]);
        self.entropy.fill(&mut *secret);
        encrypt(&self.master, &*self.entropy, &self.wrapping_context(user), &*secret)
    }

    fn unwrap_key(&self, user: UserId, stored: StoredKey) -> Result<Option<Arc<AuthorKey>>, SealError> {
        let StoredKey::Wrapped(wrapped) = stored else { return Ok(None) };
        let secret = Zeroizing::new(decrypt(&self.master, &self.wrapping_context(user), &wrapped)?);
        let secret = secret.as_slice().try_into().map_err(|_| SealError::Broken)?;
        Ok(Some(Arc::new(AuthorKey::new(secret))))
    }

    fn wrapping_context(&self, user: UserId) -> Vec<u8> {
        [b"author", self.workspace.as_bytes().as_slice(), user.as_bytes()].concat()
    }

    fn context(&self, place: Place) -> [u8; 64] {
        let mut context = [0; 64];
        let parts =
            [self.workspace.as_bytes(), place.conversation.as_bytes(), place.author.as_bytes(), place.id.as_bytes()];
        for (into, part) in context.chunks_exact_mut(16).zip(parts) {
            into.copy_from_slice(part);
        }
        context
    }
}

/// Format, nonce, ciphertext with its tag.
fn encrypt(cipher: &XChaCha20Poly1305, entropy: &dyn Entropy, aad: &[u8], msg: &[u8]) -> Bytes {
    let mut nonce = [0; NONCE_BYTES];
    entropy.fill(&mut nonce);
    let sealed = cipher
        .encrypt((&nonce).into(), Payload { msg, aad })
        .expect("a body is far shorter than what the cipher can take");
    let mut bytes = Vec::with_capacity(1 + NONCE_BYTES + sealed.len());
    bytes.push(FORMAT);
    bytes.extend_from_slice(&nonce);
    bytes.extend_from_slice(&sealed);
    bytes.into()
}

fn decrypt(cipher: &XChaCha20Poly1305, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
    let Some((&FORMAT, rest)) = sealed.split_first() else { return Err(SealError::Broken) };
    let Some((nonce, msg)) = rest.split_first_chunk::<NONCE_BYTES>() else { return Err(SealError::Broken) };
    cipher.decrypt(nonce.into(), Payload { msg, aad }).map_err(|_| SealError::Broken)
}
