//! One handler, started and asked as Lambda does it: its first answer, its answers while several copies work, and what it
//! takes to keep.

use std::{
    io,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use futures_util::future::try_join_all;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::adapters::local::host::{Answer, Host, Spec};

/// Who is measured.
#[derive(Debug, Clone)]
pub struct Contestant {
    /// For the table.
    pub name: String,
    /// What to run.
    pub spec: Spec,
    /// What is sent to Lambda, in bytes.
    pub zip_bytes: u64,
}

/// How much is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Load {
    /// How often it is started anew.
    pub starts: usize,
    /// How many copies work at the same time, each with one invocation at a time.
    pub copies: usize,
    /// How often each copy is asked, once it is warm.
    pub rounds: usize,
}

/// One contestant's figures. Times are in microseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HandlerFigures {
    /// Who.
    pub contestant: String,
    /// What is sent to Lambda, in bytes.
    pub zip_bytes: u64,
    /// From the process's start to its first answer: the median of all starts.
    pub cold_us: u64,
    /// Half of all warm answers came within this time.
    pub p50_us: u64,
    /// 99 of 100.
    pub p99_us: u64,
    /// 999 of 1000.
    pub p999_us: u64,
    /// Answers per second, of all copies together.
    pub per_second: u64,
    /// Answers for each second that the copies were on a processor; nobody else's work counts.
    pub per_core_second: u64,
    /// The most memory that one copy held, in MiB.
    pub peak_mb: u64,
}

/// How many answers warm a copy up.
const WARM_UP: usize = 50;

/// Measures one contestant.
///
/// # Errors
/// If it does not start, or answers anything but 200.
pub async fn measure(contestant: &Contestant, event: &[u8], load: Load) -> anyhow::Result<HandlerFigures> {
    let name = &contestant.name;
    let mut cold = Vec::new();
    for _ in 0..load.starts {
        let begun = Instant::now();
        let mut host = started(contestant).await?;
        ask(&mut host, event).await.with_context(|| format!("{name} failed at its first event"))?;
        cold.push(begun.elapsed());
    }
    let mut copies = Vec::new();
    for _ in 0..load.copies {
        let mut host = started(contestant).await?;
        for _ in 0..WARM_UP {
            ask(&mut host, event).await?;
        }
        copies.push(host);
    }
    let (before, begun) = (on_processors(&copies)?, Instant::now());
    let each = copies.iter_mut().map(|host| rounds(host, event, load.rounds));
    let told = try_join_all(each).await.with_context(|| format!("{name} failed while it was warm"))?;
    let wall = begun.elapsed();
    let used = on_processors(&copies)?.saturating_sub(before);
    let peak_mb = told.iter().map(|(_, peak_mb)| *peak_mb).max().unwrap_or_default();
    let mut warm: Vec<Duration> = told.into_iter().flat_map(|(times, _)| times).collect();
    warm.sort_unstable();
    cold.sort_unstable();
    let answers = warm.len();
    Ok(HandlerFigures {
        contestant: name.clone(),
        zip_bytes: contestant.zip_bytes,
        cold_us: within(&cold, 500),
        p50_us: within(&warm, 500),
        p99_us: within(&warm, 990),
        p999_us: within(&warm, 999),
        per_second: per_second(answers, wall),
        per_core_second: per_second(answers, used),
        peak_mb,
    })
}

async fn started(contestant: &Contestant) -> anyhow::Result<Host> {
    let host = Host::start(contestant.spec.clone(), Box::new(io::sink())).await;
    host.with_context(|| format!("{} does not start", contestant.name))
}

/// How long each answer of one copy took, and the most memory that it held.
async fn rounds(host: &mut Host, event: &[u8], rounds: usize) -> anyhow::Result<(Vec<Duration>, u64)> {
    let (mut times, mut peak_mb) = (Vec::with_capacity(rounds), 0);
    for _ in 0..rounds {
        let begun = Instant::now();
        let answer = ask(host, event).await?;
        times.push(begun.elapsed());
        peak_mb = answer.max_memory_mb;
    }
    Ok((times, peak_mb))
}

/// One answer, which must be the right one: who answers nothing is quick.
async fn ask(host: &mut Host, event: &[u8]) -> anyhow::Result<Answer> {
    let answer = host.invoke(Uuid::now_v7(), None, event).await?;
    let told: Value = serde_json::from_slice(&answer.payload).unwrap_or_default();
    if told["statusCode"] != 200 {
        bail!("it answers {}\n{}", String::from_utf8_lossy(&answer.payload), answer.log_tail);
    }
    Ok(answer)
}

fn on_processors(copies: &[Host]) -> anyhow::Result<Duration> {
    let each = copies.iter().map(|host| host.on_processors().context("a copy has ended"));
    each.sum()
}

/// So many of a thousand came within this time, in microseconds; they are sorted.
fn within(times: &[Duration], of_a_thousand: usize) -> u64 {
    let place = (times.len() * of_a_thousand).div_ceil(1000).saturating_sub(1);
    times.get(place).map_or(0, |time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
}

fn per_second(answers: usize, time: Duration) -> u64 {
    let microseconds = time.as_micros().max(1);
    u64::try_from(answers as u128 * 1_000_000 / microseconds).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_thousand_the_last_but_one_is_told() {
        let times: Vec<Duration> = (1..=1000).map(Duration::from_micros).collect();
        assert_eq!([500, 990, 999, 1000].map(|share| within(&times, share)), [500, 990, 999, 1000]);
        assert_eq!(within(&times[..3], 999), 3);
        assert_eq!(within(&[], 500), 0);
        assert_eq!(per_second(500, Duration::from_millis(250)), 2000);
    }
}
