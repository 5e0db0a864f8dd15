//! The release board: what it tells, how its page is made, and how it does in a real browser.

mod browser;
mod figures;
mod golden;
mod page;
mod tale;
mod vault;
