//! The repository as the toolchain sees it, against the real `git`.

mod cases;
mod histories;
mod history;
mod plans;
mod random;
mod status;
mod tag;
