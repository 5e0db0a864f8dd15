//! Work done side by side and taken in order: as many pieces at a time as keep the processors busy, so that memory does
//! not grow with the number of pieces.

use std::collections::VecDeque;

use anyhow::Context as _;
use tokio::task::JoinHandle;

/// Works on every item in a task of its own and hands the results over in the items' order.
///
/// # Errors
/// What `each` says; the other tasks are ended then.
pub(super) async fn ordered<I, T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    items: impl Iterator<Item = I>,
    work: impl Fn(I) -> F,
    mut each: impl FnMut(T) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let window = 2 * std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut under_way = UnderWay(VecDeque::with_capacity(window));
    for item in items {
        if under_way.0.len() == window
            && let Some(first) = under_way.0.pop_front()
        {
            each(first.await.context("a part of the work broke off")?)?;
        }
        under_way.0.push_back(tokio::spawn(work(item)));
    }
    while let Some(next) = under_way.0.pop_front() {
        each(next.await.context("a part of the work broke off")?)?;
    }
    Ok(())
}

/// Whoever stops early must not leave tasks behind.
struct UnderWay<T>(VecDeque<JoinHandle<T>>);

impl<T> Drop for UnderWay<T> {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}
