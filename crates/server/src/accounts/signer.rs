//! Access tokens: JWTs that the node signs with Ed25519, and that everybody can verify with its public key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use klatch_core::ids::{DeviceId, Timestamp, UserId, WorkspaceId};
use klatch_protocol::rest::{Jwk, Jwks};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::Error;

/// How long an access token is good: seconds.
pub const ACCESS_TOKEN_S: u64 = 600;

/// Bytes of an access token, beyond which it is not even looked at.
const TOKEN_BYTES_MAX: usize = 2_048;

/// Who somebody is, as their access token says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Identity {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The person.
    pub user: UserId,
    /// The session.
    pub device: DeviceId,
    /// When the token ceases to be good.
    pub expires_at: Timestamp,
}

/// Why a token is not good.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadToken {
    /// It was not made here, or not for this.
    Foreign,
    /// Its time is over.
    Expired,
}

/// Signs and verifies, and derives the keys that other tokens are made with.
pub struct Signer {
    secret: Zeroizing<[u8; 32]>,
    encoding: EncodingKey,
    decoding: DecodingKey,
    public: [u8; 32],
    kid: String,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: Uuid,
    sid: Uuid,
    iat: u64,
    exp: u64,
}

impl Signer {
    /// The signer with this secret, which is the secret `signing` of port `keys`.
    ///
    /// # Errors
    /// If the key cannot be written down.
    pub fn new(secret: [u8; 32]) -> Result<Self, Error> {
        let secret = Zeroizing::new(secret);
        let key = SigningKey::from_bytes(&secret);
        let public = key.verifying_key().to_bytes();
        let der = key.to_pkcs8_der().map_err(|_| Error::Internal("the signing key cannot be encoded"))?;
        let kid = blake3::hash(&public).to_hex()[..16].to_owned();
        Ok(Self {
            encoding: EncodingKey::from_ed_der(der.as_bytes()),
            decoding: DecodingKey::from_ed_der(&public),
            secret,
            public,
            kid,
        })
    }

    /// A key for another purpose.
    pub(crate) fn derive(&self, purpose: &'static str) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(blake3::derive_key(purpose, &*self.secret))
    }

    /// The public key, as others verify with it (RFC 8037).
    pub fn jwks(&self) -> Jwks {
        Jwks {
            keys: vec![Jwk {
                kty: "OKP".to_owned(),
                crv: "Ed25519".to_owned(),
                alg: "EdDSA".to_owned(),
                usage: "sig".to_owned(),
                kid: self.kid.clone(),
                x: URL_SAFE_NO_PAD.encode(self.public),
            }],
        }
    }

    /// An access token.
    ///
    /// # Errors
    /// If it cannot be signed.
    pub fn sign(
        &self,
        workspace: WorkspaceId,
        user: UserId,
        device: DeviceId,
        now: Timestamp,
    ) -> Result<String, Error> {
        let header = Header { kid: Some(self.kid.clone()), ..Header::new(Algorithm::EdDSA) };
        let iat = now.0 / 1_000;
        let claims = Claims { iss: issuer(workspace), sub: user.0, sid: device.0, iat, exp: iat + ACCESS_TOKEN_S };
        jsonwebtoken::encode(&header, &claims, &self.encoding)
            .map_err(|_| Error::Internal("an access token cannot be signed"))
    }

    /// Who the bearer of this token is.
    ///
    /// # Errors
    /// Why it is not good.
    pub fn verify(&self, workspace: WorkspaceId, token: &str, now: Timestamp) -> Result<Identity, BadToken> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(BadToken::Foreign);
        }
        let mut validation = Validation::new(Algorithm::EdDSA);
        // Time is ours to tell; the library would ask the machine.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.set_issuer(&[issuer(workspace)]);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        let claims =
            jsonwebtoken::decode::<Claims>(token, &self.decoding, &validation).map_err(|_| BadToken::Foreign)?.claims;
        let expires_at = Timestamp(claims.exp.saturating_mul(1_000));
        if now >= expires_at {
            return Err(BadToken::Expired);
        }
        Ok(Identity { workspace, user: UserId(claims.sub), device: DeviceId(claims.sid), expires_at })
    }
}

/// A workspace signs for itself: what was signed in one is nothing in another.
fn issuer(workspace: WorkspaceId) -> String {
    format!("klatch:{workspace}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: WorkspaceId = WorkspaceId::from_bytes([1; 16]);
    const ADA: UserId = UserId::from_bytes([2; 16]);
    const DESK: DeviceId = DeviceId::from_bytes([3; 16]);
    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    #[test]
    fn a_token_is_good_for_ten_minutes() {
        let signer = Signer::new([7; 32]).unwrap();
        let token = signer.sign(HOME, ADA, DESK, NOW).unwrap();
        let identity = signer.verify(HOME, &token, NOW.plus_ms(599_999)).unwrap();
        assert_eq!((identity.user, identity.device), (ADA, DESK));
        assert_eq!(signer.verify(HOME, &token, NOW.plus_ms(600_000)), Err(BadToken::Expired));
    }

    #[test]
    fn what_was_signed_elsewhere_or_changed_is_foreign() {
        let (signer, other) = (Signer::new([7; 32]).unwrap(), Signer::new([8; 32]).unwrap());
        let token = signer.sign(HOME, ADA, DESK, NOW).unwrap();
        let cut = &token[..token.len() - 2];
        for (signer, token) in [(&other, token.as_str()), (&signer, cut), (&signer, ""), (&signer, "a.b.c")] {
            assert_eq!(signer.verify(HOME, token, NOW), Err(BadToken::Foreign));
        }
        assert_eq!(signer.verify(WorkspaceId::from_bytes([9; 16]), &token, NOW), Err(BadToken::Foreign));
    }

    #[test]
    fn no_other_algorithm_is_taken() {
        let signer = Signer::new([7; 32]).unwrap();
        let claims = Claims { iss: issuer(HOME), sub: ADA.0, sid: DESK.0, iat: 0, exp: u64::MAX / 2_000 };
        let public_as_secret = EncodingKey::from_secret(&signer.public);
        let forged = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &public_as_secret).unwrap();
        assert_eq!(signer.verify(HOME, &forged, NOW), Err(BadToken::Foreign));
        let payload = forged.split('.').nth(1).unwrap();
        let none = format!("{}.{payload}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#));
        assert_eq!(signer.verify(HOME, &none, NOW), Err(BadToken::Foreign));
    }
}
