//! People's keys and signatures, judged beside OpenSSH's own tools.

mod agent;
mod alterations;
mod blob;
mod corpus;
mod files;
mod hardware;
pub(crate) mod tools;
