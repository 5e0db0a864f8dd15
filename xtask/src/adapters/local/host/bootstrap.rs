//! What a `bootstrap` file is: a program for one architecture, a script, or nothing that can be started.

use std::{
    fs::File,
    io::{ErrorKind, Read as _},
    os::unix::fs::PermissionsExt as _,
};

use camino::Utf8Path;

use super::HostError;
use crate::model::configuration::Architecture;

/// How much of the beginning of a file [`check`] wants to see.
pub const HEAD: usize = 20;

/// Whether a file that begins like this can be started on this architecture; if not, why and what to do.
///
/// A script with a `#!` line runs on any. Of an ELF program the class, byte order and machine count.
///
/// # Errors
/// The sentence for a person.
pub fn check(head: &[u8], architecture: Architecture) -> Result<(), String> {
    if head.starts_with(b"#!") {
        return Ok(());
    }
    let (true, Some(&[class, order]), Some(&machine)) = (
        head.starts_with(b"\x7fELF"),
        head.get(4..6).and_then(<[u8]>::first_chunk),
        head.get(18..20).and_then(<[u8]>::first_chunk),
    ) else {
        return Err("`bootstrap` is neither an ELF program nor a script with a `#!` line; put the built program there"
            .to_owned());
    };
    let built = match (class, order, u16::from_le_bytes(machine)) {
        (2, 1, 62) => Some(Architecture::X86_64),
        (2, 1, 183) => Some(Architecture::Arm64),
        _ => None,
    };
    let wanted = name(architecture);
    match built {
        Some(built) if built == architecture => Ok(()),
        Some(other) => {
            Err(format!("`bootstrap` is built for {}, not for {wanted}; build it for {wanted}", name(other)))
        }
        None => Err(format!("`bootstrap` is built for a machine that Lambda does not have; build it for {wanted}")),
    }
}

/// Whether this machine can start the file.
pub(super) fn check_here(program: &Utf8Path) -> Result<(), HostError> {
    let refuse = |reason: String, source| HostError::Unrunnable { bootstrap: program.to_owned(), reason, source };
    let unreadable = |error: std::io::Error| {
        let reason = match error.kind() {
            ErrorKind::NotFound => "there is no such file; put `bootstrap` at the root of the function's folder",
            _ => "the file cannot be read",
        };
        refuse(reason.to_owned(), Some(error))
    };
    let file = File::open(program).map_err(unreadable)?;
    let about = file.metadata().map_err(unreadable)?;
    if !about.is_file() || about.permissions().mode() & 0o111 == 0 {
        return Err(refuse("it is not an executable file; `chmod 755` it".to_owned(), None));
    }
    let mut head = Vec::with_capacity(HEAD);
    file.take(HEAD as u64).read_to_end(&mut head).map_err(unreadable)?;
    let here = match std::env::consts::ARCH {
        "aarch64" => Architecture::Arm64,
        _ => Architecture::X86_64,
    };
    check(&head, here).map_err(|reason| refuse(reason, None))
}

fn name(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::X86_64 => "x86_64",
        Architecture::Arm64 => "arm64",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elf(class: u8, order: u8, machine: u16) -> Vec<u8> {
        let mut head = b"\x7fELF".to_vec();
        head.extend([class, order]);
        head.resize(18, 0);
        head.extend(machine.to_le_bytes());
        head
    }

    #[test]
    fn tells_programs_by_their_machine() {
        use Architecture::{Arm64, X86_64};
        assert_eq!(check(&elf(2, 1, 62), X86_64), Ok(()));
        assert_eq!(check(&elf(2, 1, 183), Arm64), Ok(()));
        assert_eq!(check(b"#!/bin/sh\n", Arm64), Ok(()));
        assert!(check(&elf(2, 1, 183), X86_64).unwrap_err().contains("built for arm64, not for x86_64"));
        for wrong in [elf(1, 1, 62), elf(2, 2, 62), elf(2, 1, 243), b"MZ".to_vec(), b"\x7fELF".to_vec(), Vec::new()] {
            assert!(check(&wrong, X86_64).is_err(), "{wrong:?}");
        }
    }
}
