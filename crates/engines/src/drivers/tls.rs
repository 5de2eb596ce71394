//! TLS to the servers that engines stand on.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::place::Tls;

#[cfg(test)]
mod tests;

/// What rustls needs to speak TLS in this way.
///
/// # Errors
/// A sentence that names the file that cannot be used.
pub fn client_config(tls: &Tls) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    match &tls.ca {
        Some(file) => {
            for certificate in certificates(file)? {
                roots.add(certificate).map_err(|error| format!("{}: {error}", file.display()))?;
            }
        }
        None => {
            let native = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(native.certs);
        }
    }
    if roots.is_empty() {
        return Err("no root certificate is trusted here: name one with `tls_ca`".to_owned());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots);
    match &tls.own {
        Some((certificate, key)) => {
            let named = |error: &dyn std::fmt::Display| format!("{}: {error}", key.display());
            let private = PrivateKeyDer::from_pem_file(key).map_err(|error| named(&error))?;
            config.with_client_auth_cert(certificates(certificate)?, private).map_err(|error| named(&error))
        }
        None => Ok(config.with_no_client_auth()),
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let named = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let reader = BufReader::new(File::open(file).map_err(|error| named(&error))?);
    let found =
        CertificateDer::pem_reader_iter(reader).collect::<Result<Vec<_>, _>>().map_err(|error| named(&error))?;
    if found.is_empty() { Err(named(&"there is no certificate in it")) } else { Ok(found) }
}
