//! Settings of the media wires that need a socket of their own.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// Asterisk's AudioSocket over TCP.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct AudioSocket {
    /// Off unless it is set. The wire knows no secrets: choose a private address.
    pub listen: Option<SocketAddr>,
}

/// The SIPREC recording server, over UDP and TCP.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Siprec {
    /// Off unless it is set; 5060 is usual.
    pub listen: Option<SocketAddr>,
    /// Who may record: addresses or networks, such as `10.1.0.0/16`.
    pub peers: Vec<String>,
    /// Our address as recorders have to reach it, where the system doesn't know.
    pub address: Option<IpAddr>,
    /// First and last port for audio, for a firewall; none takes what the system gives.
    pub rtp_ports: Option<(u16, u16)>,
    /// Whose addresses of record are agents', and whose customers': `sip:*@agents.example.com`.
    pub agents: Vec<String>,
    pub customers: Vec<String>,
}

impl Default for Siprec {
    fn default() -> Self {
        Self {
            listen: None,
            peers: vec!["127.0.0.1".to_owned(), "::1".to_owned()],
            address: None,
            rtp_ports: None,
            agents: Vec::new(),
            customers: Vec::new(),
        }
    }
}

impl Siprec {
    /// The networks of `peers`.
    ///
    /// # Errors
    /// Names the first that is none.
    pub fn networks(&self) -> Result<Vec<IpNet>, String> {
        let network = |text: &String| {
            let address = text.parse::<IpAddr>().map(IpNet::from);
            address
                .or_else(|_| text.parse::<IpNet>())
                .map_err(|_| format!("has {text:?}, which is no address or network"))
        };
        self.peers.iter().map(network).collect()
    }
}
