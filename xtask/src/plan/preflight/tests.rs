//! Each fault of an artifact in its own words, and none for what fits.

use std::collections::BTreeMap;

use super::*;
use crate::model::binary::{Leak, PackedFile};

fn sound() -> Binary {
    let program = Executable {
        machine: "x86_64".to_owned(),
        startable: Ok(()),
        loader: Some("/lib64/ld-linux-x86-64.so.2".to_owned()),
        libraries: vec!["libc.so.6".to_owned(), "libgcc_s.so.1".to_owned()],
        glibc: BTreeMap::from([(Glibc(vec![2, 34]), BTreeSet::from(["__libc_start_main".to_owned()]))]),
    };
    let bootstrap = PackedFile { name: "bootstrap".to_owned(), mode: Some(0o100_755), size: 1000 };
    Binary { files: vec![bootstrap], packed: 500, executable: Some(Ok(program)), leaks: Vec::new() }
}

fn judged(binary: &Binary, here: bool) -> Vec<(bool, String)> {
    let function = "price-fetcher".parse().unwrap();
    let (runtime, libraries) = (provided_al2023(), BTreeSet::from(["libclntsh.so.23.1".to_owned()]));
    let wanted = Wanted {
        function: &function,
        architecture: Architecture::X86_64,
        runtime: &runtime,
        libraries: &libraries,
        layers: 0,
        lacking: &BTreeSet::new(),
        here,
    };
    judge(&wanted, binary).into_iter().map(|problem| (problem.fatal, problem.to_string())).collect()
}

fn with(change: impl FnOnce(&mut Binary, &mut Executable)) -> Binary {
    let mut binary = sound();
    let Some(Ok(mut program)) = binary.executable.take() else { unreachable!() };
    binary.executable = None;
    change(&mut binary, &mut program);
    if binary.executable.is_none() && binary.files.iter().any(|file| file.name == "bootstrap") {
        binary.executable = Some(Ok(program));
    }
    binary
}

#[test]
fn what_fits_is_not_talked_about() {
    assert_eq!(judged(&sound(), false), []);
    let layered = with(|_, program| program.libraries.push("libclntsh.so.23.1".to_owned()));
    assert_eq!(judged(&layered, false), []);
    let still = with(|_, program| (program.loader, program.libraries) = (None, Vec::new()));
    assert_eq!(judged(&still, false), []);
}

#[test]
fn each_fault_has_its_own_words() {
    type Fault = fn(&mut Binary, &mut Executable);
    let cases: [(Fault, &str); 12] = [
        (|_, p| p.machine = "aarch64".to_owned(), "made for aarch64, the function is declared for x86_64"),
        (|_, p| p.loader = Some("/lib/ld-musl-x86_64.so.1".to_owned()), "asks for the loader /lib/ld-musl-x86_64.so.1"),
        (|_, p| p.startable = Err("it has no entry point: it is a shared library".to_owned()), "no entry point"),
        (|b, _| b.executable = Some(Err("it is no ELF file".to_owned())), "cannot be started: it is no ELF file"),
        (|b, _| b.files[0].mode = Some(0o100_644), "has mode 0644"),
        (|b, _| b.files[0].mode = Some(0o120_777), "is no plain file"),
        (
            |b, _| b.files[0].name = "price-fetcher".to_owned(),
            "no `bootstrap` at the root of the zip, only price-fetcher",
        ),
        (|b, _| b.files[0].name = "bin/bootstrap".to_owned(), "only bin/bootstrap"),
        (|b, _| b.files.push(b.files[0].clone()), "more than one `bootstrap`"),
        (|b, _| b.files[0].size = LARGEST + 1, "262144001 bytes unpacked (500 packed), and Lambda takes 262144000"),
        (
            |b, _| {
                b.leaks.push(Leak { what: "an AWS access key".to_owned(), shown: "AKIAABCD…".to_owned(), offset: 7 })
            },
            "holds an AWS access key at byte 7: AKIAABCD…; take it out of the source, and out of use",
        ),
        (
            |b, _| {
                b.leaks.push(Leak {
                    what: "a path of the building machine".to_owned(),
                    shown: "/a/b".to_owned(),
                    offset: 9,
                })
            },
            "holds a path of the building machine at byte 9: /a/b; take `env!`",
        ),
    ];
    for (fault, words) in cases {
        for here in [false, true] {
            let found = judged(&with(fault), here);
            assert_eq!(found.len(), 1, "{words}: {found:?}");
            assert!(found[0].0 && found[0].1.contains(words) && found[0].1.starts_with("price-fetcher: "), "{found:?}");
        }
    }
}

/// On this machine this machine's libraries count, so that what Lambda lacks is a warning there.
#[test]
fn what_lambda_lacks_is_a_warning_where_nothing_runs_on_lambda() {
    let new = with(|_, program| {
        program.glibc.insert(Glibc(vec![2, 39]), BTreeSet::from(["pidfd_spawnp".to_owned()]));
        program.glibc.insert(Glibc(vec![2, 38]), BTreeSet::from(["__isoc23_strtol".to_owned()]));
    });
    let library = with(|_, program| program.libraries.push("libssl.so.3".to_owned()));
    for (here, fatal) in [(false, true), (true, false)] {
        let found = judged(&new, here);
        assert_eq!((found.len(), found[0].0), (1, fatal));
        let words =
            "needs glibc 2.39, provided.al2023 has 2.34: __isoc23_strtol (2.38), pidfd_spawnp (2.39); set `build.glibc";
        assert!(found[0].1.contains(words), "{found:?}");
        let found = judged(&library, here);
        assert_eq!((found.len(), found[0].0), (1, fatal));
        assert!(found[0].1.contains("needs the library libssl.so.3"), "{found:?}");
    }
}
