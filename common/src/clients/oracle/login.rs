//! As whom the database is asked: read once per process, and again when the database no longer takes it.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::OracleError;
use crate::clients::secrets::SecretsClient;
use crate::types::{Clock, Credentials, OracleLogin, Secret};

/// How long credentials that the database refused are not offered to it again: many sandboxes that go on trying would lock the
/// user (`FAILED_LOGIN_ATTEMPTS`, ten by default).
const PAUSE: SignedDuration = SignedDuration::from_secs(60);

pub(super) struct Login {
    source: Source,
    clock: Arc<dyn Clock>,
    known: Mutex<Known>,
}

#[expect(clippy::large_enum_variant, reason = "there is one in a process")]
enum Source {
    Given(Credentials),
    Stored { client: SecretsClient, id: String, user: Option<Secret> },
}

#[derive(Default)]
struct Known {
    current: Option<Credentials>,
    refused: Option<(Credentials, Timestamp)>,
}

impl Login {
    pub(super) fn new(login: OracleLogin, clock: Arc<dyn Clock>) -> std::io::Result<Self> {
        let source = match login {
            OracleLogin::Given(credentials) => Source::Given(credentials),
            OracleLogin::Stored { access, id, user } => {
                Source::Stored { client: SecretsClient::new(access, Arc::clone(&clock))?, id, user }
            }
        };
        Ok(Self { source, clock, known: Mutex::default() })
    }

    /// What this process knows, or what the secret says if it knows nothing, or only what the database refused.
    pub(super) async fn credentials(&self) -> Result<Credentials, OracleError> {
        let known = self.with_known(|known| {
            let refused = known.refused.as_ref().map(|(refused, _)| refused);
            known.current.clone().filter(|current| Some(current) != refused)
        });
        let credentials = match known {
            Some(known) => known,
            None => self.read().await?,
        };
        let now = self.clock.now();
        self.with_known(|known| match &known.refused {
            Some((refused, since)) if *refused == credentials && now.duration_since(*since) < PAUSE => {
                Err(OracleError::Refused)
            }
            _ => {
                known.refused = None;
                Ok(credentials)
            }
        })
    }

    /// Keeps these from being offered again for a while.
    pub(super) fn note_refused(&self, refused: Credentials) {
        let now = self.clock.now();
        self.with_known(|known| known.refused = Some((refused, now)));
    }

    /// What the secret says now. `None` if it says the same as what was refused.
    pub(super) async fn other_than(&self, refused: &Credentials) -> Result<Option<Credentials>, OracleError> {
        Ok(Some(self.read().await?).filter(|fresh| fresh != refused))
    }

    async fn read(&self) -> Result<Credentials, OracleError> {
        let credentials = match &self.source {
            Source::Given(credentials) => credentials.clone(),
            Source::Stored { client, id, user } => client.credentials(id, user.as_ref()).await?,
        };
        self.with_known(|known| known.current = Some(credentials.clone()));
        Ok(credentials)
    }

    /// Nobody panics while they hold it, and nothing in it is ever half written.
    fn with_known<T>(&self, with: impl FnOnce(&mut Known) -> T) -> T {
        with(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
