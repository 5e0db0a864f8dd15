//! A clock for many who wait at the same time: it moves on when everybody waits, to the first who is through. Half a second
//! that sixteen functions settle in is half a second.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use xtask::{model::time::Time, ports::clock::Clock};

/// How many times nothing may have happened before everybody is taken to wait. Whoever works is polled as often meanwhile.
const QUIET: u32 = 50;

/// The clock; only for tests of one thread.
pub(super) struct Tide {
    now: Mutex<Time>,
    waiting: Mutex<BTreeSet<(Time, u64)>>,
    happened: AtomicU64,
}

impl Tide {
    /// It begins at noon.
    pub(super) fn new() -> Arc<Self> {
        let now = Mutex::new("2026-01-23T12:00:00Z".parse().unwrap());
        Arc::new(Self { now, waiting: Mutex::default(), happened: AtomicU64::new(0) })
    }

    fn is_first(&self, own: (Time, u64)) -> bool {
        self.waiting.lock().unwrap().first() == Some(&own)
    }
}

#[async_trait]
impl Clock for Tide {
    fn now(&self) -> Time {
        *self.now.lock().unwrap()
    }

    async fn sleep(&self, wait: Duration) {
        let own = (self.now().after(wait), self.happened.fetch_add(1, Ordering::SeqCst));
        self.waiting.lock().unwrap().insert(own);
        let (mut seen, mut quiet) = (0, 0);
        while self.now() < own.0 {
            tokio::task::yield_now().await;
            let happened = self.happened.load(Ordering::SeqCst);
            quiet = if happened == seen { quiet + 1 } else { 0 };
            seen = happened;
            if quiet > QUIET && self.is_first(own) {
                *self.now.lock().unwrap() = own.0;
            }
        }
        self.waiting.lock().unwrap().remove(&own);
        self.happened.fetch_add(1, Ordering::SeqCst);
    }
}
