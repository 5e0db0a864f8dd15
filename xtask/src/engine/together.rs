//! Many functions at the same time, as if one came after the other: what came of them is in their order, and of several
//! failures the first function's counts, whichever ended first.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{StreamExt as _, future, stream};

/// Does all of this, so much of it at once. After a failure nothing more is begun; what is under way is waited for, so that
/// whoever is told of the failure knows that nothing goes on.
///
/// # Errors
/// The first in the order of the work.
pub(super) async fn all<T, E, F>(at_once: usize, work: Vec<F>) -> Result<Vec<T>, E>
where
    F: Future<Output = Result<T, E>>,
{
    let failed = AtomicBool::new(false);
    let failed = &failed;
    let noted = |(place, work): (usize, F)| async move {
        let done = work.await;
        failed.fetch_or(done.is_err(), Ordering::SeqCst);
        (place, done)
    };
    // Work is begun in its order: whatever comes before a failure was begun, and what failed first is among it.
    let begun =
        stream::iter(work.into_iter().enumerate()).take_while(|_| future::ready(!failed.load(Ordering::SeqCst)));
    let mut done: Vec<(usize, Result<T, E>)> = begun.map(noted).buffer_unordered(at_once.max(1)).collect().await;
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, done)| done).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Work that takes so many turns, and what it tells of itself.
    struct Street {
        told: Mutex<Vec<String>>,
    }

    impl Street {
        async fn work(&self, number: usize, turns: usize, result: Result<usize, usize>) -> Result<usize, usize> {
            self.told.lock().unwrap().push(format!("begin {number}"));
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
            self.told.lock().unwrap().push(format!("end {number}"));
            result
        }
    }

    #[tokio::test]
    async fn the_first_in_order_counts_whichever_ends_first() {
        let street = Street { told: Mutex::default() };
        // The third fails at once, the second late; whatever would follow the third is never begun.
        let turns = [9, 4, 0, 4, 4, 1];
        let results = [Ok(0), Err(1), Err(2), Ok(3), Ok(4), Ok(5)];
        let work = |number: usize| street.work(number, turns[number], results[number]);
        assert_eq!(all(3, (0..6).map(work).collect()).await, Err(1));
        let told = street.told.lock().unwrap().clone();
        assert!(told.contains(&"end 0".to_owned()), "what was under way ended: {told:?}");
        assert!(!told.contains(&"begin 3".to_owned()), "{told:?}");
        let most = told.iter().scan(0_i32, |open, line| {
            *open += if line.starts_with("begin") { 1 } else { -1 };
            Some(*open)
        });
        assert_eq!(most.max(), Some(3), "{told:?}");
    }

    #[tokio::test]
    async fn one_at_a_time_is_one_after_the_other() {
        let street = Street { told: Mutex::default() };
        let work = |number: usize| street.work(number, 3 - number, Ok(number));
        assert_eq!(all(1, (0..3).map(work).collect()).await, Ok(vec![0, 1, 2]));
        let told = street.told.lock().unwrap().join(", ");
        assert_eq!(told, "begin 0, end 0, begin 1, end 1, begin 2, end 2");
    }
}
