//! A certificate authority, and what it signs.

use std::sync::OnceLock;

use endwell::tls::rustls::pki_types::CertificateDer;
use endwell::tls::rustls::pki_types::pem::PemObject;
use endwell::tls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use endwell::tls::{client_config, mutual_client_config, mutual_server_config, roots, server_config};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, PKCS_ECDSA_P256_SHA256,
    date_time_ymd,
};

/// The names of every certificate that is right.
const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

/// A certificate authority.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its private key, in PEM.
pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, key()).unwrap())
    }

    /// Signs a certificate for these names and addresses.
    pub(crate) fn sign(&self, names: &[&str]) -> Identity {
        self.sign_with(names, |_| {})
    }

    /// Signs one that is over.
    pub(crate) fn sign_expired(&self, names: &[&str]) -> Identity {
        self.sign_with(names, |params| {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        })
    }

    fn sign_with(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        let key = key();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Identity { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    /// A client's configuration that trusts what it signs.
    pub(crate) fn client(&self) -> ClientConfig {
        client_config(self.roots()).unwrap()
    }

    /// A client's configuration that trusts what it signs, and has a certificate of its own.
    pub(crate) fn client_with(&self, identity: &Identity) -> ClientConfig {
        mutual_client_config(self.roots(), identity.certificate.as_bytes(), identity.key.as_bytes()).unwrap()
    }

    pub(crate) fn roots(&self) -> RootCertStore {
        roots(self.0.pem().as_bytes()).unwrap()
    }
}

impl Identity {
    pub(crate) fn server(&self) -> ServerConfig {
        server_config(self.certificate.as_bytes(), self.key.as_bytes()).unwrap()
    }

    /// A server's configuration that asks clients for a certificate that `clients` has signed.
    pub(crate) fn mutual_server(&self, clients: &Authority) -> ServerConfig {
        mutual_server_config(self.certificate.as_bytes(), self.key.as_bytes(), clients.roots()).unwrap()
    }

    /// The certificate in DER.
    pub(crate) fn der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap()
    }
}

fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
}

/// The authority that the tests' clients trust.
pub(crate) fn authority() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(|| Authority::new("authority"))
}

/// What the tests' servers have: a certificate that their clients trust.
pub(crate) fn identity() -> &'static Identity {
    static IDENTITY: OnceLock<Identity> = OnceLock::new();
    IDENTITY.get_or_init(|| authority().sign(&NAMES))
}
