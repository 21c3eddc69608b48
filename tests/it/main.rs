//! The whole house, from outside. One binary, so that the crate is linked once.

mod serve;
