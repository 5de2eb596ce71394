//! TLS to Cassandra, with OpenSSL: that is what its driver speaks it with.

use openssl::ssl::{SslConnector, SslFiletype, SslMethod};
use scylla::client::session::{OpenSsl010Config, TlsContext};

use crate::drivers::place::Tls;

/// What the driver needs to speak TLS in this way.
///
/// # Errors
/// A sentence that names the file that cannot be used.
pub fn context(tls: &Tls) -> Result<TlsContext, String> {
    // The driver makes sure that a node's certificate names the address it is reached at.
    let mut builder = SslConnector::builder(SslMethod::tls_client()).map_err(|error| error.to_string())?;
    if let Some(ca) = &tls.ca {
        // The connector has the roots of this machine; only the one that is named shall count.
        let store = openssl::x509::store::X509StoreBuilder::new().map_err(|error| error.to_string())?;
        builder.set_cert_store(store.build());
        builder.set_ca_file(ca).map_err(|error| format!("{}: {error}", ca.display()))?;
    }
    if let Some((certificate, key)) = &tls.own {
        let named = |error: &dyn std::fmt::Display| format!("{}: {error}", key.display());
        let chain = builder.set_certificate_chain_file(certificate);
        chain.map_err(|error| format!("{}: {error}", certificate.display()))?;
        builder.set_private_key_file(key, SslFiletype::PEM).map_err(|error| named(&error))?;
        builder.check_private_key().map_err(|error| named(&error))?;
    }
    Ok(TlsContext::OpenSsl010Config(OpenSsl010Config::new(builder)))
}
