//! The media wires of vendors over real sockets, and how each proves who it is.

mod acs;
mod audiohook;
mod eventgrid;
mod twilio;

use backchannel::connect::telephony::auth::MediaAuth;
use backchannel::connect::telephony::{MediaSockets, routes};
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderName;

use crate::media::{Client, Recorder, Service};
use crate::serve::harness::{House, Options};

/// Media sockets behind the service's own guard.
struct Door {
    house: House,
    calls: Service,
}

impl Door {
    async fn open(media_auth: MediaAuth) -> Self {
        let recorder = Recorder::default();
        let sockets = Service::sockets(&recorder);
        Self::with(media_auth, recorder, sockets).await
    }

    async fn with(media_auth: MediaAuth, recorder: Recorder, sockets: MediaSockets) -> Self {
        let house = House::open_with(Options {
            media_auth,
            incoming: sockets.incoming.clone(),
            media: Some(routes(sockets.clone())),
            ..Options::default()
        })
        .await;
        let address = house.address.to_string();
        Self { house, calls: Service { address, recorder, sockets } }
    }

    /// A WebSocket, or the status of the refusal.
    async fn knock(&self, path: &str, headers: &[(&'static str, &str)]) -> Result<Client, u16> {
        let url = format!("ws://{}{path}", self.house.address);
        let mut request = url.into_client_request().expect("a URL");
        for (name, value) in headers {
            let name = HeaderName::from_static(name);
            request.headers_mut().insert(name, value.parse().expect("a value"));
        }
        match tokio_tungstenite::connect_async(request).await {
            Ok((client, _)) => Ok(client),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }
}
