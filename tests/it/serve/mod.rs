//! The doors over real sockets: each answer is checked against the description that the service
//! itself gives out, and so is each event.

mod access;
mod articles;
mod audit;
mod batches;
mod clock;
mod crash;
mod crm;
mod customers;
mod doors;
mod embed;
mod erasures;
mod gaps;
pub mod harness;
mod large;
mod limits;
mod proposals;
mod routes;
mod samples;
mod streams;
mod wrapups;
