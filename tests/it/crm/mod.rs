//! The connectors against the CRMs themselves, unmodified: `.ci/crm-peers` has prepared them.

mod bottlecrm;
pub mod peers;
mod rt;
