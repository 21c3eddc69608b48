//! How a mailbox is opened.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};

use crate::connect::destination::DeliveryError;

#[derive(Clone, Debug)]
pub struct Login {
    pub user: String,
    pub secret: Secret,
}

#[derive(Clone, Debug)]
pub enum Secret {
    Password(SecretString),
    /// OAuth (XOAUTH2), which Exchange Online and Gmail insist on.
    Token(Arc<dyn TokenSource>),
}

/// Whoever gives access tokens that open the mailbox.
#[async_trait]
pub trait TokenSource: Send + Sync + fmt::Debug {
    /// One that is good for some minutes.
    async fn token(&self) -> Result<SecretString, DeliveryError>;
}

/// What is said at the door now.
pub(super) enum Proof {
    Password(SecretString),
    Token(SecretString),
}

impl Login {
    pub(super) async fn proof(&self) -> Result<Proof, DeliveryError> {
        Ok(match &self.secret {
            Secret::Password(password) => Proof::Password(password.clone()),
            Secret::Token(source) => Proof::Token(source.token().await?),
        })
    }

    /// What IMAP's AUTHENTICATE XOAUTH2 wants.
    pub(super) fn xoauth2(&self, token: &SecretString) -> String {
        format!("user={}\u{1}auth=Bearer {}\u{1}\u{1}", self.user, token.expose_secret())
    }
}
