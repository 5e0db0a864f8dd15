//! Text that others wrote, made safe to show: a name, a comment or a function's answer must not move a terminal's cursor,
//! hide what stands before it, or look like another line.

use std::fmt::Write as _;

/// The text on one line, every character that is not shown as itself written as its escape.
#[must_use]
pub fn line(text: &str) -> String {
    escaped(text, acts)
}

/// The same, with its line feeds kept.
#[must_use]
pub fn lines(text: &str) -> String {
    escaped(text, |c| c != '\n' && acts(c))
}

/// JSON that shows itself: inside of it such characters stand in texts only, where JSON has an escape for each.
#[must_use]
pub fn json(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if acts(c) {
            // Writing to a String cannot fail.
            let _infallible = write!(plain, "\\u{:04x}", u32::from(c));
        } else {
            plain.push(c);
        }
    }
    plain
}

fn escaped(text: &str, acts: impl Fn(char) -> bool) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if acts(c) { plain.extend(c.escape_default()) } else { plain.push(c) }
    }
    plain
}

/// Whether a terminal does something else with it than show it: control characters (ECMA-48), line and paragraph
/// separators, and those that turn the direction of what follows (Unicode UAX 9).
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_itself_and_nothing_else() {
        let text = "ok\u{1b}[2K\rno\nnext\u{9b}1A\u{202e}é ✓\u{7f}";
        assert_eq!(line(text), "ok\\u{1b}[2K\\rno\\nnext\\u{9b}1A\\u{202e}é ✓\\u{7f}");
        assert_eq!(lines(text), "ok\\u{1b}[2K\\rno\nnext\\u{9b}1A\\u{202e}é ✓\\u{7f}");
        let value = serde_json::Value::String(text.to_owned());
        let written = json(&value.to_string());
        assert!(!written.chars().any(acts), "{written}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&written).unwrap(), value);
    }
}
