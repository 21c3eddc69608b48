//! Connections to mail servers: encrypted, except to this machine.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use rustls_platform_verifier::Verifier;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub host: String,
    pub port: u16,
    pub security: Security,
    /// Certificates in PEM that are trusted besides the system's: a company's own authority.
    pub ca_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Security {
    /// From the first byte (ports 993 and 465).
    #[default]
    Implicit,
    /// After a greeting in the clear (143 and 587); without it nothing is said.
    StartTls,
    /// Not at all; on this machine only.
    Plain,
}

/// Any connection.
pub(super) trait Wire: AsyncRead + AsyncWrite + Unpin + Send + fmt::Debug {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + fmt::Debug> Wire for T {}

impl Server {
    /// # Errors
    /// What is wrong with the settings.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.host.is_empty() || self.port == 0 {
            return Err("host and port must be given".to_owned());
        }
        if self.security == Security::Plain && !self.is_this_machine() {
            return Err("security: plain is for this machine only; use implicit or starttls".into());
        }
        self.certificates().map(|_| ())
    }

    fn is_this_machine(&self) -> bool {
        // A name other than this one may be answered from anywhere.
        self.host == "localhost"
            || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// # Errors
    /// The file can't be read, or holds none.
    pub(super) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, String> {
        let Some(file) = &self.ca_file else { return Ok(Vec::new()) };
        let unreadable = || format!("ca_file: {} holds no certificates in PEM", file.display());
        let all: Result<Vec<_>, _> =
            CertificateDer::pem_file_iter(file).map_err(|_| unreadable())?.collect();
        all.ok().filter(|all| !all.is_empty()).ok_or_else(unreadable)
    }

    /// # Errors
    /// The system's certificates can't be read.
    pub(super) fn connector(&self) -> Result<TlsConnector, String> {
        // Named, since whichever is the process's default may be none.
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = Verifier::new_with_extra_roots(self.certificates()?, provider.clone())
            .map_err(|error| format!("ca_file: {error}"))?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("security: {error}"))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(TlsConnector::from(Arc::new(config)))
    }
}

/// # Errors
/// The server isn't the one that its name says, or speaks no TLS.
pub(super) async fn encrypt(
    connector: &TlsConnector,
    host: &str,
    wire: TcpStream,
) -> std::io::Result<Box<dyn Wire>> {
    let name = ServerName::try_from(host.to_owned()).map_err(std::io::Error::other)?;
    Ok(Box::new(connector.connect(name, wire).await?))
}
