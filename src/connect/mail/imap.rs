//! One mailbox over IMAP: which folder is which, what is in it, and putting messages there.

use std::fmt;
use std::time::Duration;

use async_imap::error::Error;
use async_imap::imap_proto::{MailboxDatum, NameAttribute, Response};
use async_imap::{Authenticator, Client, Session};
use secrecy::ExposeSecret as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::Whereabouts;
use super::asked::{ask, fetch, search};
use super::secret::{Login, Proof};
use super::tls::{Security, Server, Wire, encrypt};
use crate::connect::destination::DeliveryError;

const CLOSING: Duration = Duration::from_secs(2);

/// Folders by name, for servers that don't say which is which (RFC 6154). Names as the server writes them: letters
/// beyond ASCII in IMAP's own UTF-7.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folders {
    pub drafts: Option<String>,
    pub sent: Option<String>,
    pub trash: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Drafts,
    Sent,
    Trash,
}

/// A way into one mailbox.
pub(super) struct Imap {
    server: Server,
    /// Absent where nothing is encrypted, which needs no certificates of the system.
    connector: Option<TlsConnector>,
    login: Login,
    folders: Folders,
    patience: Duration,
}

impl fmt::Debug for Imap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Imap").field("server", &self.server).finish_non_exhaustive()
    }
}

pub(super) type Connected = Session<Box<dyn Wire>>;

/// A mailbox that is open. Dropping it hangs up.
pub(super) struct Open {
    pub session: Connected,
    folders: Folders,
    /// Single messages can be expunged (UIDPLUS).
    expunges: bool,
    patience: Duration,
}

struct Xoauth2(String);

impl Authenticator for Xoauth2 {
    type Response = String;

    fn process(&mut self, _challenge: &[u8]) -> String {
        // A second challenge is the refusal's reason, which an empty answer ends.
        std::mem::take(&mut self.0)
    }
}

impl Imap {
    /// # Errors
    /// What is wrong with the server's settings.
    pub fn new(
        server: &Server,
        login: &Login,
        folders: Folders,
        patience: Duration,
    ) -> Result<Self, String> {
        server.check()?;
        let connector =
            (server.security != Security::Plain).then(|| server.connector()).transpose()?;
        Ok(Self { server: server.clone(), connector, login: login.clone(), folders, patience })
    }

    /// # Errors
    /// `Unreachable`, or `Denied` by the login: nothing was done yet.
    pub async fn open(&self) -> Result<Open, DeliveryError> {
        let opened = tokio::time::timeout(self.patience, self.log_in()).await;
        let mut session = opened.unwrap_or_else(|_| Err(slow(self.patience)))?;
        let known = async {
            let capabilities = session.capabilities().await.map_err(|_| unreachable())?;
            let folders = match capabilities.has_str("LIST-EXTENDED") {
                true => list(&mut session, "LIST \"\" \"*\" RETURN (SPECIAL-USE)").await?,
                // Servers that know the flags and not the question answer with them unasked.
                false => list(&mut session, "LIST \"\" \"*\"").await?,
            };
            Ok((folders, capabilities.has_str("UIDPLUS")))
        };
        let known = tokio::time::timeout(self.patience, known).await;
        let (found, expunges) = known.unwrap_or_else(|_| Err(slow(self.patience)))?;
        let wanted = self.folders.clone();
        let folders = Folders {
            drafts: wanted.drafts.or(found.drafts),
            sent: wanted.sent.or(found.sent),
            trash: wanted.trash.or(found.trash),
        };
        Ok(Open { session, folders, expunges, patience: self.patience })
    }

    async fn log_in(&self) -> Result<Connected, DeliveryError> {
        let proof = self.login.proof().await?;
        let address = (self.server.host.as_str(), self.server.port);
        let wire = TcpStream::connect(address).await.map_err(|error| no_way(&error))?;
        let client = match (&self.connector, self.server.security) {
            (None, _) | (_, Security::Plain) => {
                greeted(Client::new(Box::new(wire) as Box<dyn Wire>)).await?
            }
            (Some(connector), Security::Implicit) => {
                let wire = encrypt(connector, &self.server.host, wire).await;
                greeted(Client::new(wire.map_err(|error| no_way(&error))?)).await?
            }
            (Some(connector), Security::StartTls) => {
                let mut client = greeted(Client::new(wire)).await?;
                let started = client.run_command_and_check_ok("STARTTLS", None).await;
                started.map_err(|_| not_encrypted())?;
                // What came before the encryption is thrown away with the client.
                let wire = encrypt(connector, &self.server.host, client.into_inner()).await;
                Client::new(wire.map_err(|error| no_way(&error))?)
            }
        };
        let opened = match proof {
            Proof::Password(password) => {
                client.login(&self.login.user, password.expose_secret()).await
            }
            Proof::Token(token) => {
                client.authenticate("XOAUTH2", Xoauth2(self.login.xoauth2(&token))).await
            }
        };
        opened.map_err(|(error, _)| match error {
            Error::No(_) | Error::Bad(_) | Error::Validate(_) => {
                DeliveryError::Denied("the mailbox doesn't open for this login".to_owned())
            }
            _ => unreachable(),
        })
    }
}

async fn greeted<T>(mut client: Client<T>) -> Result<Client<T>, DeliveryError>
where
    T: Wire,
{
    match client.read_response().await {
        Ok(Some(_)) => Ok(client),
        _ => Err(unreachable()),
    }
}

/// Folders by what they are for, of all that the server has.
async fn list(session: &mut Connected, command: &str) -> Result<Folders, DeliveryError> {
    let mut found = Folders::default();
    let take = |answer: &Response<'_>| {
        let Response::MailboxData(MailboxDatum::List(listed)) = answer else { return };
        for attribute in &listed.name_attributes {
            let place = match attribute {
                NameAttribute::Drafts => &mut found.drafts,
                NameAttribute::Sent => &mut found.sent,
                NameAttribute::Trash => &mut found.trash,
                _ => continue,
            };
            place.get_or_insert_with(|| listed.name.to_string());
        }
    };
    match ask(session, command, take).await {
        Ok(()) => Ok(found),
        Err(Error::No(_) | Error::Bad(_)) => {
            Err(DeliveryError::Refused("it lists no folders".to_owned()))
        }
        Err(_) => Err(unreachable()),
    }
}

impl Open {
    fn folder(&self, role: Role) -> Result<String, DeliveryError> {
        let (name, setting) = match role {
            Role::Drafts => (&self.folders.drafts, "drafts"),
            Role::Sent => (&self.folders.sent, "sent"),
            Role::Trash => (&self.folders.trash, "trash"),
        };
        name.clone().ok_or_else(|| {
            DeliveryError::NotFound(format!(
                "the server doesn't say which folder is {setting}: name it in folders.{setting}"
            ))
        })
    }

    /// Whether a message is among drafts, was sent, or was thrown away.
    pub async fn holds_anywhere(&mut self, id: &str) -> Result<bool, DeliveryError> {
        if self.has(Role::Drafts, id).await? {
            return Ok(true);
        }
        for role in [Role::Sent, Role::Trash] {
            // Not every mailbox has them.
            if self.folder(role).is_ok() && self.has(role, id).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub async fn whereabouts(&mut self, id: &str) -> Result<Whereabouts, DeliveryError> {
        if self.has(Role::Sent, id).await? {
            // The claim of a mail that was filed when the process died.
            let _ = self.remove_from_drafts(id).await;
            return Ok(Whereabouts::Sent);
        }
        Ok(match self.has(Role::Drafts, id).await? {
            true => Whereabouts::Claimed,
            false => Whereabouts::Nowhere,
        })
    }

    async fn has(&mut self, role: Role, id: &str) -> Result<bool, DeliveryError> {
        let folder = self.folder(role)?;
        let patience = self.patience;
        let search = async {
            let selected = self.session.examine(&folder).await;
            selected.map_err(|error| failed(&error, "a folder can't be opened"))?;
            Ok(!uids(&mut self.session, id).await?.is_empty())
        };
        tokio::time::timeout(patience, search).await.unwrap_or_else(|_| Err(slow(patience)))
    }

    /// # Errors
    /// `Unclear` when the message may be there all the same.
    pub async fn append(
        &mut self,
        role: Role,
        flags: &str,
        message: &[u8],
    ) -> Result<(), DeliveryError> {
        let folder = self.folder(role)?;
        let appended = self.session.append(folder, Some(flags), None, message);
        match tokio::time::timeout(self.patience, appended).await {
            Ok(Ok(())) => Ok(()),
            // It was told before the message was sent.
            Ok(Err(Error::Append)) => {
                Err(DeliveryError::Unreachable("the folder takes no message now".to_owned()))
            }
            Ok(Err(error)) => Err(failed(&error, "the folder doesn't take the message")),
            Err(_) => {
                Err(DeliveryError::Unclear(format!("no answer in {} s", self.patience.as_secs())))
            }
        }
    }

    pub async fn remove_from_drafts(&mut self, id: &str) -> Result<(), DeliveryError> {
        let folder = self.folder(Role::Drafts)?;
        let (patience, expunges) = (self.patience, self.expunges);
        let session = &mut self.session;
        let removal = async {
            let failed = |error: Error| failed(&error, "a message can't be taken out of Drafts");
            session.select(&folder).await.map_err(failed)?;
            for uid in uids(session, id).await? {
                let mark = format!("UID STORE {uid} +FLAGS.SILENT (\\Deleted)");
                ask(session, &mark, |_| ()).await.map_err(failed)?;
                // Without UIDPLUS an EXPUNGE would take what others have marked: the mark has to do.
                if expunges {
                    ask(session, &format!("UID EXPUNGE {uid}"), |_| ()).await.map_err(failed)?;
                }
            }
            Ok(())
        };
        tokio::time::timeout(patience, removal).await.unwrap_or_else(|_| Err(slow(patience)))
    }

    /// Says good-bye and hands the outcome on.
    pub async fn close<T>(mut self, outcome: Result<T, DeliveryError>) -> Result<T, DeliveryError> {
        // Whatever was done is done; a server that doesn't answer any more is left.
        let _ = tokio::time::timeout(CLOSING, self.session.logout()).await;
        outcome
    }
}

/// Messages in the selected folder that bear the identifier and aren't deleted. What the server found is compared:
/// a search that it doesn't understand would make us forget a mail.
async fn uids(session: &mut Connected, id: &str) -> Result<Vec<u32>, DeliveryError> {
    const CANDIDATES_MAX: usize = 20;
    let failed = |error: Error| failed(&error, "a folder can't be searched");
    let question = format!("UNDELETED HEADER Message-ID \"<{id}>\"");
    let candidates = search(session, &question).await.map_err(failed)?;
    if candidates.is_empty() {
        return Ok(Vec::new());
    }
    let set: Vec<String> =
        candidates.iter().take(CANDIDATES_MAX).map(ToString::to_string).collect();
    let asked = "(UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])";
    let rows = fetch(session, &set.join(","), asked).await.map_err(failed)?;
    let wanted = format!("<{id}>");
    let bears = |body: &[u8]| String::from_utf8_lossy(body).contains(&wanted);
    let right: Vec<u32> = rows
        .iter()
        .filter(|row| candidates.contains(&row.uid) && row.body.as_deref().is_some_and(bears))
        .map(|row| row.uid)
        .collect();
    match right.is_empty() {
        true => Err(DeliveryError::Untrusted("none of the messages found has the id".to_owned())),
        false => Ok(right),
    }
}

/// The server's own words are not passed on: they may quote a message.
pub(super) fn failed(error: &Error, what: &str) -> DeliveryError {
    match error {
        Error::No(told) if is_passing(told) => DeliveryError::Limited { retry_after: None },
        Error::No(_) | Error::Bad(_) | Error::Validate(_) => {
            DeliveryError::Refused(what.to_owned())
        }
        _ => DeliveryError::Unclear("the connection broke".to_owned()),
    }
}

/// Response codes of RFC 5530 that say "later", and a quota that somebody will make room in.
fn is_passing(told: &str) -> bool {
    let told = told.to_ascii_uppercase();
    ["UNAVAILABLE", "INUSE", "LIMIT", "OVERQUOTA", "SERVERBUG"]
        .iter()
        .any(|code| told.contains(code))
}

fn unreachable() -> DeliveryError {
    DeliveryError::Unreachable("the mail server broke off".to_owned())
}

fn not_encrypted() -> DeliveryError {
    DeliveryError::Unreachable("the mail server doesn't offer STARTTLS".to_owned())
}

pub(super) fn no_way(error: &std::io::Error) -> DeliveryError {
    DeliveryError::Unreachable(error.to_string())
}

pub(super) fn slow(patience: Duration) -> DeliveryError {
    DeliveryError::Unreachable(format!("no answer in {} s", patience.as_secs()))
}
