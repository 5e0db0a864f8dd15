//! What a store may know about the call that it works for.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::models::{CorrelationId, RequestId, TraceId};
use crate::types::Measures;

/// One invocation of a function. Every id in it is one of a process, and was checked to look like one.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The gateway's request id, or Lambda's where the gateway gave none: by it log line, audit item and session are found.
    pub request_id: RequestId,
    /// Lambda's id of the invocation.
    pub lambda_request_id: RequestId,
    /// What the client calls this request, or the gateway where the client does not.
    pub correlation_id: CorrelationId,
    /// The trace that X-Ray keeps of it.
    pub trace_id: Option<TraceId>,
    /// When Lambda ends the function; unknown outside of Lambda's Runtime API.
    pub deadline: Option<Timestamp>,
    /// What it was measured to take.
    pub measures: Measures,
}

impl Invocation {
    /// How long an operation may take that begins `now`: `most`, or what is left before the deadline once `kept` is set
    /// aside for what has to follow. `None` if nothing is left.
    pub fn budget(&self, now: Timestamp, most: Duration, kept: Duration) -> Option<Duration> {
        let Some(deadline) = self.deadline else { return Some(most) };
        let left = deadline.duration_since(now).max(SignedDuration::ZERO).unsigned_abs();
        left.checked_sub(kept).filter(|rest| !rest.is_zero()).map(|rest| rest.min(most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_keeps_its_time() {
        let now = Timestamp::constant(1_000, 0);
        let budget = |deadline: Option<i64>| {
            let deadline = deadline.map(|second| Timestamp::from_second(second).unwrap());
            let invocation = Invocation { deadline, ..crate::testing::invocation() };
            invocation.budget(now, Duration::from_secs(2), Duration::from_secs(2)).map(|budget| budget.as_secs())
        };
        assert_eq!(budget(None), Some(2));
        assert_eq!((budget(Some(1_005)), budget(Some(1_004)), budget(Some(1_003))), (Some(2), Some(2), Some(1)));
        assert_eq!((budget(Some(1_002)), budget(Some(1_000)), budget(Some(-9))), (None, None, None));
    }
}
