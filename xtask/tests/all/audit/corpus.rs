//! Every object, and every kind of change to it.

use std::{
    fs,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::Vault;

/// What is done to an object: gives the name that must be found, or `None` where this cannot be done to it.
type Change = fn(&Vault, &str) -> Option<String>;

#[rustfmt::skip]
const CHANGES: &[(&str, Change)] = &[
    ("the first byte flipped", |vault, name| flip(vault, name, |_| Some(0))),
    ("a byte in the first quarter flipped", |vault, name| flip(vault, name, |bytes| Some(bytes.len() / 4))),
    ("a byte in the middle flipped", |vault, name| flip(vault, name, |bytes| Some(bytes.len() / 2))),
    ("a byte in the last quarter flipped", |vault, name| flip(vault, name, |bytes| Some(bytes.len() * 3 / 4))),
    ("the last byte flipped", |vault, name| flip(vault, name, |bytes| Some(bytes.len() - 1))),
    ("a byte of the signature flipped", |vault, name| flip(vault, name, |bytes| {
        let mark = b"BEGIN SSH SIGNATURE-----";
        Some(bytes.windows(mark.len()).position(|part| part == mark)? + mark.len() + 40)
    })),
    ("truncated by one byte", |vault, name| rewrite(vault, name, |bytes| bytes.truncate(bytes.len() - 1))),
    ("emptied", |vault, name| rewrite(vault, name, Vec::clear)),
    ("a byte appended", |vault, name| rewrite(vault, name, |bytes| bytes.push(b'\n'))),
    ("a byte put before it", |vault, name| rewrite(vault, name, |bytes| bytes.insert(0, b' '))),
    ("removed", |vault, name| { fs::remove_file(vault.path(name)).unwrap(); Some(name.to_owned()) }),
    ("renamed", |vault, name| {
        fs::rename(vault.path(name), vault.path(&format!("{name}.bak"))).unwrap();
        Some(name.to_owned())
    }),
    ("copied to another name", |vault, name| {
        let copy = format!("{name}.bak");
        vault.write(&copy, &vault.read(name));
        Some(copy)
    }),
    ("swapped with its neighbour", |vault, name| {
        let names = vault.names();
        let folder = name.rsplit_once('/')?.0;
        let next = names.iter().find(|other| other.as_str() > name && other.rsplit_once('/').unwrap().0 == folder)?;
        let (one, other) = (vault.read(name), vault.read(next));
        vault.write(name, &other);
        vault.write(next, &one);
        // Without its manifest nobody can say what else is wrong with a box.
        Some(if next.ends_with("manifest.json") { next } else { name }.to_owned())
    }),
    ("replaced by a link to its own bytes", |vault, name| {
        let outside = vault.project.local().join("outside");
        fs::rename(vault.path(name), &outside).unwrap();
        std::os::unix::fs::symlink(outside, vault.path(name)).unwrap();
        Some(name.to_owned())
    }),
    ("replaced by a folder", |vault, name| {
        fs::remove_file(vault.path(name)).unwrap();
        fs::create_dir(vault.path(name)).unwrap();
        Some(format!("{name}/"))
    }),
];

fn flip(vault: &Vault, name: &str, at: impl Fn(&[u8]) -> Option<usize>) -> Option<String> {
    let at = at(&vault.read(name))?;
    rewrite(vault, name, |bytes| bytes[at] ^= 1)
}

fn rewrite(vault: &Vault, name: &str, change: impl Fn(&mut Vec<u8>)) -> Option<String> {
    let mut bytes = vault.read(name);
    change(&mut bytes);
    vault.write(name, &bytes);
    Some(name.to_owned())
}

#[test]
fn every_kind_of_change_to_every_object_is_named() {
    let names = Vault::new().names();
    let of = |folder: &str| names.iter().filter(|name| name.starts_with(folder)).count();
    let parts = ["v1", "releases/", "environments/", "policy/", "approvals/", "evidence/"];
    assert_eq!(parts.map(of), [3 * 7, 6, 16 + 10 + 5 + 5 + 6, 3, 1 + 3 + 2, 1], "{names:?}");
    let (next, tried) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let threads = std::thread::available_parallelism().unwrap().get();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let vault = Vault::new();
                vault.is_sound();
                while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                    tried.fetch_add(every_change(&vault, name), Ordering::Relaxed);
                }
                vault.is_sound();
            });
        }
    });
    assert!(tried.into_inner() > names.len() * 14);
}

/// How many changes could be made to this object.
fn every_change(vault: &Vault, name: &str) -> usize {
    let before = crate::support::project::tree(&vault.path(""));
    let mut tried = 0;
    for (what, change) in CHANGES {
        let Some(named) = change(vault, name) else { continue };
        vault.shows(&named, &format!("{name} {what}"));
        tried += 1;
        let path = vault.path(name);
        // Whatever stands there now; a link, a folder and a file each have their own way out.
        fs::remove_file(&path).or_else(|_| fs::remove_dir(&path)).unwrap_or_default();
        fs::remove_file(vault.path(&format!("{name}.bak"))).unwrap_or_default();
        for (other, bytes) in &before {
            if fs::read(vault.path(other)).ok().as_ref() != Some(bytes) {
                vault.write(other, bytes);
            }
        }
    }
    tried
}
