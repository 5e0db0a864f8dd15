//! People at the gates, by the real binary: what they decide, and what becomes of a release.

mod attack;
mod handbook;
mod random;
