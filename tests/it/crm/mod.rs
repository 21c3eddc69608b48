//! The connectors against the CRMs themselves, unmodified: `.ci/crm-peers` has prepared them.

mod bottlecrm;
mod check;
mod killed;
pub mod peers;
mod rt;
