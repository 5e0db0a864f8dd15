//! The subject of the token that GitHub gives to a job which runs in one of its environments.
//!
//! It carries the environment *instead of* the branch: which branches may deploy is a rule of that environment on
//! GitHub, and `doctor --github` looks for it.

use std::fmt;

use crate::names::{GithubEnvironment, GithubOwner, GithubRepository};

/// A subject, compared as a whole: no part of it may be a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The owner of the repository.
    pub owner: GithubOwner,
    /// The repository.
    pub repository: GithubRepository,
    /// The numbers of the owner and the repository. GitHub writes them for repositories that were made, renamed or
    /// transferred after 2026-07-15, and only for these: a trust policy has to match the form exactly.
    pub numbers: Option<(u64, u64)>,
    /// The environment on GitHub.
    pub environment: GithubEnvironment,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { owner, repository, numbers, environment } = self;
        // A colon parts the subject, so GitHub escapes the ones of the name.
        let environment = environment.as_str().replace(':', "%3A");
        match numbers {
            None => write!(f, "repo:{owner}/{repository}:environment:{environment}"),
            Some((owner_id, id)) => write!(f, "repo:{owner}@{owner_id}/{repository}@{id}:environment:{environment}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn subject(numbers: Option<(u64, u64)>, environment: &str) -> Subject {
        Subject {
            owner: "acme".parse().unwrap(),
            repository: "prices".parse().unwrap(),
            numbers,
            environment: environment.parse().unwrap(),
        }
    }

    #[test]
    fn both_forms_are_githubs() {
        assert_eq!(subject(None, "prod").to_string(), "repo:acme/prices:environment:prod");
        let numbered = subject(Some((1, 22)), "prod").to_string();
        assert_eq!(numbered, "repo:acme@1/prices@22:environment:prod");
        assert_eq!(subject(None, "eu:prod:1").to_string(), "repo:acme/prices:environment:eu%3Aprod%3A1");
    }
}
