//! Names of things in AWS, as `release.toml` writes them: account, region, bucket, role, key. What is named is not looked
//! up here.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, de};

use super::names::name;

name!(
    /// An AWS account.
    Account, "AWS account", "12 digits",
    |text| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
);
name!(
    /// An AWS region.
    Region, "AWS region", "as in `eu-central-1`",
    |text| is_region(text)
);
name!(
    /// An S3 bucket (general purpose). No dots: with them TLS does not fit the host's name.
    BucketName, "S3 bucket", "lower-case letters, digits and dashes, 3 to 63 characters, no dots",
    |text| (3..=63).contains(&text.len())
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
);
name!(
    /// An IAM role, by its ARN.
    RoleArn, "IAM role", "its ARN, as in `arn:aws:iam::123456789012:role/releaser`",
    |text| arn(text).is_some_and(|[service, region, account, resource]| {
        service == "iam" && region.is_empty() && account.parse::<Account>().is_ok() && is_of("role/", resource)
    })
);
name!(
    /// A KMS key, by its ARN or its alias's: the ARN says in which region.
    KeyArn, "KMS key", "its ARN, as in `arn:aws:kms:eu-central-1:123456789012:key/…` or `…:alias/releaser`",
    |text| arn(text).is_some_and(|[service, region, account, resource]| {
        service == "kms"
            && is_region(region)
            && account.parse::<Account>().is_ok()
            && (is_of("key/", resource) || is_of("alias/", resource))
    })
);
name!(
    /// Where a service answers.
    Endpoint, "endpoint", "`https://` or `http://`, a host, and perhaps a port",
    |text| {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
        !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c.is_control())
    }
);

impl RoleArn {
    /// The account that the role belongs to.
    #[must_use]
    pub fn account(&self) -> &str {
        part(self.as_str(), 4)
    }

    /// The role's name, without its path: as it shows in the ARN of whoever took it.
    #[must_use]
    pub fn role_name(&self) -> &str {
        self.as_str().rsplit('/').next().unwrap_or_default()
    }
}

impl KeyArn {
    /// The region that the key lives in.
    #[must_use]
    pub fn region(&self) -> &str {
        part(self.as_str(), 3)
    }
}

/// Service, region, account and resource of an ARN.
fn arn(text: &str) -> Option<[&str; 4]> {
    let mut parts = text.splitn(6, ':');
    let (start, partition) = (parts.next()?, parts.next()?);
    if start != "arn" || !(partition == "aws" || partition.starts_with("aws-")) {
        return None;
    }
    Some([parts.next()?, parts.next()?, parts.next()?, parts.next()?])
}

fn part(arn: &str, at: usize) -> &str {
    arn.split(':').nth(at).unwrap_or_default()
}

fn is_of(kind: &str, resource: &str) -> bool {
    let name = resource.strip_prefix(kind).unwrap_or_default();
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == ':')
}

/// `eu-central-1`, `us-gov-west-1`: small words, then a number.
fn is_region(text: &str) -> bool {
    let word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    match text.split('-').collect::<Vec<_>>()[..] {
        [ref words @ .., number] => {
            (2..=3).contains(&words.len())
                && words.iter().all(|part| word(part))
                && (1..=2).contains(&number.len())
                && number.bytes().all(|b| b.is_ascii_digit())
        }
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each<T: FromStr>(right: &[&str], wrong: &[&str]) {
        for text in right {
            assert!(text.parse::<T>().is_ok(), "{text}");
        }
        for text in wrong {
            assert!(text.parse::<T>().is_err(), "{text}");
        }
    }

    #[test]
    fn cannot_be_built_wrong() {
        each::<Account>(&["123456789012"], &["", "12345678901", "1234567890123", "12345678901a"]);
        each::<Region>(
            &["eu-central-1", "us-gov-west-1", "ap-southeast-12"],
            &["", "eu", "eu-1", "eu-central", "eu_central_1", "EU-central-1", "eu-central-1a", "eu--1"],
        );
        each::<BucketName>(&["vault-1", "abc"], &["", "ab", "-ab", "ab-", "a.b.c", "Vault", &"a".repeat(64)]);
        let key = "arn:aws:kms:eu-central-1:123456789012:key/1234";
        each::<KeyArn>(
            &[key, "arn:aws-us-gov:kms:us-gov-west-1:123456789012:alias/a/b"],
            &["1234", "alias/a", "arn:aws:kms::123456789012:key/1", "arn:aws:kms:eu-central-1:123456789012:key/"],
        );
        let role = "arn:aws:iam::123456789012:role/ci/releaser";
        each::<RoleArn>(&[role], &["releaser", key, "arn:aws:iam::12:role/x", "arn:aws:iam::123456789012:user/x"]);
        each::<Endpoint>(&["http://localhost:1", "https://s3.internal"], &["", "localhost", "ftp://x", "http://"]);
    }

    #[test]
    fn tells_its_parts() {
        let role: RoleArn = "arn:aws:iam::123456789012:role/ci/releaser".parse().unwrap();
        assert_eq!((role.account(), role.role_name()), ("123456789012", "releaser"));
        let key: KeyArn = "arn:aws:kms:eu-central-1:123456789012:key/1234".parse().unwrap();
        assert_eq!(key.region(), "eu-central-1");
    }
}
