//! The running copies of one function: as on Lambda each has one call at a time, and more calls start more copies.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::{
    adapters::local::host::{Answer, Host, HostError, Spec},
    ports::story::Story,
};

/// How many copies there are at most; more calls wait.
const COPIES: usize = 10;

/// Copies of one function.
pub(super) struct Pool {
    spec: Spec,
    story: Arc<dyn Story>,
    idle: Mutex<Vec<Host>>,
    copies: Semaphore,
}

impl Pool {
    pub(super) fn new(spec: Spec, story: Arc<dyn Story>) -> Self {
        Self { spec, story, idle: Mutex::default(), copies: Semaphore::new(COPIES) }
    }

    /// Hands an event to a copy that has nothing to do, or to a new one.
    ///
    /// # Errors
    /// As starting and asking a function goes.
    pub(super) async fn invoke(&self, id: Uuid, event: &[u8]) -> Result<Answer, HostError> {
        // The semaphore is never closed.
        let _copy = self.copies.acquire().await.ok();
        loop {
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let fresh = idle.is_none();
            let mut host = match idle {
                Some(host) => host,
                None => Host::start(self.spec.clone(), Box::new(Told::new(self))).await?,
            };
            let answered = host.invoke(id, None, event).await;
            // One that ended while it had nothing to do never saw the event.
            if matches!(answered, Err(HostError::Gone)) && !fresh {
                continue;
            }
            if host.is_running() {
                self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(host);
            }
            return answered;
        }
    }
}

/// What a function writes, told line by line.
struct Told {
    story: Arc<dyn Story>,
    begun: Vec<u8>,
}

impl Told {
    fn new(pool: &Pool) -> Self {
        Self { story: Arc::clone(&pool.story), begun: Vec::new() }
    }
}

impl io::Write for Told {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.begun.extend_from_slice(bytes);
        while let Some(end) = self.begun.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.begun.drain(..=end).collect();
            // Lambda parts its REPORT by tabs.
            self.story.note(String::from_utf8_lossy(&line).replace('\t', "  ").trim_end());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
