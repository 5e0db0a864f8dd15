//! Reviews of a workflow run on GitHub, as a deployer saw them: the answers word for word, and what they say. Nobody but the
//! deployer signed them. Whether a review counts is `plan::gate`'s.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{digest::Digest, time::Time, version::Version};

/// What is said of a review wherever one is shown.
pub const NOT_SIGNED: &str = "observed, not signed by the reviewer";
/// How many bytes all answers of one observation may have: 1 MiB, some forty times what a run with six reviewers takes.
pub const LARGEST: usize = 1 << 20;
/// How many characters of a reviewer's comment are read; the answer holds all of it.
const COMMENT: usize = 1000;

/// What was seen of a workflow run. Everything but the time is read out of the answers, so that an auditor can read it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    /// The run.
    pub run: Run,
    /// Every review of it, in the order of the answers.
    pub reviews: Vec<Review>,
    /// When it was seen. GitHub does not say when somebody reviewed.
    pub at: Time,
    /// What GitHub answered: about the run, then about its reviews, page by page.
    pub answers: Vec<Answer>,
}

/// A workflow run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Its number.
    pub id: u64,
    /// Which attempt at it.
    pub attempt: u64,
    /// Its name, which carries the release and the manifest's digest.
    pub name: String,
    /// When it began: no review of it is older.
    pub created: Time,
    /// Who started it: an event's actor, and whoever ran it again. They do not review it.
    pub dispatched_by: Vec<String>,
}

/// One review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// The reviewer's login; `None` if GitHub knows nobody any more.
    pub login: Option<String>,
    /// Which way.
    pub state: ReviewState,
    /// What they said, its first 1000 characters.
    pub comment: String,
    /// GitHub's names of the environments that it is about.
    pub environments: Vec<String>,
}

/// Which way a review went, in GitHub's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewState {
    /// The job may go on.
    Approved,
    /// It must not.
    Rejected,
    /// Nothing is decided yet.
    Pending,
    /// A word that this tool does not know.
    #[serde(other)]
    Unknown,
}

impl ReviewState {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Pending => "pending",
            Self::Unknown => "unknown",
        }
    }
}

/// One answer, word for word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// What was asked for: the path below the API's address.
    pub path: String,
    /// The body.
    pub text: String,
    /// What the body's bytes hash to.
    pub sha256: Digest,
}

impl Answer {
    /// An answer to this question.
    #[must_use]
    pub fn new(path: String, text: String) -> Self {
        Self { sha256: Digest::of(text.as_bytes()), path, text }
    }
}

impl Observation {
    /// Reads the answers: about the run, then its reviews.
    ///
    /// # Errors
    /// Which answer is not of the form that GitHub documents, and why.
    pub fn of(answers: Vec<Answer>, at: Time) -> Result<Self, String> {
        let (run, pages) = answers.split_first().ok_or("there is no answer")?;
        let told: ToldRun = read(run)?;
        let dispatched_by = [told.actor, told.triggering_actor].into_iter().flatten().map(|user| user.login);
        let mut reviews = Vec::new();
        for page in pages {
            let told: Vec<ToldReview> = read(page)?;
            reviews.extend(told.into_iter().map(|told| Review {
                login: told.user.map(|user| user.login),
                state: told.state,
                comment: told.comment.unwrap_or_default().chars().take(COMMENT).collect(),
                environments: told.environments.into_iter().map(|environment| environment.name).collect(),
            }));
        }
        let dispatched_by = dispatched_by.collect();
        let run = Run {
            id: told.id,
            attempt: told.run_attempt.unwrap_or(1),
            name: told.display_title,
            created: told.created_at,
            dispatched_by,
        };
        Ok(Self { run, reviews, at, answers })
    }

    /// Whether the answers say what is said here: a deployer must not put words into them.
    #[must_use]
    pub fn is_as_answered(&self) -> bool {
        let whole = self.answers.iter().all(|answer| Digest::of(answer.text.as_bytes()) == answer.sha256);
        whole && Self::of(self.answers.clone(), self.at).as_ref() == Ok(self)
    }
}

impl fmt::Display for Observation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Run { id, attempt, dispatched_by, .. } = &self.run;
        write!(f, "run {id}, attempt {attempt}, dispatched by {}: ", dispatched_by.join(", "))?;
        if self.reviews.is_empty() {
            return f.write_str("no reviews");
        }
        let each = self.reviews.iter().map(ToString::to_string);
        write!(f, "{}; {NOT_SIGNED}", each.collect::<Vec<_>>().join("; "))
    }
}

impl fmt::Display for Review {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let login = self.login.as_deref().unwrap_or("nobody whom GitHub still knows");
        write!(f, "{} by {login} for {}", self.state.word(), self.environments.join(", "))?;
        if self.comment.is_empty() { Ok(()) } else { write!(f, ": {}", self.comment) }
    }
}

impl Run {
    /// Whether the run is about this release and these bytes: its name carries both, and no other digest.
    ///
    /// # Errors
    /// What the name carries instead.
    pub fn is_about(&self, release: Version, manifest: Digest) -> Result<(), String> {
        let part = |c: char| c.is_ascii_alphanumeric() || c == '.';
        let words = || self.name.split(|c| !part(c)).map(|word| word.trim_matches('.'));
        let digests = words().filter(|word| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let digests: Vec<String> = digests.map(str::to_ascii_lowercase).collect();
        if let Some(other) = digests.iter().find(|digest| **digest != manifest.hex()) {
            return Err(format!("carries the manifest digest {other}"));
        }
        if digests.is_empty() {
            return Err("carries no manifest digest".to_owned());
        }
        let release = release.to_string();
        if words().any(|word| word == release) { Ok(()) } else { Err(format!("does not carry the release {release}")) }
    }
}

fn read<T: for<'de> Deserialize<'de>>(answer: &Answer) -> Result<T, String> {
    serde_json::from_str(&answer.text)
        .map_err(|error| format!("the answer to {} is not of the documented form: {error}", answer.path))
}

/// What is read of GitHub's answer about a run.
#[derive(Deserialize)]
struct ToldRun {
    id: u64,
    run_attempt: Option<u64>,
    display_title: String,
    created_at: Time,
    actor: Option<ToldUser>,
    triggering_actor: Option<ToldUser>,
}

#[derive(Deserialize)]
struct ToldUser {
    login: String,
}

/// What is read of one of the reviews.
#[derive(Deserialize)]
struct ToldReview {
    state: ReviewState,
    comment: Option<String>,
    user: Option<ToldUser>,
    environments: Vec<ToldEnvironment>,
}

#[derive(Deserialize)]
struct ToldEnvironment {
    name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str) -> Run {
        let created = "2026-01-23T12:00:00Z".parse().unwrap();
        Run { id: 7, attempt: 1, name: name.to_owned(), created, dispatched_by: vec![] }
    }

    #[test]
    fn a_run_is_about_what_its_name_carries() {
        let manifest = Digest::of(b"manifest");
        let (own, other) = (manifest.hex(), Digest::of(b"other").hex());
        let about = |name: &str| run(name).is_about("v1.0.1".parse().unwrap(), manifest);
        for name in [
            format!("promote v1.0.1 to prod ({own})"),
            format!("v1.0.1@sha256:{own}"),
            format!("{}: v1.0.1.", own.to_uppercase()),
        ] {
            assert_eq!(about(&name), Ok(()), "{name}");
        }
        for (name, why) in [
            ("promote v1.0.1".to_owned(), "carries no manifest digest".to_owned()),
            (format!("promote v1.0.1 {}", &own[1..]), "carries no manifest digest".to_owned()),
            (format!("promote v1.0.1 {own}0"), "carries no manifest digest".to_owned()),
            (format!("promote v1.0.1 {other}"), format!("carries the manifest digest {other}")),
            (format!("promote v1.0.1 {own} {other}"), format!("carries the manifest digest {other}")),
            (format!("promote v1.0.10 {own}"), "does not carry the release v1.0.1".to_owned()),
            (format!("promote 1.0.1 {own}"), "does not carry the release v1.0.1".to_owned()),
            (String::new(), "carries no manifest digest".to_owned()),
        ] {
            assert_eq!(about(&name), Err(why), "{name}");
        }
    }

    fn observed() -> Observation {
        let run = r#"{"id":7,"run_attempt":2,"display_title":"promote","created_at":"2026-01-23T11:00:00Z","actor":{"login":"ada"},
                      "triggering_actor":{"login":"bob"},"more":1}"#;
        let long = "x".repeat(COMMENT + 1);
        let one = format!(
            r#"[{{"state":"approved","comment":"{long}","user":{{"login":"quinn","id":1}},
                  "environments":[{{"name":"prod","id":3}},{{"name":"uat"}}]}}]"#
        );
        let two = r#"[{"state":"dismissed","comment":null,"user":null,"environments":[]}]"#;
        let answers = [run, &one, two].map(|text| Answer::new("/path".to_owned(), text.to_owned()));
        Observation::of(answers.into(), "2026-01-23T12:00:00Z".parse().unwrap()).unwrap()
    }

    #[test]
    fn the_answers_are_read() {
        let seen = observed();
        assert_eq!((seen.run.id, seen.run.attempt, seen.run.dispatched_by.join(" ")), (7, 2, "ada bob".to_owned()));
        assert_eq!(
            (seen.reviews[0].comment.len(), seen.reviews[0].environments.join(" ")),
            (COMMENT, "prod uat".into())
        );
        let nobody = (&seen.reviews[1].login, seen.reviews[1].state);
        assert_eq!(nobody, (&None, ReviewState::Unknown));
        let not = Answer::new("/runs/7".to_owned(), "<html>".to_owned());
        assert!(Observation::of(vec![not], seen.at).unwrap_err().starts_with("the answer to /runs/7 is not of"));
    }

    #[test]
    fn nobody_puts_words_into_an_answer() {
        assert!(observed().is_as_answered());
        let lies: [fn(&mut Observation); 5] = [
            |seen| seen.reviews[1].state = ReviewState::Approved,
            |seen| seen.run.name.push('x'),
            |seen| seen.reviews.truncate(1),
            |seen| seen.answers[1].text.push(' '),
            |seen| seen.answers.truncate(0),
        ];
        for lie in lies {
            let mut seen = observed();
            lie(&mut seen);
            assert!(!seen.is_as_answered(), "{seen:?}");
        }
    }
}
