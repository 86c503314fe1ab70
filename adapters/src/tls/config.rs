//! Configurations for HTTP/1.1, from certificates and keys in PEM.

use std::io;
use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{WantsServerCert, WebPkiClientVerifier};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, ServerConfig};

/// Makes a client's configuration that trusts servers whose certificates lead to one of `roots`.
///
/// # Errors
///
/// If there is no cryptography: see [the module](super).
pub fn client_config(roots: impl Into<Arc<RootCertStore>>) -> io::Result<ClientConfig> {
    Ok(http_client(client_builder(roots)?.with_no_client_auth()))
}

/// Makes a client's configuration that also has certificates of its own, for servers that ask for one. Otherwise like
/// [`client_config`]; `certificates` and `key` as for [`server_config`].
///
/// # Errors
///
/// Those of [`client_config`] and [`server_config`].
pub fn mutual_client_config(
    roots: impl Into<Arc<RootCertStore>>,
    certificates: &[u8],
    key: &[u8],
) -> io::Result<ClientConfig> {
    let (chain, key) = identity(certificates, key)?;
    Ok(http_client(client_builder(roots)?.with_client_auth_cert(chain, key).map_err(invalid)?))
}

fn client_builder(
    roots: impl Into<Arc<RootCertStore>>,
) -> io::Result<ConfigBuilder<ClientConfig, WantsClientCert>> {
    let builder = ClientConfig::builder_with_provider(provider()?);
    let versions = builder.with_safe_default_protocol_versions().map_err(invalid)?;
    Ok(versions.with_root_certificates(roots))
}

fn http_client(mut config: ClientConfig) -> ClientConfig {
    config.alpn_protocols = vec![super::HTTP_1_1.to_vec()];
    config
}

/// Makes a server's configuration. `certificates` holds its own and then those between that and the root, in order, and
/// `key` the private key of the first (RFC 7468).
///
/// # Errors
///
/// If one of them is missing or invalid, if they do not belong together, or if there is no cryptography: see [the
/// module](super).
pub fn server_config(certificates: &[u8], key: &[u8]) -> io::Result<ServerConfig> {
    let builder = ServerConfig::builder_with_provider(provider()?);
    let versions = builder.with_safe_default_protocol_versions().map_err(invalid)?;
    http_server(versions.with_no_client_auth(), certificates, key)
}

/// Makes a server's configuration that accepts only clients whose certificates lead to one of `clients` (mutual TLS).
/// Handlers see the certificates in [`TlsInfo::peer_certificates`](super::TlsInfo::peer_certificates). Otherwise like
/// [`server_config`].
///
/// # Errors
///
/// Those of [`server_config`], or if `clients` is empty.
pub fn mutual_server_config(
    certificates: &[u8],
    key: &[u8],
    clients: impl Into<Arc<RootCertStore>>,
) -> io::Result<ServerConfig> {
    let provider = provider()?;
    let verifier = WebPkiClientVerifier::builder_with_provider(clients.into(), Arc::clone(&provider));
    let verifier = verifier.build().map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    let builder = ServerConfig::builder_with_provider(provider);
    let versions = builder.with_safe_default_protocol_versions().map_err(invalid)?;
    http_server(versions.with_client_cert_verifier(verifier), certificates, key)
}

fn http_server(
    builder: ConfigBuilder<ServerConfig, WantsServerCert>,
    certificates: &[u8],
    key: &[u8],
) -> io::Result<ServerConfig> {
    let (chain, key) = identity(certificates, key)?;
    let mut config = builder.with_single_cert(chain, key).map_err(invalid)?;
    config.alpn_protocols = vec![super::HTTP_1_1.to_vec()];
    Ok(config)
}

fn identity(
    certificates: &[u8],
    key: &[u8],
) -> io::Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
    let chain = parse(certificates)?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| not_pem("a private key", &error))?;
    Ok((chain, key))
}

/// Reads the roots in `certificates`: all of them are trusted.
///
/// # Errors
///
/// If there is no certificate, or one is invalid.
pub fn roots(certificates: &[u8]) -> io::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in parse(certificates)? {
        roots.add(certificate).map_err(invalid)?;
    }
    Ok(roots)
}

/// The roots that Mozilla trusted when the crate `webpki-roots` was published. Feature `rustls-webpki-roots`.
#[cfg(feature = "rustls-webpki-roots")]
pub fn webpki_roots() -> RootCertStore {
    webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect()
}

/// Loads the roots that the system trusts. Reads files, which takes time: load them once. Feature
/// `rustls-native-certs`.
///
/// # Errors
///
/// If no root can be read.
#[cfg(feature = "rustls-native-certs")]
pub fn native_roots() -> io::Result<RootCertStore> {
    let mut loaded = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // A system may have some unusable certificates.
    let (added, _) = roots.add_parsable_certificates(loaded.certs);
    if added > 0 {
        return Ok(roots);
    }
    Err(match loaded.errors.pop() {
        Some(error) => io::Error::new(io::ErrorKind::NotFound, error),
        None => {
            io::Error::new(io::ErrorKind::NotFound, "expected certificates that the system trusts, got none")
        }
    })
}

fn parse(certificates: &[u8]) -> io::Result<Vec<CertificateDer<'static>>> {
    let parsed: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificates).collect();
    let parsed = parsed.map_err(|error| not_pem("certificates", &error))?;
    if parsed.is_empty() {
        return Err(not_pem("certificates", &pem::Error::NoItemsFound));
    }
    Ok(parsed)
}

/// Shows nothing of the content: it may be a key.
fn not_pem(what: &str, error: &pem::Error) -> io::Error {
    let reason = if matches!(error, pem::Error::NoItemsFound) { "none" } else { "something else" };
    io::Error::new(io::ErrorKind::InvalidData, format!("expected {what} in PEM, got {reason} (RFC 7468)"))
}

fn invalid(error: rustls::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// The provider that the program has installed, or ring's if that was asked for. Asking rustls itself could panic: it
/// cannot choose if two of them are compiled in.
fn provider() -> io::Result<Arc<CryptoProvider>> {
    let provider = CryptoProvider::get_default().cloned();
    #[cfg(feature = "rustls-ring")]
    let provider = provider.or_else(|| Some(rustls::crypto::ring::default_provider().into()));
    provider.ok_or_else(|| {
        let text = "expected cryptography for TLS, got none: turn on feature rustls-ring, or install another \
                    (rustls::crypto::CryptoProvider::install_default)";
        io::Error::new(io::ErrorKind::Unsupported, text)
    })
}
