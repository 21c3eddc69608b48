//! (empty until its owner fills it)
