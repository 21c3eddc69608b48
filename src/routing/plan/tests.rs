//! Mistakes of a plan, each with its place and what to write instead.

use super::*;
