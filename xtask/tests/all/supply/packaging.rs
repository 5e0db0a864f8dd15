//! The benchmark of packing, small: everybody packs the same, and what this tool packs is sound.

use std::process::Command;

use camino::Utf8Path;
use xtask::adapters::bench::packaging;

#[test]
fn every_contestant_packs_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8Path::from_path(folder.path()).unwrap();
    let measured = packaging::run(path, 3, 1 << 20, &|_| {}).unwrap();
    assert_eq!(measured.missing, [].into(), "install what is missing");
    let [own, unchanged, zip, zips, seven] = &measured.figures[..] else { panic!("{measured:?}") };
    assert_eq!((own.bytes, zip.bytes), (unchanged.bytes, zips.bytes));
    // A bench whose contestants packed nothing, or something else, would be won by everybody.
    for other in [zip, seven] {
        assert!(own.bytes.abs_diff(other.bytes) < own.bytes / 20, "{measured:?}");
    }
    for name in ["f000", "f001", "f002"] {
        let sound = Command::new("unzip").args(["-p", path.join(format!("own/{name}.zip")).as_str()]).output().unwrap();
        assert!(
            sound.status.success()
                && sound.stdout == std::fs::read(path.join("in").join(name).join("bootstrap")).unwrap()
        );
    }
}
