//! Debuggers on this machine: whether one may attach to a process of the same user, and whether one has. It attaches none.

use std::fs;

/// Whether a debugger is attached to a process, as the kernel tells it (proc(5), `TracerPid`).
#[must_use]
pub fn is_attached(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    tracer(&status).is_some_and(|tracer| tracer != 0)
}

/// What this machine allows: `None` if a debugger may attach to any process of its own user, else what mends that. Yama knows
/// four degrees; from the first on only a parent may (the kernel's admin guide, "Yama"). Who has every capability may, too.
#[must_use]
pub fn refused() -> Option<&'static str> {
    let degree = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    let own = fs::read_to_string("/proc/self/status").unwrap_or_default();
    restricted(&degree, &own).then_some("run `sudo sysctl kernel.yama.ptrace_scope=0`")
}

fn restricted(degree: &str, own: &str) -> bool {
    let degree: u32 = degree.trim().parse().unwrap_or(0);
    degree > 0 && !(degree < 3 && may_trace(own))
}

/// Whether the effective capabilities have `CAP_SYS_PTRACE`, the nineteenth bit (capabilities(7)).
fn may_trace(own: &str) -> bool {
    let held = own.lines().find_map(|line| line.strip_prefix("CapEff:"));
    held.and_then(|text| u64::from_str_radix(text.trim(), 16).ok()).is_some_and(|held| held & (1 << 19) != 0)
}

fn tracer(status: &str) -> Option<u32> {
    status.lines().find_map(|line| line.strip_prefix("TracerPid:"))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_words_are_read() {
        assert_eq!(tracer("Name:\tsh\nTracerPid:\t0\nUid:\t0"), Some(0));
        assert_eq!(tracer("Name:\tsh\nTracerPid:\t4711\n"), Some(4711));
        assert_eq!(tracer(""), None);
        assert!(!is_attached(u32::MAX));
        let (root, user) = ("CapEff:\t000001ffffffffff\n", "CapEff:\t0000000000000000\n");
        for (degree, own, expected) in
            [("0\n", user, false), ("1\n", user, true), ("1\n", root, false), ("3\n", root, true), ("", user, false)]
        {
            assert_eq!(restricted(degree, own), expected, "{degree:?} {own:?}");
        }
    }
}
