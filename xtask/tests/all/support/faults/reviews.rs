//! Reviews of a workflow run, going wrong.

use async_trait::async_trait;
use xtask::{failure::Failure, model::review::Answer, ports::reviews::Reviews};

use super::{Fated, How, Kind, storm};

#[async_trait]
impl Reviews for Fated<dyn Reviews> {
    async fn answers(&self) -> Result<Vec<Answer>, Failure> {
        let nobody = |answer: &Answer| Answer::new(answer.path.clone(), "[]".to_owned());
        let bend = |how, answers: &Vec<Answer>| match (how, &answers[..]) {
            // Nobody has reviewed it yet.
            (How::Lie, [run, reviews @ ..]) => {
                Some([run.clone()].into_iter().chain(reviews.iter().map(nobody)).collect())
            }
            (How::Truncated, [most @ .., _]) => Some(most.to_vec()),
            _ => None,
        };
        let error = |_call| Failure::unfinished("failed to ask for reviews", storm());
        self.fate.call(Kind::Question, "reviews".to_owned(), || self.inner.answers(), error, bend).await
    }
}
