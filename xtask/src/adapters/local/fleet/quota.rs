//! Lambda's request rates of the control plane: one bucket of tokens for reads of functions and versions, one for all
//! other calls together. A call that finds its bucket empty is refused and has no effect.

use std::sync::{Arc, Mutex, PoisonError};

use crate::{
    model::time::Time,
    ports::{clock::Clock, fleet::FleetError},
};

/// How many calls of the control plane are served per second. A bucket holds the calls of one second: Lambda documents
/// no burst beyond them. Invocations have limits of their own and are not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Reads of functions and versions (`GetFunction`).
    pub reads: u32,
    /// All other calls together.
    pub others: u32,
}

impl Quota {
    /// What Lambda serves per account and region, and never raises (Lambda quotas, "Lambda API requests").
    pub const LAMBDA: Self = Self { reads: 100, others: 15 };
}

/// What kind of call asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A read of a function or a version.
    Read,
    /// Anything else.
    Other,
}

/// The buckets of one fleet.
pub(super) struct Meter {
    buckets: Option<[Mutex<Bucket>; 2]>,
    clock: Arc<dyn Clock>,
}

impl Meter {
    /// Full buckets; without a quota every call is served.
    pub(super) fn new(quota: Option<Quota>, clock: Arc<dyn Clock>) -> Self {
        let now = clock.now();
        let bucket = |rate| Mutex::new(Bucket { rate, filled: u64::from(rate) * TOKEN, at: now });
        Self { buckets: quota.map(|quota| [bucket(quota.reads), bucket(quota.others)]), clock }
    }

    /// Takes a token for a call.
    pub(super) fn admit(&self, kind: Kind) -> Result<(), FleetError> {
        let Some([reads, others]) = &self.buckets else { return Ok(()) };
        let bucket = if kind == Kind::Read { reads } else { others };
        let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
        if bucket.take(self.clock.now()) {
            return Ok(());
        }
        Err(FleetError::Throttled(format!("more than {} calls of its control plane in one second", bucket.rate)))
    }
}

/// One call. A millisecond brings as many parts of it as the rate has calls per second.
const TOKEN: u64 = 1000;

struct Bucket {
    rate: u32,
    filled: u64,
    at: Time,
}

impl Bucket {
    fn take(&mut self, now: Time) -> bool {
        let rate = u64::from(self.rate);
        let passed = u64::try_from(now.since(self.at).as_millis()).unwrap_or(u64::MAX);
        self.filled = self.filled.saturating_add(passed.saturating_mul(rate)).min(rate * TOKEN);
        // A clock that was set back fills nothing, and does not stop the filling either.
        self.at = now;
        match self.filled.checked_sub(TOKEN) {
            Some(left) => {
                self.filled = left;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bucket_holds_one_second_and_fills_evenly() {
        let start: Time = "2026-01-23T12:00:00Z".parse().unwrap();
        let mut bucket = Bucket { rate: 15, filled: 15 * TOKEN, at: start };
        let served = |bucket: &mut Bucket, millis| {
            let now = start.after(Duration::from_millis(millis));
            (0..100).take_while(|_| bucket.take(now)).count()
        };
        assert_eq!(served(&mut bucket, 0), 15);
        assert_eq!(served(&mut bucket, 66), 0, "one token takes 67 ms");
        assert_eq!(served(&mut bucket, 67), 1);
        assert_eq!(served(&mut bucket, 1_067), 15);
        assert_eq!(served(&mut bucket, 600_000), 15, "no more than one second's calls are saved up");
    }
}
