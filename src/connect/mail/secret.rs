//! How a mailbox is opened.

use std::fmt;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use crate::connect::destination::DeliveryError;
use crate::connect::oauth::Door;

#[derive(Clone, Debug)]
pub struct Login {
    pub user: String,
    pub secret: Secret,
}

#[derive(Clone)]
pub enum Secret {
    Password(SecretString),
    /// OAuth (XOAUTH2), which Exchange Online and Gmail insist on.
    Token(Arc<Door>),
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password(_) => "Password",
            Self::Token(_) => "Token",
        })
    }
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
            Secret::Token(door) => Proof::Token(door.token().await?),
        })
    }

    /// What IMAP's AUTHENTICATE XOAUTH2 wants.
    pub(super) fn xoauth2(&self, token: &SecretString) -> String {
        format!("user={}\u{1}auth=Bearer {}\u{1}\u{1}", self.user, token.expose_secret())
    }
}
