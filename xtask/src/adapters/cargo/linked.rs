//! What each function is linked with, as cargo resolves features for the functions alone. Its metadata would not do: they
//! tell the features of the whole workspace at once, and with them dependencies that no function has.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use cargo_metadata::Metadata;
use serde::Deserialize;

use crate::model::{
    names::FunctionName,
    sbom::{Linked, Package, PackageName},
};

/// How `cargo tree` is asked: normal edges only, as build scripts and procedural macros run on the building machine, and
/// each line with its depth, so that the graph can be read back.
pub(super) const TREE: [&str; 10] = [
    "--edges",
    "normal,no-proc-macro",
    "--prefix",
    "depth",
    "--format",
    " {p}|{f}",
    "--charset",
    "ascii",
    "--color",
    "never",
];

/// `Cargo.lock`, of which only the checksums count here.
#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    checksum: Option<String>,
}

/// Reads what `cargo tree` wrote about these functions.
///
/// # Errors
/// If a line is not of the form that was asked for, or the lock file is none.
pub(super) fn read(
    tree: &str,
    lockfile: &str,
    metadata: &Metadata,
    functions: &[FunctionName],
) -> anyhow::Result<BTreeMap<FunctionName, Linked>> {
    let lock: Lock = toml::from_str(lockfile).context("failed to read Cargo.lock")?;
    let mut graph = graph(tree)?;
    for (name, package) in &mut graph {
        let locked = lock.package.iter().find(|locked| (&locked.name, &locked.version) == (&name.name, &name.version));
        let checksum = locked.and_then(|locked| locked.checksum.as_ref());
        package.checksum = checksum.map(|hex| format!("sha256:{hex}").parse()).transpose()?;
        let known =
            metadata.packages.iter().find(|p| p.name.as_str() == name.name && p.version.to_string() == name.version);
        let known = known.with_context(|| format!("cargo's metadata do not know {name}"))?;
        package.external = known.source.is_some();
        package.license = known.license.clone();
    }
    functions.iter().map(|function| Ok((function.clone(), from(&graph, function)?))).collect()
}

/// The whole graph. Where a package comes up again (`(*)`), what is below it stands at its first place.
fn graph(tree: &str) -> anyhow::Result<BTreeMap<PackageName, Package>> {
    let mut graph: BTreeMap<PackageName, Package> = BTreeMap::new();
    let mut above: Vec<PackageName> = Vec::new();
    for line in tree.lines().filter(|line| !line.trim().is_empty()) {
        let (depth, name, features) = parse(line).with_context(|| format!("cargo tree wrote `{line}`"))?;
        if depth > above.len() {
            bail!("cargo tree wrote `{line}` below nothing");
        }
        above.truncate(depth);
        if let Some(parent) = above.last().and_then(|parent| graph.get_mut(parent)) {
            parent.dependencies.insert(name.clone());
        }
        let features = features.split(',').filter(|feature| !feature.is_empty()).map(str::to_owned);
        graph.entry(name.clone()).or_default().features.extend(features);
        above.push(name);
    }
    Ok(graph)
}

/// `<depth> <name> v<version>[ (<where>)]|<features>[ (*)]`.
fn parse(line: &str) -> Option<(usize, PackageName, &str)> {
    let (depth, rest) = line.split_once(' ')?;
    let (package, features) = rest.rsplit_once('|')?;
    let mut words = package.split(' ');
    let (name, version) = (words.next()?.to_owned(), words.next()?.strip_prefix('v')?.to_owned());
    Some((depth.parse().ok()?, PackageName { name, version }, features.trim_end_matches(" (*)")))
}

/// What is reached from a function's own package.
fn from(graph: &BTreeMap<PackageName, Package>, function: &FunctionName) -> anyhow::Result<Linked> {
    let own = graph.keys().find(|package| package.name == function.as_str());
    let own = own.with_context(|| format!("cargo tree does not tell what {function} is linked with"))?;
    let (mut open, mut linked) = (vec![own.clone()], BTreeMap::new());
    while let Some(name) = open.pop() {
        let Some(package) = graph.get(&name).filter(|_| !linked.contains_key(&name)) else { continue };
        open.extend(package.dependencies.iter().cloned());
        linked.insert(name, package.clone());
    }
    Ok(Linked(linked))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_read_back_as_the_graph_that_it_shows() {
        let tree = "0 alpha v0.1.0 (/home/ada/my project/alpha)|\n1 serde v1.0.2|default,std\n2 core v2.0.0|\n\
                    1 zlib v1.3.0 (https://example.com/zlib?rev=1#abc)|\n\n\
                    0 beta v0.1.0 (/x)|\n1 serde v1.0.2|default,std (*)\n1 base v0.1.0 (/y)|a\n2 core v2.0.0|\n";
        let graph = graph(tree).unwrap();
        let show = |function: &str| {
            let linked = from(&graph, &function.parse().unwrap()).unwrap();
            linked.0.keys().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(show("alpha"), "alpha@0.1.0 core@2.0.0 serde@1.0.2 zlib@1.3.0");
        assert_eq!(show("beta"), "base@0.1.0 beta@0.1.0 core@2.0.0 serde@1.0.2");
        let serde = &graph[&PackageName { name: "serde".to_owned(), version: "1.0.2".to_owned() }];
        assert_eq!(serde.features.iter().map(String::as_str).collect::<Vec<_>>(), ["default", "std"]);
    }
}
