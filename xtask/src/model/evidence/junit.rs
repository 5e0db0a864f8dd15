//! Reads JUnit's XML. There is no standard, so what a report declares and what it lists are both counted, and the worse
//! of the two stands: a report cannot talk a failing test away.

use quick_xml::{
    Reader,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
};

use crate::model::evidence::TestSummary;

/// The longest report that is read, in bytes.
const LONGEST: usize = 32 * 1024 * 1024;
/// The deepest nesting that is read; real reports have a handful of levels.
const DEEPEST: usize = 64;

/// Why a file is not a JUnit report.
#[derive(Debug, thiserror::Error)]
pub enum JunitError {
    /// Too long.
    #[error("the report has {0} bytes; at most {LONGEST} are read")]
    Long(usize),
    /// Not UTF-8.
    #[error("the report is not UTF-8")]
    Encoding(#[from] std::str::Utf8Error),
    /// Not well-formed.
    #[error("the report is not well-formed XML")]
    Xml(#[from] quick_xml::Error),
    /// An attribute is not well-formed.
    #[error("the report is not well-formed XML")]
    Attribute(#[from] quick_xml::events::attributes::AttrError),
    /// Well-formed, but no report of tests.
    #[error("the file is no JUnit report: {0}")]
    Form(String),
}

/// What a JUnit report says.
///
/// # Errors
/// If the bytes are not one complete JUnit report, or use what such a report has no use for: a document type, entities.
pub fn junit(bytes: &[u8]) -> Result<TestSummary, JunitError> {
    if bytes.len() > LONGEST {
        return Err(JunitError::Long(bytes.len()));
    }
    let text = std::str::from_utf8(bytes)?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut report = Report::default();
    loop {
        match reader.read_event()? {
            Event::Start(start) => report.open(&start)?,
            Event::Empty(start) => {
                report.open(&start)?;
                report.close();
            }
            Event::End(_) => report.close(),
            Event::DocType(_) => return Err(form("it has a document type, which this tool does not read")),
            Event::GeneralRef(entity) => {
                let name: &str = &entity;
                if !name.starts_with('#') && resolve_predefined_entity(name).is_none() {
                    return Err(form(format!("it refers to the entity `{}`", short(name))));
                }
            }
            Event::Text(text) if report.open.is_empty() && !text.trim().is_empty() => {
                return Err(form("it has text outside of its root"));
            }
            Event::CData(_) if report.open.is_empty() => return Err(form("it has text outside of its root")),
            Event::Eof => return report.end(),
            Event::Text(_) | Event::CData(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
}

fn form(text: impl Into<String>) -> JunitError {
    JunitError::Form(text.into())
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

/// The elements that are open, and the root's numbers once it is closed.
#[derive(Default)]
struct Report {
    open: Vec<Element>,
    root: Option<TestSummary>,
}

enum Element {
    /// A suite, or the suites: what it declares and what is inside of it.
    Suite { declared: TestSummary, listed: TestSummary },
    /// A test case: what became of it.
    Case(TestSummary),
    /// Anything else.
    Other,
}

impl Report {
    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), JunitError> {
        if self.open.len() == DEEPEST {
            return Err(form(format!("its elements are nested deeper than {DEEPEST}")));
        }
        // Broken attributes are an error even where nobody reads them.
        for attribute in start.attributes() {
            attribute?;
        }
        let local = start.local_name();
        let name = local.as_ref();
        let element = match (name, self.open.last_mut()) {
            ("testsuites" | "testsuite", None) if self.root.is_none() => suite(start)?,
            (_, None) => return Err(form(format!("its root is `{}`", short(name)))),
            ("testsuite", Some(Element::Suite { .. })) => suite(start)?,
            ("testcase", Some(Element::Suite { .. })) => {
                // googletest marks a disabled test in no other way.
                let skipped = u64::from(text(start, "status")?.is_some_and(|status| status == "notrun"));
                Element::Case(TestSummary { tests: 1, skipped, ..TestSummary::default() })
            }
            ("testcase" | "testsuite" | "testsuites", Some(_)) => {
                return Err(form(format!("a `{name}` stands where none belongs")));
            }
            // One case counts once, however many of its assertions failed.
            ("failure", Some(Element::Case(case))) => outcome(&mut case.failures),
            ("error", Some(Element::Case(case))) => outcome(&mut case.errors),
            ("skipped", Some(Element::Case(case))) => outcome(&mut case.skipped),
            // A suite that broke before its first case.
            ("failure" | "error", Some(Element::Suite { listed, .. })) => {
                listed.errors += 1;
                Element::Other
            }
            _ => Element::Other,
        };
        self.open.push(element);
        Ok(())
    }

    fn close(&mut self) {
        let summary = match self.open.pop() {
            Some(Element::Suite { declared, listed }) => worse(declared, listed),
            Some(Element::Case(case)) => case,
            Some(Element::Other) | None => return,
        };
        match self.open.last_mut() {
            Some(Element::Suite { listed, .. }) => *listed = sum(*listed, summary),
            Some(_) => {}
            None => self.root = Some(summary),
        }
    }

    fn end(self) -> Result<TestSummary, JunitError> {
        match self.root {
            Some(summary) if self.open.is_empty() => Ok(summary),
            Some(_) | None if !self.open.is_empty() => Err(form("it is cut off: its root does not end")),
            _ => Err(form("it is empty")),
        }
    }
}

fn outcome(count: &mut u64) -> Element {
    *count = 1;
    Element::Other
}

fn suite(start: &BytesStart<'_>) -> Result<Element, JunitError> {
    let declared = TestSummary {
        tests: number(start, "tests")?,
        failures: number(start, "failures")?,
        errors: number(start, "errors")?,
        skipped: number(start, "skipped")? + number(start, "disabled")?,
    };
    Ok(Element::Suite { declared, listed: TestSummary::default() })
}

/// A count that is not declared is 0: then what is listed stands.
fn number(start: &BytesStart<'_>, name: &str) -> Result<u64, JunitError> {
    let Some(text) = text(start, name)? else { return Ok(0) };
    let count = text.trim().parse::<u32>();
    count.map(u64::from).map_err(|_not_a_count| form(format!("`{name}` is `{}`, which is no count", short(&text))))
}

fn text(start: &BytesStart<'_>, name: &str) -> Result<Option<String>, JunitError> {
    let found = start.try_get_attribute(name)?;
    Ok(found.map(|attribute| attribute.value.into_owned()))
}

fn worse(one: TestSummary, other: TestSummary) -> TestSummary {
    both(one, other, u64::max)
}

fn sum(one: TestSummary, other: TestSummary) -> TestSummary {
    both(one, other, u64::saturating_add)
}

fn both(one: TestSummary, other: TestSummary, join: fn(u64, u64) -> u64) -> TestSummary {
    TestSummary {
        tests: join(one.tests, other.tests),
        failures: join(one.failures, other.failures),
        errors: join(one.errors, other.errors),
        skipped: join(one.skipped, other.skipped),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// tests, failures, errors, skipped
    fn read(text: &str) -> (u64, u64, u64, u64) {
        let summary = junit(text.as_bytes()).unwrap();
        (summary.tests, summary.failures, summary.errors, summary.skipped)
    }

    #[test]
    fn counts_what_is_listed_and_what_is_declared_and_keeps_the_worse() {
        let cases = [
            (
                r#"<?xml version="1.0" encoding="UTF-8"?><testsuite><testcase name="a"/><testcase/></testsuite>"#,
                (2, 0, 0, 0),
            ),
            (
                "<testsuites><testsuite><testcase><failure/></testcase></testsuite><testsuite><testcase/></testsuite></testsuites>",
                (2, 1, 0, 0),
            ),
            // Declared only; nested suites whose parent counts them, and one that does not say.
            (r#"<testsuites tests="3" failures="0" errors="0" skipped="1"/>"#, (3, 0, 0, 1)),
            (
                r#"<testsuite tests="3"><testsuite tests="2"><testcase/><testcase/></testsuite><testcase/></testsuite>"#,
                (3, 0, 0, 0),
            ),
            ("<testsuite><testsuite><testcase><error/></testcase></testsuite><testcase/></testsuite>", (2, 0, 1, 0)),
            // A lie in either direction.
            (r#"<testsuite tests="1" failures="0"><testcase><failure/></testcase></testsuite>"#, (1, 1, 0, 0)),
            (r#"<testsuites failures="1"><testsuite tests="1"><testcase/></testsuite></testsuites>"#, (1, 1, 0, 0)),
            // Several failures of one case, output that looks like XML, a retry that passed, a suite that broke.
            ("<testsuite><testcase><failure>a &lt; b &#10;</failure><failure/></testcase></testsuite>", (1, 1, 0, 0)),
            (
                "<testsuite><testcase><system-out><![CDATA[<failure/>]]></system-out></testcase></testsuite>",
                (1, 0, 0, 0),
            ),
            ("<testsuite><testcase><flakyFailure/></testcase></testsuite>", (1, 0, 0, 0)),
            ("<testsuite><error/></testsuite>", (0, 0, 1, 0)),
            (r#"<testsuite disabled="1"><testcase status="notrun"/></testsuite>"#, (1, 0, 0, 1)),
            ("<!-- x --><j:testsuite xmlns:j='u'><j:testcase><j:skipped/></j:testcase></j:testsuite>\n", (1, 0, 0, 1)),
            ("\u{feff}<testsuite/>", (0, 0, 0, 0)),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn only_tests_that_ran_and_passed_are_success() {
        let summary = |tests, failures, errors, skipped| TestSummary { tests, failures, errors, skipped };
        assert!(summary(2, 0, 0, 1).success());
        for no in [summary(0, 0, 0, 0), summary(2, 0, 0, 2), summary(2, 1, 0, 0), summary(2, 0, 1, 0)] {
            assert!(!no.success(), "{no:?}");
        }
    }

    #[test]
    fn what_is_no_whole_report_is_an_error() {
        let deep = "<testsuite>".repeat(DEEPEST + 1);
        let bomb =
            r#"<!DOCTYPE t [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><testsuite><testcase>&b;</testcase></testsuite>"#;
        for (text, why) in [
            ("", "it is empty"),
            ("<!-- nothing -->", "it is empty"),
            ("hello", "text outside"),
            ("<html/>", "its root is `html`"),
            ("<testcase/>", "its root is `testcase`"),
            ("<testsuite>", "cut off"),
            ("<testsuite><testcase>", "cut off"),
            ("<testsuite></testcase>", "not well-formed"),
            ("<testsuite/><testsuite/>", "its root is `testsuite`"),
            ("<testsuite/>tail", "text outside"),
            ("<testsuite tests='many'/>", "`tests` is `many`"),
            ("<testsuite tests='-1'/>", "`tests` is `-1`"),
            ("<testsuite tests='99999999999'/>", "no count"),
            ("<testsuite tests='1' tests='2'/>", "not well-formed"),
            ("<testsuite tests=1/>", "not well-formed"),
            ("<testsuite><properties><testcase/></properties></testsuite>", "where none belongs"),
            ("<testsuite><testcase>&passwords;</testcase></testsuite>", "the entity `passwords`"),
            (bomb, "document type"),
            (&deep, "nested deeper"),
        ] {
            let error = junit(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
        assert!(matches!(junit(b"\xff\xfe<"), Err(JunitError::Encoding(_))));
        assert!(matches!(junit(&vec![b' '; LONGEST + 1]), Err(JunitError::Long(_))));
    }
}
