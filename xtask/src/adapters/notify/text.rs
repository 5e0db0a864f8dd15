//! A notice's words, from the templates of the repository.

use askama::Template;

use crate::model::notice::{Notice, Occasion};

#[derive(Template)]
#[template(path = "notice/subject.txt")]
struct Subject<'a> {
    notice: &'a Notice,
    release: String,
    environment: String,
}

#[derive(Template)]
#[template(path = "notice/mail.txt")]
struct Body<'a> {
    notice: &'a Notice,
    subject: String,
    release: String,
    environment: String,
}

#[derive(Template)]
#[template(path = "notice/slack.txt")]
struct Slack<'a> {
    notice: &'a Notice,
    subject: String,
    who: String,
    detail: Option<String>,
}

/// In one line: a mail's subject.
pub(super) fn subject(notice: &Notice) -> Result<String, askama::Error> {
    let (release, environment) = names(notice);
    Ok(Subject { notice, release, environment }.render()?.trim().to_owned())
}

/// A mail's text.
pub(super) fn mail(notice: &Notice) -> Result<String, askama::Error> {
    let (release, environment) = names(notice);
    Body { notice, subject: subject(notice)?, release, environment }.render()
}

/// Slack's text. Its three signs are escaped, so that nobody's words become a link or a call to everyone.
pub(super) fn slack(notice: &Notice) -> Result<String, askama::Error> {
    let safe = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let (who, detail) = (safe(&notice.who), notice.detail.as_deref().map(safe));
    Ok(Slack { notice, subject: safe(&subject(notice)?), who, detail }.render()?.trim().to_owned())
}

fn names(notice: &Notice) -> (String, String) {
    let environment = notice.environment.as_ref().map(ToString::to_string);
    (notice.release.map(|release| release.to_string()).unwrap_or_default(), environment.unwrap_or_default())
}
