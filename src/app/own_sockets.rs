//! Media wires that don't come over HTTP: each has a listening socket of its own, if it is set.

use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::AppError;
use crate::config::{Media, Siprec};
use crate::connect::telephony::siprec::RoleRules;
use crate::connect::telephony::{MediaSockets, audiosocket, siprec};
use crate::domain::{ErrorKind, TenantId};

pub struct OwnSockets {
    audiosocket: Option<(TcpListener, audiosocket::Registry)>,
    siprec: Option<(siprec::Listener, siprec::Settings)>,
}

impl OwnSockets {
    /// Takes the addresses; nobody is heard yet.
    ///
    /// # Errors
    /// An address can't be listened on, or a setting is wrong.
    pub async fn bind(media: &Media, tenant: &TenantId) -> Result<Self, AppError> {
        let audiosocket = match media.audiosocket.listen {
            Some(address) => {
                let listener = TcpListener::bind(address)
                    .await
                    .map_err(|error| unusable("media.audiosocket.listen", address, &error))?;
                Some((listener, audiosocket::Registry::default()))
            }
            None => None,
        };
        let siprec = match media.siprec.listen {
            Some(address) => {
                let listener = siprec::Listener::bind(address)
                    .await
                    .map_err(|error| unusable("media.siprec.listen", address, &error))?;
                Some((listener, settings(&media.siprec, tenant)?))
            }
            None => None,
        };
        Ok(Self { audiosocket, siprec })
    }

    /// What listens where.
    pub fn addresses(&self) -> Vec<(&'static str, SocketAddr)> {
        let audiosocket = self.audiosocket.as_ref().map(|(listener, _)| listener.local_addr());
        let siprec = self.siprec.as_ref().map(|(listener, _)| listener.address());
        [("AudioSocket", audiosocket), ("SIPREC", siprec)]
            .into_iter()
            .filter_map(|(name, address)| Some((name, address?.ok()?)))
            .collect()
    }

    pub fn announced_calls(&self) -> Option<audiosocket::Registry> {
        self.audiosocket.as_ref().map(|(_, registry)| registry.clone())
    }

    /// Takes calls until `sockets.shutdown`.
    pub fn serve(self, sockets: &MediaSockets) {
        if let Some((listener, registry)) = self.audiosocket {
            sockets.connections.spawn(audiosocket::serve(listener, sockets.clone(), registry));
        }
        if let Some((listener, settings)) = self.siprec {
            let server = siprec::serve(listener, settings, sockets.clone());
            sockets.connections.spawn(async {
                if let Err(error) = server.await {
                    tracing::error!(%error, "the recording server has stopped");
                }
            });
        }
    }
}

fn settings(config: &Siprec, tenant: &TenantId) -> Result<siprec::Settings, AppError> {
    Ok(siprec::Settings {
        peers: config.networks().map_err(AppError::internal)?,
        rules: RoleRules { agents: config.agents.clone(), customers: config.customers.clone() },
        address: config.address,
        rtp_ports: config.rtp_ports,
        tenant: tenant.clone(),
    })
}

fn unusable(setting: &str, address: SocketAddr, error: &std::io::Error) -> AppError {
    let message = format!("{setting}: the address {address} can't be listened on: {error}");
    AppError { kind: ErrorKind::Invalid, message }
}
