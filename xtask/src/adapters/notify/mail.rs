//! E-mail over SMTP.

use std::time::SystemTime;

use anyhow::Context as _;
use async_trait::async_trait;
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
    transport::smtp::authentication::Credentials,
};

use crate::{
    adapters::notify::{LIMIT, secret::Reader, text},
    config::raw::notifications::{Email, Encryption},
    model::notice::Notice,
    ports::notifier::Notifier,
};

type Smtp = AsyncSmtpTransport<Tokio1Executor>;

/// An SMTP server, and who writes to whom through it.
pub(super) struct Mail {
    configured: Email,
    reader: Reader,
}

impl Mail {
    pub(super) fn new(configured: Email, reader: Reader) -> Self {
        Self { configured, reader }
    }

    fn server(&self) -> anyhow::Result<Smtp> {
        let Email { server, port, encryption, login, .. } = &self.configured;
        let mut builder = match encryption {
            Encryption::Starttls => Smtp::starttls_relay(server)?,
            Encryption::Tls => Smtp::relay(server)?,
            Encryption::None => Smtp::builder_dangerous(server),
        };
        builder = builder.timeout(Some(LIMIT));
        if let Some(port) = port {
            builder = builder.port(*port);
        }
        if let Some(login) = login {
            builder = builder.credentials(Credentials::new(login.user.clone(), self.reader.read(&login.password)?));
        }
        Ok(builder.build())
    }

    fn message(&self, notice: &Notice) -> anyhow::Result<Message> {
        let from: Mailbox = self.configured.from.parse()?;
        // The same notice tried again is the same message, so that whoever got it twice can tell.
        let occasion = serde_json::to_string(&notice.occasion)?.replace('"', "");
        let release = notice.release.map(|release| release.to_string()).unwrap_or_default();
        let id = format!("<{occasion}.{release}.{}@{}>", notice.time.timestamp().as_millisecond(), from.email.domain());
        let mut builder = Message::builder()
            .from(from)
            .subject(text::subject(notice)?)
            .date(SystemTime::from(notice.time.timestamp()))
            .message_id(Some(id))
            .header(ContentType::TEXT_PLAIN);
        for to in &self.configured.to {
            builder = builder.to(to.parse()?);
        }
        Ok(builder.body(text::mail(notice)?)?)
    }
}

#[async_trait]
impl Notifier for Mail {
    fn name(&self) -> &'static str {
        "e-mail"
    }

    async fn deliver(&self, notice: &Notice) -> anyhow::Result<()> {
        let (message, server) = (self.message(notice)?, self.server()?);
        // The library limits each step of the conversation, and this limits all of them.
        let sent = tokio::time::timeout(LIMIT, server.send(message)).await;
        sent.with_context(|| format!("{} took longer than {} s", self.configured.server, LIMIT.as_secs()))??;
        Ok(())
    }
}
