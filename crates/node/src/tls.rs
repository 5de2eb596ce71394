//! TLS: the certificate, which may be renewed while the node runs, and the listener that speaks under it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::config::Http;
use crate::listener::{Entrance, Prepared};

const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);

/// The certificate that the node shows, from the files that the configuration names.
#[derive(Debug)]
pub struct Certificate {
    cert: PathBuf,
    key: PathBuf,
    provider: Arc<CryptoProvider>,
    shown: RwLock<Arc<CertifiedKey>>,
}

impl Certificate {
    /// The one that is configured, if one is.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub fn configured(http: &Http) -> anyhow::Result<Option<Arc<Self>>> {
        let (Some(cert), Some(key)) = (&http.tls_cert, &http.tls_key) else { return Ok(None) };
        let provider = Arc::new(ring::default_provider());
        let shown = RwLock::new(read(cert, key, &provider)?);
        Ok(Some(Arc::new(Self { cert: cert.clone(), key: key.clone(), provider, shown })))
    }

    /// Reads the files again. Connections that begin from now on get what is in them; if it cannot be used, all stays as it was.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub fn renew(&self) -> anyhow::Result<()> {
        let read = read(&self.cert, &self.key, &self.provider)?;
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = read;
        Ok(())
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.shown.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

fn read(cert: &Path, key: &Path, provider: &CryptoProvider) -> anyhow::Result<Arc<CertifiedKey>> {
    let chain = CertificateDer::pem_file_iter(cert).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|error| unread("certificate", cert, "--tls-cert", error))?;
    if chain.is_empty() {
        bail!(unread("certificate", cert, "--tls-cert", pem::Error::NoItemsFound));
    }
    let key_der = PrivateKeyDer::from_pem_file(key).map_err(|error| unread("private key", key, "--tls-key", error))?;
    let (cert, key) = (cert.display(), key.display());
    CertifiedKey::from_der(chain, key_der, provider).map(Arc::new).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            anyhow!(
                "the private key {key} does not belong to the certificate {cert}; give the two that were made together"
            )
        }
        error => {
            anyhow!("{cert} and {key} cannot be used: {error}; give a certificate and its key, as they were issued")
        }
    })
}

fn unread(what: &str, file: &Path, flag: &str, error: pem::Error) -> anyhow::Error {
    let file = file.display();
    match error {
        pem::Error::Io(error) => anyhow!("the {what} {file} cannot be read: {error}; {flag} names a file in PEM"),
        pem::Error::NoItemsFound => {
            anyhow!("there is no {what} in {file}; {flag} names a file in PEM that holds one, not encrypted")
        }
        error => anyhow!("the {what} {file} cannot be read: it is no PEM ({error:?}); {flag} names a file in PEM"),
    }
}

/// Connections under TLS. Whoever does not finish the handshake in time is let go of, and so is whoever does not speak TLS.
///
/// # Errors
/// The socket is gone.
pub fn secured<L>(listener: L, certificate: Arc<Certificate>) -> anyhow::Result<Prepared<TlsStream<TcpStream>>>
where
    L: Entrance<Io = TcpStream>,
{
    let mut config = rustls::ServerConfig::builder_with_provider(certificate.provider.clone())
        .with_safe_default_protocol_versions()
        .context("the versions of TLS that ring speaks")?
        .with_no_client_auth()
        .with_cert_resolver(certificate);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let secured = Prepared::start(listener, HANDSHAKE_WITHIN, move |stream, peer| {
        let handshake = acceptor.accept(stream);
        async move { Ok((handshake.await?, peer)) }
    });
    Ok(secured?)
}
