//! Tokens that are secrets: refresh tokens, and what stands in links. The directory keeps digests of them.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use klatch_core::ids::DeviceId;
use klatch_ports::directory::Digest;
use zeroize::Zeroizing;

use super::signer::Signer;
use crate::environment::Entropy;

/// What the key that makes refresh tokens is derived for.
const REFRESH_PURPOSE: &str = "klatch 2026 refresh tokens";
const REFRESH_PREFIX: &str = "kr_";
const REFRESH_BYTES: usize = 16 + 4 + 32 + 32;

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub(crate) fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, where it is handed to its owner.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What a token in a link is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    /// To become the owner.
    Claim,
    /// To sign up.
    Invite,
    /// To set a password.
    Reset,
}

impl Purpose {
    const ALL: [Self; 3] = [Self::Claim, Self::Invite, Self::Reset];

    const fn prefix(self) -> &'static str {
        match self {
            Self::Claim => "kc_",
            Self::Invite => "ki_",
            Self::Reset => "kp_",
        }
    }
}

/// A new token for a link, and what is kept of it. 144 bits of chance in 24 letters.
pub(crate) fn link_token(purpose: Purpose, entropy: &dyn Entropy) -> (Secret, Digest) {
    let mut random = Zeroizing::new([0; 18]);
    entropy.fill(&mut *random);
    let token = format!("{}{}", purpose.prefix(), URL_SAFE_NO_PAD.encode(random.as_slice()));
    let digest = digest(token.as_bytes());
    (Secret(Zeroizing::new(token)), digest)
}

/// What a token from a link is for, and what is kept of it.
pub(crate) fn parse_link_token(token: &str) -> Option<(Purpose, Digest)> {
    let purpose = Purpose::ALL.into_iter().find(|purpose| token.starts_with(purpose.prefix()))?;
    Some((purpose, digest(token.as_bytes())))
}

fn digest(bytes: &[u8]) -> Digest {
    Digest(*blake3::hash(bytes).as_bytes())
}

/// A refresh token: the device, the number of the token, the session's secret, and a code over these that only the server can
/// make. So a stolen directory signs nobody in, nor does the server's key alone, and nobody makes a token from one they have.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RefreshToken {
    /// The session.
    pub device: DeviceId,
    /// The number.
    pub generation: u32,
    secret: Zeroizing<[u8; 32]>,
}

impl RefreshToken {
    /// The first token of a session.
    pub fn first(device: DeviceId, entropy: &dyn Entropy) -> Self {
        let mut secret = Zeroizing::new([0; 32]);
        entropy.fill(&mut *secret);
        Self { device, generation: 1, secret }
    }

    /// Another token of the same session.
    #[must_use]
    pub fn with_generation(self, generation: u32) -> Self {
        Self { generation, ..self }
    }

    /// What the directory keeps.
    pub fn digest(&self) -> Digest {
        digest(&*self.secret)
    }

    /// The token as it is handed out.
    pub fn encode(&self, signer: &Signer) -> Secret {
        let mut bytes = Zeroizing::new(self.head());
        bytes.extend_from_slice(self.code(signer).as_bytes());
        Secret(Zeroizing::new(format!("{REFRESH_PREFIX}{}", URL_SAFE_NO_PAD.encode(&*bytes))))
    }

    /// The token in this text, if it was made here.
    pub fn decode(text: &str, signer: &Signer) -> Option<Self> {
        let text = text.strip_prefix(REFRESH_PREFIX).filter(|text| text.len() <= REFRESH_BYTES * 2)?;
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).ok()?);
        let (device, rest) = bytes.split_first_chunk::<16>()?;
        let (generation, rest) = rest.split_first_chunk::<4>()?;
        let (secret, code) = rest.split_first_chunk::<32>()?;
        let token = Self {
            device: DeviceId::from_bytes(*device),
            generation: u32::from_be_bytes(*generation),
            secret: Zeroizing::new(*secret),
        };
        // The comparison of blake3 takes the same time wherever the two differ.
        let code: [u8; 32] = code.try_into().ok()?;
        (token.code(signer) == code).then_some(token)
    }

    fn head(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(REFRESH_BYTES);
        bytes.extend_from_slice(self.device.as_bytes());
        bytes.extend_from_slice(&self.generation.to_be_bytes());
        bytes.extend_from_slice(&*self.secret);
        bytes
    }

    fn code(&self, signer: &Signer) -> blake3::Hash {
        blake3::keyed_hash(&signer.derive(REFRESH_PURPOSE), &Zeroizing::new(self.head()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sevens;

    impl Entropy for Sevens {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    #[test]
    fn a_refresh_token_is_read_by_whoever_made_it() {
        let signer = Signer::new([1; 32]).unwrap();
        let first = RefreshToken::first(DeviceId::from_bytes([3; 16]), &Sevens);
        let text = first.encode(&signer);
        let read = RefreshToken::decode(text.expose(), &signer).unwrap();
        assert!((read.device, read.generation, read.digest()) == (first.device, 1, first.digest()));
        assert!(RefreshToken::decode(text.expose(), &Signer::new([2; 32]).unwrap()).is_none());
        assert_eq!(format!("{text:?}"), "Secret(…)");
    }

    #[test]
    fn nobody_makes_the_next_token_from_the_one_they_have() {
        let signer = Signer::new([1; 32]).unwrap();
        let text = RefreshToken::first(DeviceId::from_bytes([3; 16]), &Sevens).encode(&signer);
        let mut bytes = URL_SAFE_NO_PAD.decode(text.expose().strip_prefix("kr_").unwrap()).unwrap();
        bytes[19] += 1;
        let forged = format!("kr_{}", URL_SAFE_NO_PAD.encode(&bytes));
        for bad in
            [forged.as_str(), "", "kr_", "kr_AAAA", &text.expose()[3..], &text.expose()[..text.expose().len() - 4]]
        {
            assert!(RefreshToken::decode(bad, &signer).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_link_token_says_what_it_is_for() {
        let (token, digest) = link_token(Purpose::Invite, &Sevens);
        assert_eq!(token.expose().len(), 27);
        assert_eq!(parse_link_token(token.expose()), Some((Purpose::Invite, digest)));
        assert_eq!(parse_link_token("something else"), None);
    }
}
