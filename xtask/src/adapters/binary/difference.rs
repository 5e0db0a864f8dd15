//! Where two artifacts differ, told so that a person can act on it: which section, which symbol, which bytes.

use anyhow::Context as _;
use camino::Utf8Path;
use object::{Object as _, ObjectSection as _, ObjectSymbol as _, read::File};

use super::open;

/// How many bytes around the first difference are shown.
const SHOWN: usize = 24;

/// Where a rebuilt artifact differs from the sealed one; empty if both are the same bytes.
///
/// # Errors
/// If either cannot be read.
pub fn difference(sealed: &Utf8Path, rebuilt: &Utf8Path) -> anyhow::Result<Vec<String>> {
    let read = |path: &Utf8Path| std::fs::read(path).with_context(|| format!("failed to read {path}"));
    if read(sealed)? == read(rebuilt)? {
        return Ok(Vec::new());
    }
    let (old, new) = (open(sealed)?, open(rebuilt)?);
    let mut told = Vec::new();
    if old.0 != new.0 {
        told.push("the zips hold different files, modes or sizes".to_owned());
    }
    match (old.1, new.1) {
        (Some(old), Some(new)) if old == new => {
            told.push("`bootstrap` is the same, the zip around it is not: another version of the packer".to_owned());
        }
        (Some(old), Some(new)) => told.extend(executables(&old, &new)),
        (old, new) => {
            let is = |there: Option<Vec<u8>>| if there.is_some() { "has" } else { "lacks" };
            told.push(format!("the sealed zip {} a `bootstrap`, the rebuilt one {} one", is(old), is(new)));
        }
    }
    Ok(told)
}

fn executables(old: &[u8], new: &[u8]) -> Vec<String> {
    let at = old.iter().zip(new).position(|(old, new)| old != new).unwrap_or(old.len().min(new.len()));
    let mut told = Vec::new();
    if old.len() != new.len() {
        told.push(format!("`bootstrap` was {} bytes when it was sealed, and is {} now", old.len(), new.len()));
    }
    let (before, after) = (File::parse(old), File::parse(new));
    let (Ok(before), Ok(after)) = (before, after) else {
        told.push(format!("the first difference is at byte {at}: {}", both(old, new, at)));
        return told;
    };
    // Headers hold sizes and places of everything, so the first difference that tells something is inside a section.
    let mut sections = Vec::new();
    let mut first: Option<(usize, String, u64, u64, String)> = None;
    for section in before.sections() {
        let name = section.name().unwrap_or("?");
        let (one, other) = (section.data().unwrap_or_default(), after.section_by_name(name));
        let other = other.as_ref().and_then(|section| section.data().ok()).unwrap_or_default();
        if one == other || NOTES.contains(&name) {
            continue;
        }
        let differing = one.iter().zip(other).filter(|(one, other)| one != other).count();
        sections.push(if one.len() == other.len() {
            format!("{name} ({differing} of {} bytes)", one.len())
        } else {
            format!("{name} ({} bytes, now {})", one.len(), other.len())
        });
        // Read-only data show a changed text; code only shows addresses that moved with it.
        let rank = usize::from(name != ".rodata");
        let place = one.iter().zip(other).position(|(one, other)| one != other).unwrap_or(one.len().min(other.len()));
        if first.as_ref().is_none_or(|(best, ..)| rank < *best) {
            let address = section.address() + place as u64;
            let offset = section.file_range().map_or(0, |(start, _)| start) + place as u64;
            first = Some((rank, name.to_owned(), address, offset, both(one, other, place)));
        }
    }
    for section in after.sections().filter_map(|section| section.name().ok().map(str::to_owned)) {
        if before.section_by_name(&section).is_none() {
            sections.push(format!("{section} (new)"));
        }
    }
    match first {
        Some((_, name, address, offset, bytes)) => {
            let symbol = symbol(&before, address).map(|symbol| format!(" in `{symbol}`")).unwrap_or_default();
            told.push(format!("sections that differ: {}", sections.join(", ")));
            told.push(format!("first in {name}{symbol}, at byte {offset} of `bootstrap`: {bytes}"));
        }
        None => told.push(format!("only headers differ, first at byte {at}: {}", both(old, new, at))),
    }
    told
}

/// What follows from everything else.
const NOTES: [&str; 1] = [".note.gnu.build-id"];

/// The symbol that covers an address, if the file still has symbols there.
fn symbol(file: &File<'_>, address: u64) -> Option<String> {
    let covers = |symbol: &object::read::Symbol<'_, '_>| {
        symbol.size() > 0 && (symbol.address()..symbol.address() + symbol.size()).contains(&address)
    };
    let found = file.symbols().chain(file.dynamic_symbols()).find(covers)?;
    found.name().ok().map(str::to_owned)
}

fn both(old: &[u8], new: &[u8], at: usize) -> String {
    let start = at.saturating_sub(SHOWN / 3);
    let show = |bytes: &[u8]| {
        let bytes = bytes.get(start..(at + SHOWN).min(bytes.len())).unwrap_or_default();
        bytes.iter().map(|byte| char::from(*byte).escape_default().to_string()).collect::<String>()
    };
    format!("sealed `{}`, rebuilt `{}`", show(old), show(new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_text_is_shown_with_its_place() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(executables(b"abc", b"abd"), ["the first difference is at byte 2: sealed `abc`, rebuilt `abd`"]);
        let text = b"A TEXT THAT STANDS IN THIS PROGRAM".as_slice();
        let at = own.windows(text.len()).position(|window| window == text).unwrap();
        let mut other = own.clone();
        other[at] = b'B';
        let told = executables(&own, &other);
        assert_eq!(told[0], format!("sections that differ: .rodata (1 of {} bytes)", rodata(&own)));
        assert!(told[1].contains(&format!("first in .rodata, at byte {at} of `bootstrap`")), "{told:?}");
        assert!(told[1].contains("A TEXT THAT STANDS") && told[1].contains("B TEXT THAT STANDS"), "{told:?}");
        let shorter = executables(&own, &own[..own.len() - 1]);
        assert!(shorter[0].contains(&format!("was {} bytes", own.len())), "{shorter:?}");
    }

    fn rodata(bytes: &[u8]) -> u64 {
        File::parse(bytes).unwrap().section_by_name(".rodata").unwrap().size()
    }
}
