//! A room in a real Synapse.
