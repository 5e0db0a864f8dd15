//! A world that goes wrong at chosen moments: every call of a port is counted, and some of them go wrong.
//!
//! [`Fate`] says when and how, and keeps the story of all calls; `vault` and `fleet` are the wrappers at the ports.

mod fleet;
mod reviews;
mod signal;
mod tools;
mod vault;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::Notify;
use xtask::{
    context::{Context, Site},
    model::time::Time,
    ports::{alarms::Alarms, clock::Clock, fleet::Fleet, reviews::Reviews},
};

pub(crate) use self::signal::Signal;

/// How it goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum How {
    /// The process is killed right after this call took effect.
    KilledAfter,
    /// This one call fails and has no effect; the world recovers at once.
    Refused,
    /// This one call takes effect, but its answer is lost; the world recovers at once.
    AnswerLost,
    /// The process stands still right before this call, until it is told to go on.
    Paused,
    /// A day goes by before this call: every claim and every reservation has expired since.
    Late,
    /// The clock is set back by a day before this call.
    Early,
    /// The call takes effect twice, as when a client lost the first answer and tried again by itself.
    Twice,
    /// Nothing can be written from this call on; everything can be read.
    Full,
    /// A part of the answer is missing.
    Truncated,
    /// The answer is wrong: not there, though it is, or other than it is.
    Lie,
    /// The answer is that of an older moment.
    Old,
    /// The process gets this signal right before the call.
    SignalBefore(Signal),
    /// The process gets this signal right after the call took effect.
    SignalAfter(Signal),
}

/// Whether a call changes the world or only asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It changes something.
    Effect,
    /// It only asks.
    Question,
}

/// When and how the world goes wrong.
pub(crate) struct Fate {
    wrongs: BTreeMap<usize, How>,
    story: Mutex<Vec<(Kind, String)>>,
    /// The calls whose answer was bent, as not every answer can be.
    bent: AtomicUsize,
    hours: AtomicI64,
    past: Mutex<BTreeMap<String, serde_json::Value>>,
    reached: Notify,
    go_on: Notify,
}

impl Fate {
    /// Nothing goes wrong: calls are only counted.
    pub(crate) fn undisturbed() -> Arc<Self> {
        Self::of(&[])
    }

    /// It goes wrong at this call, counted from 1.
    pub(crate) fn new(how: How, at: usize) -> Arc<Self> {
        Self::of(&[(at, how)])
    }

    /// It goes wrong at each of these calls.
    pub(crate) fn of(wrongs: &[(usize, How)]) -> Arc<Self> {
        Arc::new(Self {
            wrongs: wrongs.iter().copied().collect(),
            story: Mutex::default(),
            bent: AtomicUsize::new(0),
            hours: AtomicI64::new(0),
            past: Mutex::default(),
            reached: Notify::new(),
            go_on: Notify::new(),
        })
    }

    /// Waits until the process stands still.
    pub(crate) async fn reached(&self) {
        self.reached.notified().await;
    }

    /// Lets it go on.
    pub(crate) fn go_on(&self) {
        self.go_on.notify_one();
    }

    /// The calls of a kind.
    pub(crate) fn of_kind(&self, kind: Kind) -> Vec<usize> {
        let story = self.story.lock().unwrap();
        (1..=story.len()).filter(|at| story[at - 1].0 == kind).collect()
    }

    /// Which of the calls change the world.
    pub(crate) fn effects(&self) -> Vec<usize> {
        self.of_kind(Kind::Effect)
    }

    /// The first call of each kind on each object.
    pub(crate) fn firsts(&self) -> Vec<usize> {
        let story = self.story.lock().unwrap();
        let mut seen = BTreeSet::new();
        (1..=story.len()).filter(|at| seen.insert(story[at - 1].1.clone())).collect()
    }

    /// How many calls there were.
    pub(crate) fn calls(&self) -> usize {
        self.story.lock().unwrap().len()
    }

    /// The first call of this description.
    pub(crate) fn place(&self, what: &str) -> usize {
        self.story.lock().unwrap().iter().position(|call| call.1 == what).unwrap() + 1
    }

    /// The calls whose description begins like this.
    pub(crate) fn calls_of(&self, what: &str) -> Vec<usize> {
        let story = self.story.lock().unwrap();
        (1..=story.len()).filter(|at| story[at - 1].1.starts_with(what)).collect()
    }

    /// What a call was.
    pub(crate) fn called(&self, at: usize) -> String {
        self.story.lock().unwrap()[at - 1].1.clone()
    }

    /// What went wrong, of what was reached.
    pub(crate) fn struck(&self) -> String {
        let reached = self.wrongs.keys().filter(|at| **at <= self.calls());
        reached.map(|at| self.called(*at)).collect::<Vec<_>>().join(", then ")
    }

    /// Whether anything went wrong indeed.
    pub(crate) fn came(&self) -> bool {
        self.bent.load(Ordering::SeqCst) > 0
    }

    /// The same context in a world of this fate.
    pub(crate) fn over(self: &Arc<Self>, context: Context) -> Context {
        let fleets = context.fleets.into_iter().map(|(environment, inner)| {
            (environment, Arc::new(Fated { fate: Arc::clone(self), inner, region: "" }) as Arc<dyn Fleet>)
        });
        let alarms = context.alarms.into_iter().map(|(environment, inner)| {
            (environment, Arc::new(Fated { fate: Arc::clone(self), inner, region: "" }) as Arc<dyn Alarms>)
        });
        let here = |inner| Arc::new(Fated { fate: Arc::clone(self), inner, region: "" });
        let there = |inner| Arc::new(Fated { fate: Arc::clone(self), inner, region: "dr: " });
        Context {
            alarms: alarms.collect(),
            fleets: fleets.collect(),
            vault: here(context.vault),
            witness: Arc::new(Fated { fate: Arc::clone(self), inner: context.witness, region: "" }),
            recovery: Site {
                vault: there(context.recovery.vault),
                witness: Arc::new(Fated { fate: Arc::clone(self), inner: context.recovery.witness, region: "dr: " }),
            },
            signer: Arc::new(Fated { fate: Arc::clone(self), inner: context.signer, region: "" }),
            clock: Arc::new(Fated { fate: Arc::clone(self), inner: context.clock, region: "" }),
            reviews: context
                .reviews
                .map(|inner| Arc::new(Fated { fate: Arc::clone(self), inner, region: "" }) as Arc<dyn Reviews>),
            ..context
        }
    }

    /// The same, with a repository and a build tool that go wrong, too.
    pub(crate) fn over_tools(self: &Arc<Self>, context: Context) -> Context {
        let context = self.over(context);
        Context {
            git: Arc::new(Fated { fate: Arc::clone(self), inner: context.git, region: "" }),
            cargo: Arc::new(Fated { fate: Arc::clone(self), inner: context.cargo, region: "" }),
            ..context
        }
    }

    /// Counts a call; what goes wrong with it, and whether the process is dead already.
    fn count(&self, kind: Kind, what: &str) -> (usize, Option<How>, bool) {
        let mut story = self.story.lock().unwrap();
        story.push((kind, what.to_owned()));
        let now = story.len();
        let killed = self.wrongs.iter().any(|(at, how)| match how {
            How::KilledAfter => *at < now,
            How::Full => *at < now && kind == Kind::Effect,
            _ => false,
        });
        (now, self.wrongs.get(&now).copied(), killed)
    }

    fn strike(&self) {
        self.bent.fetch_add(1, Ordering::SeqCst);
    }

    /// One call of a port. `bend` makes a wrong answer of a true one, where there is one.
    async fn call<T, E, F: Future<Output = Result<T, E>>>(
        &self,
        kind: Kind,
        what: String,
        call: impl Fn() -> F,
        error: impl Fn(usize) -> E,
        bend: impl FnOnce(How, &T) -> Option<T>,
    ) -> Result<T, E> {
        let (now, how, killed) = self.count(kind, &what);
        if killed {
            return Err(error(now));
        }
        let Some(how) = how else { return call().await };
        if !matches!(how, How::Truncated | How::Lie | How::Old) {
            self.strike();
        }
        match how {
            How::Paused => {
                self.reached.notify_one();
                self.go_on.notified().await;
                call().await
            }
            How::Refused | How::Full => Err(error(now)),
            How::KilledAfter | How::AnswerLost => call().await.and_then(|_lost| Err(error(now))),
            How::Late | How::Early => {
                self.hours.fetch_add(if how == How::Late { 26 } else { -26 }, Ordering::SeqCst);
                call().await
            }
            How::Twice => {
                drop(call().await);
                call().await
            }
            How::SignalBefore(signal) => {
                signal.strike().await;
                call().await
            }
            How::SignalAfter(signal) => {
                let answer = call().await;
                signal.strike().await;
                answer
            }
            How::Truncated | How::Lie | How::Old => {
                let answer = call().await?;
                let wrong = bend(how, &answer);
                if wrong.is_some() {
                    self.strike();
                }
                Ok(wrong.unwrap_or(answer))
            }
        }
    }

    /// Remembers an answer, for whoever asks what it was at an older moment.
    fn remember<T: Serialize>(&self, what: &str, answer: &T) {
        let mut past = self.past.lock().unwrap();
        past.entry(what.to_owned()).or_insert_with(|| serde_json::to_value(answer).unwrap());
    }

    /// The first answer to the same question, if it was another one.
    fn older<T: Serialize + DeserializeOwned>(&self, what: &str, now: &T) -> Option<T> {
        let past = self.past.lock().unwrap();
        let then = past.get(what)?;
        (*then != serde_json::to_value(now).unwrap()).then(|| serde_json::from_value(then.clone()).unwrap())
    }
}

/// A port whose calls go wrong.
struct Fated<P: ?Sized> {
    fate: Arc<Fate>,
    inner: Arc<P>,
    /// Put before what its calls are called.
    region: &'static str,
}

/// No other answer can be made of this one.
fn as_it_is<T>(_how: How, _answer: &T) -> Option<T> {
    None
}

fn storm() -> std::io::Error {
    std::io::Error::other("a storm")
}

#[async_trait]
impl Clock for Fated<dyn Clock> {
    fn now(&self) -> Time {
        let hours = self.fate.hours.load(Ordering::SeqCst);
        let shift = Duration::from_secs(60 * 60 * hours.unsigned_abs());
        if hours < 0 { self.inner.now().before(shift) } else { self.inner.now().after(shift) }
    }

    async fn sleep(&self, wait: Duration) {
        self.inner.sleep(wait).await;
    }
}
