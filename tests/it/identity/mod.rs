//! Who may come in by an identity provider, against a real one.

mod bearer;
mod provider;
mod sign_in;
