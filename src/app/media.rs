//! The media settings as the sockets and their guard need them.

use super::AppError;
use crate::config::Media;
use crate::connect::telephony::acs::{Issuer, Tokens};
use crate::connect::telephony::audiohook::signature::ApiKey;
use crate::connect::telephony::audiohook::{Feedback, Settings};
use crate::connect::telephony::auth::{MediaAuth, PublicUrl};
use crate::domain::{ErrorKind, TenantId};

/// All credentials belong to the one tenant that there is.
pub(super) fn auth(media: &Media, tenant: &TenantId) -> Result<MediaAuth, AppError> {
    let mut auth = MediaAuth::new(public_url(media));
    if let Some(token) = &media.twilio.auth_token {
        auth.add_twilio(token.expose(), tenant.clone());
    }
    let mut keys = Vec::new();
    for (index, key) in media.audiohook.keys.iter().enumerate() {
        let secret = key
            .secret_bytes()
            .map_err(|what| invalid(&format!("media.audiohook.keys[{index}].secret {what}")))?;
        keys.push(ApiKey { id: key.id.clone(), secret, tenant: tenant.clone() });
    }
    auth.set_audiohook(keys);
    if let Some(audience) = &media.acs.audience {
        let tokens = Tokens::new(Issuer {
            jwks_url: media.acs.jwks_url.clone(),
            issuer: media.acs.issuer.clone(),
            audience: audience.clone(),
        })
        .map_err(|what| invalid(&format!("media.acs.jwks_url {what}")))?;
        auth.add_acs(tokens, tenant.clone());
    }
    if let Some(secret) = &media.acs.webhook_secret {
        auth.add_event_grid(secret.expose(), tenant.clone());
    }
    Ok(auth)
}

pub(super) fn audiohook_settings(media: &Media) -> Settings {
    let articles = public_url(media).map(|public| public.http("/v1/articles/"));
    Settings {
        feedback: Feedback {
            transcripts: media.audiohook.transcripts,
            cards: media.audiohook.cards,
            articles_url: articles.unwrap_or_else(|| "/v1/articles/".to_owned()),
        },
    }
}

fn public_url(media: &Media) -> Option<PublicUrl> {
    media.public_url.as_deref().and_then(|url| PublicUrl::parse(url).ok())
}

fn invalid(message: &str) -> AppError {
    AppError { kind: ErrorKind::Invalid, message: message.to_owned() }
}
