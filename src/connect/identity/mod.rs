//! Who somebody is, as an identity provider says: OpenID Connect and the JSON Web Tokens of OAuth 2.
//!
//! `bearer` checks tokens that programs bring, `sign_in` leads people to the provider and back (authorization code with
//! PKCE), `token` is what both check the same way, and `claims` says what a token makes of its bearer. No sockets and no cookies: those are in
//! `serve`. Own code over `jsonwebtoken` and not the `openidconnect` crate, which brings an `rsa` with a known
//! timing leak (RUSTSEC-2023-0071) along.

mod bearer;
mod claims;
mod sign_in;
mod token;

pub use self::bearer::{BearerSettings, Bearers};
pub use self::claims::{ClaimMapping, Identified};
pub use self::sign_in::{Attempt, SignIn, SignInError, SignInSettings};
pub use self::token::{Refusal, algorithm};
