//! What an ELF file says of itself.

use std::collections::{BTreeMap, BTreeSet};

use object::{
    Endianness, SymbolIndex, elf,
    read::elf::{ElfFile64, FileHeader as _, ProgramHeader as _, Sym as _},
};

use crate::model::binary::{Executable, Glibc};

/// Reads an executable; the error says why it is none.
pub(super) fn read(bytes: &[u8]) -> Result<Executable, String> {
    if !bytes.starts_with(&elf::ELFMAG) {
        let start = bytes.iter().take(16).map(|byte| char::from(*byte).escape_default().to_string());
        return Err(format!("it is no ELF file, it begins with `{}`", start.collect::<String>()));
    }
    if bytes.get(4) != Some(&elf::ELFCLASS64.0) || bytes.get(5) != Some(&elf::ELFDATA2LSB.0) {
        return Err("it is not of 64 bits with the lower byte first".to_owned());
    }
    parse(bytes).map_err(|error| format!("it is a damaged ELF file: {error}"))
}

fn parse(bytes: &[u8]) -> object::Result<Executable> {
    let file = ElfFile64::<Endianness>::parse(bytes)?;
    let (header, endian) = (file.elf_header(), file.endian());
    let startable = match (header.e_type(endian), header.e_entry(endian)) {
        (elf::ET_EXEC | elf::ET_DYN, 0) => Err("it has no entry point: it is a shared library".to_owned()),
        (elf::ET_EXEC | elf::ET_DYN, _) => Ok(()),
        (other, _) => Err(format!("it is no program (its ELF type is {})", other.0)),
    };
    let segments = header.program_headers(endian, bytes)?;
    let mut loader = None;
    for segment in segments {
        if let Some(name) = segment.interpreter(endian, bytes)? {
            loader = Some(String::from_utf8_lossy(name).into_owned());
        }
    }
    let (mut libraries, mut glibc) = (Vec::new(), BTreeMap::<Glibc, BTreeSet<String>>::new());
    let sections = file.elf_section_table();
    if let Some((entries, strings)) = sections.dynamic(endian, bytes)? {
        let strings = sections.strings(endian, bytes, strings)?;
        for entry in entries.iter().filter(|entry| entry.d_tag.get(endian) == elf::DT_NEEDED) {
            let at = u32::try_from(entry.d_val.get(endian)).unwrap_or(u32::MAX);
            let name = strings.get(at).unwrap_or(b"?");
            libraries.push(String::from_utf8_lossy(name).into_owned());
        }
    }
    if let Some(versions) = sections.versions(endian, bytes)? {
        let symbols = sections.symbols(endian, bytes, elf::SHT_DYNSYM)?;
        for (at, symbol) in symbols.iter().enumerate() {
            if symbol.st_shndx(endian) != elf::SHN_UNDEF || symbol.st_bind() == elf::STB_WEAK {
                continue;
            }
            let version = versions.version(versions.version_index(endian, SymbolIndex(at)).index())?;
            let version = version.and_then(|version| Glibc::of_symbol(&String::from_utf8_lossy(version.name())));
            if let Some(version) = version {
                let name = String::from_utf8_lossy(symbol.name(endian, symbols.strings())?).into_owned();
                glibc.entry(version).or_default().insert(name);
            }
        }
    }
    let machine = match header.e_machine(endian) {
        elf::EM_X86_64 => "x86_64".to_owned(),
        elf::EM_AARCH64 => "aarch64".to_owned(),
        other => format!("machine {}", other.0),
    };
    Ok(Executable { machine, startable, loader, libraries, glibc })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_very_test_is_a_program_of_this_machine() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let found = read(&own).unwrap();
        assert_eq!((found.machine.as_str(), found.startable), (std::env::consts::ARCH, Ok(())));
        assert!(found.libraries.iter().any(|library| library == "libc.so.6"), "{:?}", found.libraries);
        assert!(found.glibc.values().any(|symbols| symbols.contains("malloc")), "{:?}", found.glibc);
    }

    /// Whatever is cut off or flipped: an answer, never a panic.
    #[test]
    fn damage_is_an_answer() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        for end in (0..4096).chain([own.len() / 2, own.len() - 1]) {
            drop(read(&own[..end]));
        }
        let mut flipped = own[..own.len().min(1 << 16)].to_vec();
        for at in 0..flipped.len().min(2048) {
            flipped[at] ^= 0xff;
            drop(read(&flipped));
            flipped[at] ^= 0xff;
        }
        assert!(read(b"#!/bin/sh\n").unwrap_err().contains("no ELF file, it begins with `#!/bin/sh\\n`"));
    }
}
