//! What a function is linked with, and its bill of materials: CycloneDX 1.6 as JSON. No time and no random serial
//! number: two builds of one commit give the same bytes.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::model::{canonical, digest::Digest, names::FunctionName};

/// A package in one version. Two of the same name and version cannot be in one resolution.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PackageName {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl PackageName {
    /// The package URL (purl-spec, type `cargo`). A version's build metadata has a `+`, which must be escaped there.
    #[must_use]
    pub fn purl(&self) -> String {
        format!("pkg:cargo/{}@{}", self.name, self.version.replace('+', "%2B"))
    }
}

impl std::fmt::Display for PackageName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.name, self.version)
    }
}

/// A package that is linked into a function.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Package {
    /// What its archive in the registry hashes to, as the lock file says; `None` for a member of the workspace.
    pub checksum: Option<Digest>,
    /// Whether it comes from outside of the workspace.
    pub external: bool,
    /// Its licence, as its author wrote it.
    pub license: Option<String>,
    /// The features that it is built with.
    pub features: BTreeSet<String>,
    /// What it is linked with itself.
    pub dependencies: BTreeSet<PackageName>,
}

/// Everything that one function is linked with, itself included.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Linked(pub BTreeMap<PackageName, Package>);

/// The name of a function's bill of materials in its box.
#[must_use]
pub fn object_name(function: &FunctionName) -> String {
    format!("sbom/{function}.cdx.json")
}

/// The bill of materials of a function, as bytes of JSON. `artifact` is what its zip hashes to.
///
/// # Errors
/// If it has no JSON form.
pub fn bill(function: &FunctionName, linked: &Linked, artifact: Digest) -> Result<Vec<u8>, serde_json::Error> {
    let own = linked.0.keys().find(|package| package.name == function.as_str());
    let reference = |package: &PackageName| match linked.0.get(package) {
        Some(found) if found.external => package.purl(),
        _ => package.to_string(),
    };
    let components = linked.0.iter().filter(|(package, _)| Some(*package) != own);
    let components: Vec<Value> = components.map(|(name, package)| component(name, package, reference(name))).collect();
    let mut dependencies = linked.0.iter().map(|(name, package)| {
        let on: BTreeSet<String> = package.dependencies.iter().map(reference).collect();
        (reference(name), json!({ "ref": reference(name), "dependsOn": on }))
    });
    let dependencies: BTreeMap<String, Value> = dependencies.by_ref().collect();
    canonical::to_vec(&json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": own.map_or_else(|| function.to_string(), reference),
                "name": function,
                "version": own.map(|own| own.version.as_str()).unwrap_or_default(),
                "hashes": [{ "alg": "SHA-256", "content": artifact.hex() }],
            },
        },
        "components": components,
        "dependencies": dependencies.into_values().collect::<Vec<_>>(),
    }))
}

/// The packages from outside of the workspace that a bill lists.
///
/// # Errors
/// Why it is no such bill.
pub fn packages(bytes: &[u8]) -> Result<BTreeSet<PackageName>, String> {
    #[derive(Deserialize)]
    struct Bill {
        components: Vec<Component>,
    }
    #[derive(Deserialize)]
    struct Component {
        name: String,
        version: String,
        purl: Option<String>,
    }
    let bill: Bill = serde_json::from_slice(bytes).map_err(|error| format!("it is no bill of materials: {error}"))?;
    let external = bill.components.into_iter().filter(|component| component.purl.is_some());
    Ok(external.map(|Component { name, version, .. }| PackageName { name, version }).collect())
}

fn component(name: &PackageName, package: &Package, reference: String) -> Value {
    let mut component = json!({
        "type": "library",
        "bom-ref": reference,
        "name": name.name,
        "version": name.version,
        "scope": "required",
    });
    let mut set = |key: &str, value: Value| {
        if let Some(fields) = component.as_object_mut() {
            fields.insert(key.to_owned(), value);
        }
    };
    if package.external {
        set("purl", name.purl().into());
    }
    if let Some(checksum) = package.checksum {
        set("hashes", json!([{ "alg": "SHA-256", "content": checksum.hex() }]));
    }
    if let Some(license) = &package.license {
        // Packages from before SPDX expressions were asked for part their licences with a slash.
        set("licenses", json!([{ "expression": license.replace('/', " OR ") }]));
    }
    if !package.features.is_empty() {
        let features = package.features.iter().map(|f| json!({ "name": "cargo:feature", "value": f }));
        set("properties", features.collect());
    }
    component
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bill_names_everything_that_is_linked() {
        let name = |name: &str, version: &str| PackageName { name: name.to_owned(), version: version.to_owned() };
        let (own, common, serde) = (name("alpha", "0.1.0"), name("common", "0.1.0"), name("serde", "1.0.2+old"));
        let package = |on: &[&PackageName]| Package {
            dependencies: on.iter().map(|name| (*name).clone()).collect(),
            ..Package::default()
        };
        let external = Package {
            checksum: Some(Digest::of(b"serde")),
            external: true,
            license: Some("MIT/Apache-2.0".to_owned()),
            features: BTreeSet::from(["std".to_owned()]),
            ..Package::default()
        };
        let linked = Linked(BTreeMap::from([
            (own.clone(), package(&[&common, &serde])),
            (common, package(&[&serde])),
            (serde, external),
        ]));
        let bytes = bill(&"alpha".parse().unwrap(), &linked, Digest::of(b"zip")).unwrap();
        let bill: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(bill["metadata"]["component"]["bom-ref"], "alpha@0.1.0");
        let names: Vec<_> = bill["components"].as_array().unwrap().iter().map(|c| c["bom-ref"].as_str()).collect();
        assert_eq!(names, [Some("common@0.1.0"), Some("pkg:cargo/serde@1.0.2%2Bold")]);
        assert_eq!(bill["components"][1]["licenses"], json!([{ "expression": "MIT OR Apache-2.0" }]));
        assert_eq!(bill["components"][0].get("purl"), None);
        let outside = packages(&bytes).unwrap().into_iter().map(|package| package.to_string()).collect::<Vec<_>>();
        assert_eq!(outside, ["serde@1.0.2+old"]);
        assert!(packages(b"{}").is_err());
        assert_eq!(
            bill["dependencies"],
            json!([
                { "ref": "alpha@0.1.0", "dependsOn": ["common@0.1.0", "pkg:cargo/serde@1.0.2%2Bold"] },
                { "ref": "common@0.1.0", "dependsOn": ["pkg:cargo/serde@1.0.2%2Bold"] },
                { "ref": "pkg:cargo/serde@1.0.2%2Bold", "dependsOn": [] },
            ])
        );
    }
}
