//! TLS for what is public: a server that asks for no client certificate, a client that believes given authorities.
//!
//! Owns: both configurations, with ring and nothing before TLS 1.2. The gateway's own door, which wants certificates of
//! everyone, is `exchange::door`.

use std::sync::Arc;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

/// A server with this certificate, leaf first.
///
/// # Errors
/// When certificate and key do not belong together, or are none.
pub fn server(
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, rustls::Error> {
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let mut config = builder
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(certificates, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// A client that believes these authorities; those of this machine, if none are given.
///
/// # Errors
/// When an authority is none, or the machine has none.
pub fn client(authorities: Option<Vec<CertificateDer<'static>>>) -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    match authorities {
        Some(authorities) => authorities.into_iter().try_for_each(|authority| roots.add(authority))?,
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
    Ok(builder.with_safe_default_protocol_versions()?.with_root_certificates(roots).with_no_client_auth())
}
