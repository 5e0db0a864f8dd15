//! SQL that cannot be put together out of values, and the port that answers it.

use std::future::Future;

use crate::types::{Invocation, StoreError};

/// A statement and the values of its binds, the only way in which SQL reaches a database.
///
/// The text is a constant of the program, so that no value can be part of it; values go to the database beside it:
///
/// ```
/// use common::types::Query;
/// let product = String::from("PROD-101");
/// Query::new("SELECT price FROM product_prices WHERE product_id = :product_id").bind("product_id", &product);
/// ```
///
/// ```compile_fail
/// use common::types::Query;
/// let product = String::from("PROD-101");
/// Query::new(&format!("SELECT price FROM product_prices WHERE product_id = '{product}'"));
/// ```
///
/// It has no `Debug`: the values may be anything.
#[derive(Clone)]
pub struct Query {
    text: &'static str,
    binds: Vec<(&'static str, String)>,
}

/// The columns of one row in the order of the statement, each as text or NULL. A number has all of its digits, and no
/// zeros at its end but those that the database keeps (Oracle's NUMBER keeps none).
pub type Row = Vec<Option<String>>;

/// Answers queries.
pub trait SqlStore: Send + Sync {
    /// Every row that `query` gives; `action` says in errors what it does ("read the price").
    ///
    /// Each bind of the statement must be given, and no other.
    fn rows(
        &self,
        invocation: &Invocation,
        action: &'static str,
        query: Query,
    ) -> impl Future<Output = Result<Vec<Row>, StoreError>> + Send;
}

impl Query {
    /// The statement `text`, in which a value is written `:name`.
    pub fn new(text: &'static str) -> Self {
        Self { text, binds: Vec::new() }
    }

    /// Gives the value that `:name` stands for; `name` comes without its colon.
    #[must_use]
    pub fn bind(mut self, name: &'static str, value: &str) -> Self {
        self.binds.push((name, value.to_owned()));
        self
    }

    /// The statement.
    pub fn text(&self) -> &'static str {
        self.text
    }

    /// Value by name.
    pub fn binds(&self) -> &[(&'static str, String)] {
        &self.binds
    }
}
