//! What `[notifications]` must be, so that a mistake is told when the file is read and not when something happens.

use lettre::message::Mailbox;

use crate::config::raw::notifications::{Encryption, Notifications};

/// Finds every problem.
pub(super) fn check(raw: &Notifications, problems: &mut Vec<String>) {
    let Some(email) = &raw.email else { return };
    if email.to.is_empty() {
        problems.push("`notifications.email.to` is empty: name somebody, or leave the e-mail out".to_owned());
    }
    let from = std::iter::once(("from", &email.from));
    for (key, address) in from.chain(email.to.iter().map(|address| ("to", address))) {
        if address.parse::<Mailbox>().is_err() {
            problems.push(format!(
                "`notifications.email.{key}` has `{address}`, which is no address: write `Name <name@example.com>`"
            ));
        }
    }
    let here = ["localhost", "127.0.0.1", "::1"].contains(&email.server.as_str());
    if email.login.is_some() && email.encryption == Encryption::None && !here {
        problems.push(
            "`notifications.email.encryption` is `none`: the password would be read by whoever is on the way; \
             write `starttls` or `tls`, or leave `login` out"
                .to_owned(),
        );
    }
}
