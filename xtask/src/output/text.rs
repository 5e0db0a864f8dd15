//! The few styles that are used, and how durations and times read.

use std::time::Duration;

use anstyle::{AnsiColor, Style};

/// For errors.
pub const RED: Style = AnsiColor::Red.on_default().bold();
/// For warnings.
pub const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
/// For what went well.
pub const GREEN: Style = AnsiColor::Green.on_default().bold();
/// For notes.
pub const CYAN: Style = AnsiColor::Cyan.on_default().bold();

/// A duration as people read it: `12 ms`, `3.4 s`, `2 min 05 s`.
#[must_use]
pub fn duration(took: Duration) -> String {
    let millis = took.as_millis();
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..60_000 => format!("{}.{} s", millis / 1_000, millis % 1_000 / 100),
        _ => format!("{} min {:02} s", millis / 60_000, millis % 60_000 / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    #[test]
    fn durations_read_well() {
        let read = |millis| super::duration(Duration::from_millis(millis));
        assert_eq!([read(12), read(3_456), read(125_000)], ["12 ms", "3.4 s", "2 min 05 s"]);
    }
}
