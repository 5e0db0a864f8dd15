//! What differs between two releases: computed from their manifests alone, so that it can be told years later and from
//! the second region.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::model::{
    configuration::Configuration,
    digest::Digest,
    manifest::{Change, Manifest},
    names::{EnvName, FunctionName},
    version::Version,
};

/// The difference between two releases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// The older one.
    pub from: Version,
    /// The newer one.
    pub to: Version,
    /// The commits in between, newest first.
    pub commits: Vec<Change>,
    /// Functions whose code differs, or that only one of them has.
    pub functions: BTreeMap<FunctionName, Changed<Digest>>,
    /// Declared configuration that differs.
    pub configuration: Vec<ConfigurationChange>,
    /// Packages whose versions differ.
    pub dependencies: BTreeMap<String, Changed<BTreeSet<String>>>,
    /// The compiler, if it differs.
    pub rustc: Option<Changed<String>>,
}

/// Before and after; `None` where it was not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed<T> {
    /// In the older release.
    pub from: Option<T>,
    /// In the newer release.
    pub to: Option<T>,
}

/// One function's declared configuration in one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfigurationChange {
    /// The function.
    pub function: FunctionName,
    /// The environment.
    pub environment: EnvName,
    /// The configuration.
    #[serde(flatten)]
    pub changed: Changed<Configuration>,
}

/// Compares two releases. `between` are the manifests after `from` up to and with `to`, in any order.
#[must_use]
pub fn diff(from: &Manifest, to: &Manifest, between: &[Manifest]) -> Diff {
    let mut manifests: Vec<&Manifest> = between.iter().collect();
    manifests.sort_by_key(|manifest| std::cmp::Reverse(manifest.release));
    let code = |manifest: &Manifest| {
        let sealed = manifest
            .functions
            .iter()
            .filter_map(|(name, function)| Some((name.clone(), manifest.objects.get(&function.artifact)?.sha256)));
        sealed.collect::<BTreeMap<_, _>>()
    };
    Diff {
        from: from.release,
        to: to.release,
        commits: manifests.iter().flat_map(|manifest| manifest.changes.clone()).collect(),
        functions: changed(&code(from), &code(to)),
        configuration: changed(&configurations(from), &configurations(to))
            .into_iter()
            .map(|((function, environment), changed)| ConfigurationChange { function, environment, changed })
            .collect(),
        dependencies: changed(&from.dependencies, &to.dependencies),
        rustc: (from.toolchain.rustc != to.toolchain.rustc)
            .then(|| Changed { from: Some(from.toolchain.rustc.clone()), to: Some(to.toolchain.rustc.clone()) }),
    }
}

fn configurations(manifest: &Manifest) -> BTreeMap<(FunctionName, EnvName), Configuration> {
    let all = manifest.functions.iter().flat_map(|(name, function)| {
        function.configuration.iter().map(|(env, configuration)| ((name.clone(), env.clone()), configuration.clone()))
    });
    all.collect()
}

fn changed<K: Ord + Clone, V: PartialEq + Clone>(
    from: &BTreeMap<K, V>,
    to: &BTreeMap<K, V>,
) -> BTreeMap<K, Changed<V>> {
    let keys: BTreeSet<&K> = from.keys().chain(to.keys()).collect();
    let differing = keys.into_iter().filter(|key| from.get(*key) != to.get(*key));
    differing.map(|key| (key.clone(), Changed { from: from.get(key).cloned(), to: to.get(key).cloned() })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_told() {
        let from = BTreeMap::from([("a", 1), ("b", 1), ("c", 1)]);
        let to = BTreeMap::from([("a", 1), ("b", 2), ("d", 1)]);
        let told: Vec<_> = changed(&from, &to).into_iter().map(|(key, c)| (key, c.from, c.to)).collect();
        assert_eq!(told, [("b", Some(1), Some(2)), ("c", Some(1), None), ("d", None, Some(1))]);
    }
}
