//! A build without the AWS crates, asked for `--profile aws` or `local up`, starts itself again through cargo with the feature
//! `aws`: those crates take minutes to compile, and most days on a laptop need none of them.

use std::{collections::BTreeMap, ffi::OsString, io};

use crate::{adapters::cargo::again::Call, failure::Failure, ports::story::Story};

/// Set for the second start, so that there is never a third.
const MARK: &str = "XTASK_STARTED_AGAIN";

/// What cargo is asked to do, before the arguments of this process.
const RUN: [&str; 8] = ["run", "--package", "xtask", "--features", "aws", "--bin", "xtask", "--"];

/// Replaces this process by one that has what is missing here; does nothing if nothing is.
///
/// # Errors
/// Usage: the second start lacks it, too. Unfinished: cargo could not be started.
pub fn instead(
    missing: bool,
    arguments: &[OsString],
    environment: &BTreeMap<String, String>,
    story: &dyn Story,
    replace: &dyn Fn(&Call) -> io::Error,
) -> Result<(), Failure> {
    if !missing {
        return Ok(());
    }
    if environment.contains_key(MARK) {
        let text = format!(
            "cargo was asked for the feature `aws`, and what it started lacks it; \
             look at `[features]` of the package xtask, and unset {MARK} if you set it yourself"
        );
        return Err(Failure::usage(text));
    }
    let cargo = environment.get("CARGO").filter(|path| !path.is_empty());
    let call = Call {
        program: cargo.cloned().unwrap_or_else(|| "cargo".to_owned()),
        arguments: RUN.iter().map(OsString::from).chain(arguments.iter().cloned()).collect(),
        variable: (MARK.to_owned(), "1".to_owned()),
    };
    story.note(&format!(
        "this needs crates of AWS that are not in this build; starting again with `cargo {}` \
         (to compile them takes some minutes the first time)",
        RUN[..5].join(" ")
    ));
    let error = replace(&call);
    Err(Failure::unfinished(format!("failed to start `{}`", call.program), error))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::ports::story::Phase;

    #[derive(Default)]
    struct Notes(Mutex<Vec<String>>);

    impl Story for Notes {
        fn phase(&self, _name: &str) -> Box<dyn Phase> {
            unreachable!("nothing is done here")
        }

        fn note(&self, text: &str) {
            self.0.lock().unwrap().push(text.to_owned());
        }

        fn warn(&self, text: &str) {
            self.note(text);
        }
    }

    /// The calls made, the notes told, and how it ended.
    fn start(missing: bool, environment: &[(&str, &str)]) -> (Vec<Call>, Vec<String>, Result<(), Failure>) {
        let (calls, notes) = (Mutex::new(Vec::new()), Notes::default());
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let arguments = ["--profile", "aws", "status", "a b"].map(OsString::from);
        let ended = instead(missing, &arguments, &environment, &notes, &|call| {
            calls.lock().unwrap().push(call.clone());
            io::Error::from(io::ErrorKind::NotFound)
        });
        (calls.into_inner().unwrap(), notes.0.into_inner().unwrap(), ended)
    }

    #[test]
    fn starts_again_only_where_something_is_missing() {
        let (calls, notes, ended) = start(false, &[]);
        assert!(calls.is_empty() && notes.is_empty() && ended.is_ok());
    }

    #[test]
    fn hands_the_same_arguments_to_the_same_cargo_and_says_so() {
        let (calls, notes, ended) = start(true, &[("CARGO", "/opt/cargo")]);
        let arguments = calls[0].arguments.join("|".as_ref());
        assert_eq!(arguments, "run|--package|xtask|--features|aws|--bin|xtask|--|--profile|aws|status|a b");
        assert_eq!((calls.len(), calls[0].program.as_str()), (1, "/opt/cargo"));
        assert!(notes[0].contains("cargo run --package xtask --features aws"), "{notes:?}");
        let failure = ended.unwrap_err();
        assert_eq!((failure.code(), failure.to_string().as_str()), (8, "failed to start `/opt/cargo`"));
        assert_eq!(start(true, &[("CARGO", "")]).0[0].program, "cargo");
    }

    #[test]
    fn starts_again_once() {
        let first = start(true, &[]).0.remove(0);
        let (name, value) = &first.variable;
        let (calls, _, ended) = start(true, &[(name, value)]);
        assert!(calls.is_empty());
        assert_eq!(ended.unwrap_err().code(), 2);
    }
}
