//! What the policies are filled in with: newtypes that cannot hold a wildcard, a quote or a policy variable, so that no
//! value can widen a policy. Lengths and letters are those of AWS's and GitHub's own documentation.

use std::{fmt, str::FromStr};

/// A text that is not a value of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {kind}: write {rule}")]
pub struct NameError {
    kind: &'static str,
    text: String,
    rule: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $rule:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The value as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(NameError { kind: $kind, text: text.chars().take(100).collect(), rule: $rule })
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name! {
    /// The name of a bucket: 3 to 63 of `a-z 0-9 . -`, as S3 names its general purpose buckets.
    BucketName, "bucket name", "3 to 63 of a-z, 0-9, `.` and `-`, beginning and ending with a letter or digit",
    |text| (3..=63).contains(&text.len()) && of(text, "-.", Case::Lower) && ends_plain(text) && !text.contains("..")
}
name! {
    /// The number of an account: 12 digits.
    AccountId, "account number", "12 digits", |text| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}
name! {
    /// The name of a region, such as `eu-central-1`.
    Region, "region", "a name such as `eu-central-1`",
    |text| of(text, "-", Case::Lower) && ends_plain(text) && text.split('-').count() >= 3 && text.len() <= 32
}
name! {
    /// The name of an environment as `release.toml` has it.
    EnvironmentName, "environment", "a name of a-z, 0-9 and `-`, beginning with a letter and ending without `-`",
    |text| text.len() <= 32 && of(text, "-", Case::Lower) && ends_plain(text) && starts_with_letter(text)
}
name! {
    /// The ARN of one role, with its path if it has one.
    RoleArn, "role", "one role's ARN without wildcards, such as `arn:aws:iam::111122223333:role/releaser`",
    |text| arn(text, "arn:aws:iam::", ":role/", "+=,.@_-/")
}
name! {
    /// The ARN of one KMS key; an alias would let another key take its place.
    KeyArn, "key", "one key's ARN, such as `arn:aws:kms:eu-central-1:111122223333:key/…`",
    |text| text.strip_prefix("arn:aws:kms:").and_then(|rest| rest.split_once(':')).is_some_and(|(region, rest)| {
        region.parse::<Region>().is_ok() && arn(rest, "", ":key/", "-")
    })
}
name! {
    /// The names of one environment's functions: plain text with one `*` where the function's own name stands, as
    /// `*-prod` for the template `{function}-{environment}`.
    FunctionPattern, "pattern of function names", "letters, digits, `-` and `_` with exactly one `*`, and not `*` alone",
    |text| text.matches('*').count() == 1 && text.len() > 1 && text.len() <= 64 && of(text, "-_*", Case::Any)
}
name! {
    /// The owner of a repository on GitHub.
    GithubOwner, "owner on GitHub", "letters, digits and `-`", |text| text.len() <= 39 && of(text, "-", Case::Any)
}
name! {
    /// The name of a repository on GitHub, without its owner.
    GithubRepository, "repository on GitHub", "letters, digits, `-`, `_` and `.`",
    |text| text.len() <= 100 && of(text, "-_.", Case::Any)
}
name! {
    /// The name of an environment on GitHub. `%` is refused: a name with a `%3A` of its own would look like one with a
    /// colon once GitHub has escaped that.
    GithubEnvironment, "environment on GitHub", "up to 255 letters, digits, spaces and `-_.:/`",
    |text| text.len() <= 255 && of(text, "-_.:/ ", Case::Any)
}

impl RoleArn {
    /// The account that the role is in.
    #[must_use]
    pub fn account(&self) -> &str {
        account_of(&self.0)
    }
}

impl FunctionPattern {
    /// Whether some function's name fits both: then one environment's deployer could reach another's function.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let ((before, after), (its_before, its_after)) = (self.ends(), other.ends());
        (before.starts_with(its_before) || its_before.starts_with(before))
            && (after.ends_with(its_after) || its_after.ends_with(after))
    }

    fn ends(&self) -> (&str, &str) {
        self.0.split_once('*').unwrap_or((&self.0, ""))
    }
}

/// The account in an ARN: the fifth of its parts. Empty if there is none.
pub(crate) fn account_of(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap_or_default()
}

enum Case {
    Lower,
    Any,
}

fn of(text: &str, extra: &str, case: Case) -> bool {
    let letter = |c: char| c.is_ascii_lowercase() || (matches!(case, Case::Any) && c.is_ascii_uppercase());
    !text.is_empty() && text.chars().all(|c| letter(c) || c.is_ascii_digit() || extra.contains(c))
}

fn ends_plain(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric();
    text.starts_with(plain) && text.ends_with(plain)
}

fn starts_with_letter(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
}

fn arn(text: &str, start: &str, middle: &str, extra: &str) -> bool {
    let parts = text.strip_prefix(start).and_then(|rest| rest.split_once(middle));
    parts.is_some_and(|(account, name)| account.parse::<AccountId>().is_ok() && of(name, extra, Case::Any))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refuses<T: FromStr>(wrong: &[&str]) {
        for text in wrong {
            assert!(text.parse::<T>().is_err(), "{text}");
        }
    }

    #[test]
    fn nothing_wild_comes_in() {
        refuses::<BucketName>(&["", "ab", "a*c", "a\"bc", "A-bucket", "-abc", "a..b", "${x}", "a/b"]);
        refuses::<AccountId>(&["", "1", "11112222333*", "1111222233334"]);
        refuses::<Region>(&["", "*", "eu", "eu-central-*", "eu-central-1:"]);
        refuses::<EnvironmentName>(&["", "*", "Prod", "prod/x", "1", "qa-", "a:b"]);
        refuses::<RoleArn>(&[
            "*",
            "arn:aws:iam::111122223333:role/*",
            "arn:aws:iam::*:role/a",
            "arn:aws:iam::1:role/a",
        ]);
        refuses::<RoleArn>(&["arn:aws:iam::111122223333:root", "arn:aws:iam::111122223333:role/", "releaser"]);
        refuses::<KeyArn>(&["*", "arn:aws:kms:eu-central-1:111122223333:alias/a", "arn:aws:kms:*:111122223333:key/a"]);
        refuses::<FunctionPattern>(&["*", "prod", "*-*", "a:*", ""]);
        refuses::<GithubOwner>(&["", "*", "a/b", "a:b"]);
        refuses::<GithubRepository>(&["", "*", "a/b", "a@b"]);
        refuses::<GithubEnvironment>(&["", "*", "a%3Ab", "pr?d", "${x}"]);
    }

    #[test]
    fn what_is_plain_comes_in() {
        assert_eq!("acme-vault.eu".parse::<BucketName>().unwrap().as_str(), "acme-vault.eu");
        let role: RoleArn = "arn:aws:iam::111122223333:role/vault/releaser".parse().unwrap();
        assert_eq!(role.account(), "111122223333");
        assert!("arn:aws:kms:eu-central-1:111122223333:key/1234-ab".parse::<KeyArn>().is_ok());
        assert!("prod: eu/1".parse::<GithubEnvironment>().is_ok());
    }

    #[test]
    fn patterns_that_share_a_name_overlap() {
        let overlap =
            |a: &str, b: &str| a.parse::<FunctionPattern>().unwrap().overlaps(&b.parse::<FunctionPattern>().unwrap());
        assert!(overlap("*-east", "*-qa-east") && overlap("prod-*", "*-x") && overlap("*-dev", "*-dev"));
        assert!(!overlap("*-dev", "*-prod") && !overlap("dev-*", "prod-*") && !overlap("*-dev", "a-*-prod"));
    }
}
