//! What the functions were linked with: every package that their normal dependencies reach in this resolution.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, PackageId};

use crate::model::names::FunctionName;

/// The packages from outside of the workspace, each with the versions in use.
pub(super) fn linked(metadata: &Metadata, functions: &[FunctionName]) -> BTreeMap<String, BTreeSet<String>> {
    let Some(resolve) = &metadata.resolve else { return BTreeMap::new() };
    let nodes: BTreeMap<&PackageId, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let roots = metadata.workspace_packages().into_iter();
    let roots = roots.filter(|package| functions.iter().any(|f| f.as_str() == package.name.as_str()));
    let mut open: Vec<&PackageId> = roots.map(|package| &package.id).collect();
    let mut seen: BTreeSet<&PackageId> = open.iter().copied().collect();
    while let Some(id) = open.pop() {
        let normal = nodes.get(id).into_iter().flat_map(|node| &node.deps);
        let normal = normal.filter(|dep| dep.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal));
        open.extend(normal.map(|dep| &dep.pkg).filter(|id| seen.insert(id)));
    }
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in metadata.packages.iter().filter(|package| seen.contains(&package.id) && package.source.is_some()) {
        found.entry(package.name.to_string()).or_default().insert(package.version.to_string());
    }
    found
}
