//! How many calls of Lambda's control plane this process makes: one budget per account and region, for everything that is
//! done there at the same time. Whoever asks waits for its turn; what others use is left to the SDK's adaptive retries.

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};

use crate::{model::time::Time, ports::clock::Clock};

/// The budget of one account in one region.
pub struct Budget {
    reads: Bucket,
    others: Bucket,
    logs: Bucket,
    ticks: Ticks,
}

/// What kind of call asks for its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `GetFunction`: Lambda counts it on its own, and serves 100 per second.
    Read,
    /// Anything else but invocations: Lambda serves 15 per second, all of them together.
    Other,
    /// CloudWatch Logs, which serves 10 of each kind per second.
    Logs,
}

type Bucket = RateLimiter<NotKeyed, InMemoryState, Ticks, NoOpMiddleware<Duration>>;

impl Budget {
    /// A budget of so many calls per second. They come evenly, so that no second has more of them, wherever it begins.
    #[must_use]
    pub fn new(per_second: NonZeroU32, clock: Arc<dyn Clock>) -> Self {
        let ticks = Ticks::new(clock);
        let bucket =
            |rate| Bucket::direct_with_clock(Quota::per_second(rate).allow_burst(NonZeroU32::MIN), ticks.clone());
        // The same share of what Lambda has for reads as of what it has for the others: 100 and 15.
        let reads = NonZeroU32::new(per_second.get().saturating_mul(100) / 15).unwrap_or(NonZeroU32::MIN);
        Self { reads: bucket(reads), others: bucket(per_second), logs: bucket(per_second), ticks }
    }

    /// Waits until it is this call's turn.
    pub async fn turn(&self, kind: Kind) {
        let bucket = match kind {
            Kind::Read => &self.reads,
            Kind::Other => &self.others,
            Kind::Logs => &self.logs,
        };
        while let Err(early) = bucket.check() {
            let wait = early.wait_time_from(governor::clock::Clock::now(&self.ticks));
            // Time is told in whole milliseconds here.
            self.ticks.clock.sleep(wait.max(Duration::from_millis(1))).await;
        }
    }
}

impl std::fmt::Debug for Budget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Budget").finish_non_exhaustive()
    }
}

/// Time since the budget was made, by the clock of everything else. One that is set back stands still for a moment, so that
/// nobody waits until it has caught up.
#[derive(Clone)]
struct Ticks {
    clock: Arc<dyn Clock>,
    passed: Arc<Mutex<(Time, Duration)>>,
}

impl Ticks {
    fn new(clock: Arc<dyn Clock>) -> Self {
        let passed = Arc::new(Mutex::new((clock.now(), Duration::ZERO)));
        Self { clock, passed }
    }
}

impl governor::clock::Clock for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        let now = self.clock.now();
        let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        *passed = (now, passed.1 + now.since(passed.0));
        passed.1
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;

    /// Whoever waits moves it.
    struct Hand(Mutex<Time>);

    #[async_trait]
    impl Clock for Hand {
        fn now(&self) -> Time {
            *self.0.lock().unwrap()
        }

        async fn sleep(&self, wait: Duration) {
            {
                let mut now = self.0.lock().unwrap();
                *now = now.after(wait);
            }
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn no_second_has_more_calls_than_the_budget_whoever_makes_them() {
        let start: Time = "2026-01-23T12:00:00Z".parse().unwrap();
        let clock = Arc::new(Hand(Mutex::new(start)));
        let budget = Arc::new(Budget::new(NonZeroU32::new(10).unwrap(), clock.clone()));
        let served = Arc::new(Mutex::new(Vec::new()));
        let workers = (0..4).map(|_| {
            let (budget, clock, served) = (Arc::clone(&budget), Arc::clone(&clock), Arc::clone(&served));
            tokio::spawn(async move {
                for _ in 0..15 {
                    budget.turn(Kind::Other).await;
                    served.lock().unwrap().push(clock.now().since(start).as_millis());
                    budget.turn(Kind::Read).await;
                }
            })
        });
        for worker in workers.collect::<Vec<_>>() {
            worker.await.unwrap();
        }
        let mut served = served.lock().unwrap().clone();
        served.sort_unstable();
        assert_eq!(served.len(), 60);
        for at in &served {
            let second = served.iter().filter(|other| (*at..at + 1000).contains(other)).count();
            assert!(second <= 10, "{second} calls within a second of {at} ms: {served:?}");
        }
        let whole = served[59];
        assert!((5900..6500).contains(&whole), "60 calls at 10 per second took {whole} ms");
    }

    #[tokio::test]
    async fn a_clock_that_is_set_back_makes_nobody_wait_for_long() {
        let start: Time = "2026-01-23T12:00:00Z".parse().unwrap();
        let clock = Arc::new(Hand(Mutex::new(start)));
        let budget = Budget::new(NonZeroU32::new(10).unwrap(), clock.clone());
        budget.turn(Kind::Other).await;
        let earlier = start.before(Duration::from_secs(3600));
        *clock.0.lock().unwrap() = earlier;
        budget.turn(Kind::Other).await;
        assert!(clock.now().since(earlier) < Duration::from_millis(300));
    }
}
