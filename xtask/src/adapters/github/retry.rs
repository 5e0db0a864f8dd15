//! Asking again what was not answered: a few times, after as long as GitHub says, and never for longer than a job should wait.

use std::time::Duration;

use reqwest::{Response, header::HeaderMap};

use crate::{failure::Failure, ports::clock::Clock};

/// How often one question is asked at most.
const ATTEMPTS: u32 = 4;
/// The first wait where GitHub names none; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// Whoever has to wait for longer than this runs the command again.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Asks until there is an answer that asking again would not change.
///
/// # Errors
/// Unfinished, if there is none.
pub(super) async fn until_answered<F: Future<Output = reqwest::Result<Response>>>(
    clock: &dyn Clock,
    path: &str,
    ask: impl Fn() -> F,
) -> Result<Response, Failure> {
    let mut backoff = FIRST_WAIT;
    for attempt in 1.. {
        let (why, named) = match ask().await {
            Ok(response) => match again(clock, &response) {
                None => return Ok(response),
                Some(again) => again,
            },
            Err(error) => {
                if attempt == ATTEMPTS {
                    let error = error.without_url();
                    return Err(Failure::unfinished(format!("failed to ask GitHub for {path}"), error));
                }
                (String::new(), None)
            }
        };
        let wait = named.unwrap_or(backoff);
        if attempt == ATTEMPTS || wait > LONGEST_WAIT {
            let what = format!("GitHub did not answer {path} after {attempt} attempts: {why}");
            return Err(Failure::Unfinished { what, source: None });
        }
        clock.sleep(wait).await;
        backoff *= 2;
    }
    Err(Failure::Unfinished { what: format!("GitHub was not asked for {path}"), source: None })
}

/// Why to ask again, and after how long if that is said; `None` if this is the answer.
fn again(clock: &dyn Clock, response: &Response) -> Option<(String, Option<Duration>)> {
    let (status, headers) = (response.status().as_u16(), response.headers());
    let named = wait(clock, headers);
    // The secondary limits answer 403 or 429 with `retry-after`, the primary one with nothing left until its reset.
    let limited = status == 429 || (status == 403 && named.is_some());
    if limited {
        let until = named.map(|wait| format!(", until {}", clock.now().after(wait))).unwrap_or_default();
        return Some((format!("its rate limit is used up{until}"), named));
    }
    (status >= 500).then(|| (format!("it answered {status}"), named))
}

/// How long GitHub says to wait: `retry-after` in seconds, else until `x-ratelimit-reset` if nothing is left.
fn wait(clock: &dyn Clock, headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    if let Some(seconds) = number("retry-after") {
        return Some(Duration::from_secs(seconds));
    }
    if number("x-ratelimit-remaining") != Some(0) {
        return None;
    }
    let now = u64::try_from(clock.now().timestamp().as_second()).unwrap_or_default();
    number("x-ratelimit-reset").map(|reset| Duration::from_secs(reset.saturating_sub(now).saturating_add(1)))
}
