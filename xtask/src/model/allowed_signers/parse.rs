//! Reading an allowed-signers file: the lines that this tool writes, and what a person would write in their place. What
//! OpenSSH would understand and this does not is an error, never left out.

use ssh_key::PublicKey;

use super::{AllowedSigner, AllowedSignerError, Validity, ValidityError};
use crate::model::time::Time;

/// The signers of a file, one per line. Empty lines and lines that begin with `#` are comments.
///
/// # Errors
/// The first line that cannot be read as it is meant.
pub fn parse(text: &str) -> Result<Vec<AllowedSigner>, ParseError> {
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines.map(|(number, line)| signer(line).map_err(|source| ParseError { line: number, source })).collect()
}

fn signer(line: &str) -> Result<AllowedSigner, LineError> {
    let (principal, rest) = line.split_once(char::is_whitespace).ok_or(LineError::Form)?;
    let (mut namespaces, mut after, mut before) = (Vec::new(), None, None);
    let mut rest = rest.trim_start();
    while let Some((name, quoted)) = rest.split_once("=\"").filter(|(name, _)| is_option(name)) {
        let (value, behind) = quoted.split_once('"').ok_or(LineError::Form)?;
        match name {
            "namespaces" => namespaces.extend(value.split(',')),
            "valid-after" => after = Some(moment(value)?),
            "valid-before" => before = Some(moment(value)?),
            other => return Err(LineError::Option(other.to_owned())),
        }
        rest = behind.strip_prefix(',').unwrap_or(behind).trim_start();
    }
    let key = PublicKey::from_openssh(rest).map_err(LineError::Key)?;
    Ok(AllowedSigner::new(principal, &namespaces, Validity::new(after, before)?, &key)?)
}

fn is_option(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
}

/// `YYYYMMDD` or `YYYYMMDDHHMMSS`, in UTC: without the `Z` OpenSSH means the local time of whoever reads it.
fn moment(text: &str) -> Result<Time, LineError> {
    let wrong = || LineError::Moment(text.chars().take(80).collect());
    let digits =
        text.strip_suffix('Z').filter(|digits| digits.bytes().all(|b| b.is_ascii_digit())).ok_or_else(wrong)?;
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or("00");
    if ![8, 14].contains(&digits.len()) {
        return Err(wrong());
    }
    let (year, month, day) = (part(0, 4), part(4, 6), part(6, 8));
    let text = format!("{year}-{month}-{day}T{}:{}:{}Z", part(8, 10), part(10, 12), part(12, 14));
    text.parse().map_err(|_not_a_time: crate::model::time::TimeError| wrong())
}

/// A line that cannot be read as it is meant.
#[derive(Debug, thiserror::Error)]
#[error("line {line} of the list of allowed signers cannot be read")]
pub struct ParseError {
    line: usize,
    source: LineError,
}

/// Why.
#[derive(Debug, thiserror::Error)]
pub(super) enum LineError {
    /// Not a principal, options and a key.
    #[error("write `<name> namespaces=\"<namespace>,…\" <key>`")]
    Form,
    /// An option that is not known here.
    #[error("the option `{0}` is not supported: use namespaces, valid-after and valid-before")]
    Option(String),
    /// A bound that is no time in UTC.
    #[error("`{0}` is no time in UTC: write `YYYYMMDDHHMMSSZ`")]
    Moment(String),
    /// No public key at the end.
    #[error("it does not end with a public key")]
    Key(#[source] ssh_key::Error),
    /// A span of time that holds nothing.
    #[error(transparent)]
    Validity(#[from] ValidityError),
    /// What OpenSSH would read otherwise.
    #[error(transparent)]
    Signer(#[from] AllowedSignerError),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::allowed_signers::render;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";

    #[test]
    fn reads_what_is_written() {
        let text = format!(
            "quinn namespaces=\"xtask-approval-uat,xtask-approval-prod\",valid-after=\"20260101000000Z\" {KEY}\n\
             releaser namespaces=\"xtask-ledger\",valid-after=\"20260101000000Z\",valid-before=\"20270101000000Z\" {KEY}\n"
        );
        let signers = parse(&format!("# people\n\n{text}")).unwrap();
        assert_eq!(render(&signers).unwrap(), text);
        assert!(signers[0].decides() && !signers[1].decides());
        let day = format!("quinn namespaces=\"a\",valid-before=\"20260101Z\" {KEY} quinn@example.com");
        assert_eq!(parse(&day).unwrap().len(), 1);
    }

    #[test]
    fn leaves_nothing_out() {
        for wrong in [
            "quinn".to_owned(),
            format!("quinn {KEY}"),
            format!("quinn cert-authority {KEY}"),
            format!("quinn cert-authority,namespaces=\"a\" {KEY}"),
            format!("*@example.com namespaces=\"a\" {KEY}"),
            format!("quinn namespaces=\"a*\" {KEY}"),
            format!("quinn namespaces=\"a\",verify-required=\"x\" {KEY}"),
            format!("quinn namespaces=\"a\",valid-after=\"20260101\" {KEY}"),
            format!("quinn namespaces=\"a\",valid-after=\"2026-01-01Z\" {KEY}"),
            "quinn namespaces=\"a\" ssh-ed25519 nonsense".to_owned(),
        ] {
            assert!(parse(&format!("# list\n{wrong}")).is_err(), "{wrong}");
        }
    }
}
