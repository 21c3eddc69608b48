//! Submission (RFC 6409) in two steps: everything that can be refused first, the text of the mail last.

use std::fmt;
use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use secrecy::ExposeSecret as _;

use super::secret::{Login, Proof};
use super::tls::{Security, Server};
use crate::connect::destination::DeliveryError;

const CLOSING: Duration = Duration::from_secs(2);

pub(super) struct Submission {
    server: Server,
    tls: Option<TlsParameters>,
    login: Login,
    hello: ClientId,
    patience: Duration,
}

impl fmt::Debug for Submission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Submission").field("server", &self.server).finish_non_exhaustive()
    }
}

/// A server that has accepted sender and recipients and knows nothing of the mail yet.
pub(super) struct Ready {
    connection: AsyncSmtpConnection,
    patience: Duration,
}

impl Submission {
    /// # Errors
    /// What is wrong with the server's settings.
    pub fn new(
        server: &Server,
        login: &Login,
        domain: &str,
        patience: Duration,
    ) -> Result<Self, String> {
        server.check()?;
        let tls = (server.security != Security::Plain).then(|| parameters(server)).transpose()?;
        // The sender's domain, and not this machine's name, which is nobody's business.
        let hello = ClientId::Domain(domain.to_owned());
        Ok(Self { server: server.clone(), tls, login: login.clone(), hello, patience })
    }

    /// # Errors
    /// Nothing was sent. `Unreachable`; `Denied` by the login; `Limited` or `Refused` by what the server says to the
    /// sender or a recipient: then nobody gets the mail.
    pub async fn prepare(&self, envelope: &Envelope) -> Result<Ready, DeliveryError> {
        let prepared = tokio::time::timeout(self.patience, self.introduce(envelope)).await;
        let connection = prepared.unwrap_or_else(|_| {
            let why = format!("no answer in {} s", self.patience.as_secs());
            Err(DeliveryError::Unreachable(why))
        })?;
        Ok(Ready { connection, patience: self.patience })
    }

    async fn introduce(&self, envelope: &Envelope) -> Result<AsyncSmtpConnection, DeliveryError> {
        let proof = self.login.proof().await?;
        let mut connection =
            self.connect().await.map_err(|error| refused(&error, "the session"))?;
        let (mechanisms, secret): (&[Mechanism], _) = match &proof {
            Proof::Password(secret) => (&[Mechanism::Plain, Mechanism::Login], secret),
            Proof::Token(secret) => (&[Mechanism::Xoauth2], secret),
        };
        let credentials =
            Credentials::new(self.login.user.clone(), secret.expose_secret().to_owned());
        connection.auth(mechanisms, &credentials).await.map_err(|error| {
            match error.is_permanent() || error.is_client() {
                true => DeliveryError::Denied("the submission server denies the login".to_owned()),
                false => refused(&error, "the login"),
            }
        })?;
        let from = Mail::new(envelope.from().cloned(), Vec::new());
        connection.command(from).await.map_err(|error| refused(&error, "the sender"))?;
        for (at, to) in envelope.to().iter().enumerate() {
            let accepted = connection.command(Rcpt::new(to.clone(), Vec::new())).await;
            let who = format!("recipient {} of {}", at + 1, envelope.to().len());
            accepted.map_err(|error| refused(&error, &who))?;
        }
        Ok(connection)
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, lettre::transport::smtp::Error> {
        let address = (self.server.host.as_str(), self.server.port);
        let at_once = self.tls.clone().filter(|_| self.server.security == Security::Implicit);
        let mut connection = AsyncSmtpConnection::connect_tokio1(
            address,
            Some(self.patience),
            &self.hello,
            at_once,
            None,
        )
        .await?;
        if self.server.security == Security::StartTls
            && let Some(tls) = &self.tls
        {
            connection.starttls(tls.clone(), &self.hello).await?;
        }
        Ok(connection)
    }
}

impl Ready {
    /// # Errors
    /// `Unclear` when the server may have taken it; all else says that it didn't.
    pub async fn transmit(mut self, message: &[u8]) -> Result<(), DeliveryError> {
        let started = tokio::time::timeout(self.patience, self.connection.command(Data)).await;
        match started {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(refused(&error, "the mail")),
            Err(_) => {
                let why = "no answer before the mail was sent".to_owned();
                return Err(DeliveryError::Unreachable(why));
            }
        }
        let sent = tokio::time::timeout(self.patience, self.connection.message(message)).await;
        let outcome = match sent {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if error.status().is_some() => Err(refused(&error, "the mail")),
            Ok(Err(_)) => Err(DeliveryError::Unclear("the connection broke".to_owned())),
            Err(_) => Err(DeliveryError::Unclear("no answer after the mail was sent".to_owned())),
        };
        // Its own good-bye is not worth waiting for.
        let _ = tokio::time::timeout(CLOSING, self.connection.abort()).await;
        outcome
    }
}

/// What the server's answer to one thing means. Its words stay here: they name people.
fn refused(error: &lettre::transport::smtp::Error, what: &str) -> DeliveryError {
    let Some(status) = error.status().map(u16::from) else {
        let why = match error.is_tls() {
            true => "the submission server is not who it says it is, or speaks no TLS",
            false if error.is_client() => "the submission server lacks what is needed (STARTTLS)",
            false => "the submission server broke off",
        };
        return DeliveryError::Unreachable(why.to_owned());
    };
    match status {
        // 452: too many recipients, or no room.
        400..=499 => DeliveryError::Limited { retry_after: None },
        530 | 534 | 535 | 538 => DeliveryError::Denied(format!("status {status} to {what}")),
        _ => DeliveryError::Refused(format!("status {status} to {what}")),
    }
}

fn parameters(server: &Server) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(server.host.clone());
    for certificate in server.certificates()? {
        let certificate = Certificate::from_der(certificate.to_vec())
            .map_err(|_| "ca_file: a certificate can't be used".to_owned())?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(|_| "ca_file: TLS can't be set up".to_owned())
}
