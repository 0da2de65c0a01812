//! Futures that borrow, driven all at once.

use std::future::{Future, poll_fn};
use std::task::Poll;

/// Drives all futures at once, and returns what they give in their order.
pub(crate) async fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = futures
        .into_iter()
        .map(|future| (Box::pin(future), None))
        .collect();
    poll_fn(|context| {
        for (future, given) in waiting.iter_mut().filter(|(_, given)| given.is_none()) {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                *given = Some(output);
            }
        }
        let over = waiting.iter().all(|(_, given)| given.is_some());
        if over { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    waiting.into_iter().filter_map(|(_, given)| given).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn what_was_asked_for_first_is_given_first_whoever_is_done_first() {
        let after = |millis| async move {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            millis
        };
        assert_eq!(
            join_all([after(20), after(0), after(10)]).await,
            [20, 0, 10]
        );
    }
}
