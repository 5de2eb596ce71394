//! Who signs certificates in a test.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair};

/// One that whoever is given its certificate trusts.
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key, both PEM.
#[derive(Debug)]
pub struct Signed {
    /// The certificate, and that of its authority.
    pub chain: String,
    /// The private key (PKCS #8).
    pub key: String,
}

impl Authority {
    /// One that nobody knows yet.
    ///
    /// # Panics
    /// If this machine has no randomness.
    #[expect(clippy::new_without_default, reason = "each is another one")]
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("there are no names to be wrong");
        // OpenSSL takes a certificate for its own issuer where both have the same name.
        params.distinguished_name.push(DnType::CommonName, "a test's authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("randomness");
        Self { issuer: CertifiedIssuer::self_signed(params, key).expect("all that it needs") }
    }

    /// Its certificate: PEM.
    pub fn certificate(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate for whoever is reached at these names or addresses, or goes somewhere itself.
    ///
    /// # Panics
    /// If they are none.
    pub fn sign(&self, names: &[&str]) -> Signed {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names");
        params.distinguished_name.push(DnType::CommonName, "somebody in a test");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().expect("randomness");
        let signed = params.signed_by(&key, &self.issuer).expect("all that it needs");
        Signed { chain: signed.pem() + &self.issuer.pem(), key: key.serialize_pem() }
    }
}
