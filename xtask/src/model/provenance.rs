//! Provenance: which commit, compiler and dependencies an artifact was made from. An in-toto statement v1 with SLSA
//! provenance v1, signed in a DSSE envelope. It holds no time: the ledger has that.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    model::{
        canonical, commit::CommitId, digest::Digest, manifest::Toolchain, names::FunctionName, sbom, version::Version,
    },
    ports::identity::Claims,
};

/// The name of the object in a box that holds every artifact's envelope, one per line.
pub const PROVENANCE: &str = "provenance.intoto.jsonl";
/// What the payload of an envelope is (in-toto's envelope layer).
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
const STATEMENT: &str = "https://in-toto.io/Statement/v1";
const PREDICATE: &str = "https://slsa.dev/provenance/v1";
/// How it is built: what `externalParameters` means.
const BUILD_TYPE: &str = "urn:xtask:build:cargo-function:v1";

/// What an artifact was made from.
#[derive(Debug, Clone)]
pub struct Origin<'a> {
    /// The release that it was built for.
    pub release: Version,
    /// The commit.
    pub commit: CommitId,
    /// Where that commit can be fetched, if the repository knows.
    pub repository: Option<&'a str>,
    /// The compiler and how it was called.
    pub toolchain: &'a Toolchain,
    /// The SHA-256 of `Cargo.lock`.
    pub lockfile: Digest,
    /// The tool and its version.
    pub tool: &'a str,
    /// The run that built it, as a CI system vouches for it; `None` where somebody's own machine built it.
    pub run: Option<&'a Claims>,
}

/// The statement about one artifact, as the bytes that are signed. What the lock file pins, and of that what is linked,
/// stands in the bill of materials, whose digest is `bill`.
///
/// # Errors
/// If it has no JSON form.
pub fn statement(
    origin: &Origin<'_>,
    function: &FunctionName,
    artifact: Digest,
    bill: Digest,
) -> Result<Vec<u8>, serde_json::Error> {
    let repository = origin.repository.map_or_else(|| "git+file:.".to_owned(), |url| format!("git+{url}"));
    let source = json!({ "uri": repository, "digest": { "gitCommit": origin.commit } });
    let lockfile = json!({ "uri": "file:Cargo.lock", "digest": { "sha256": origin.lockfile.hex() } });
    let byproduct = json!({ "name": sbom::object_name(function), "digest": { "sha256": bill.hex() } });
    let toolchain = origin.toolchain;
    let mut internal = json!({ "rustc": toolchain.rustc, "cargo": toolchain.cargo, "host": toolchain.host });
    if let Some(zig) = &toolchain.zig {
        internal["zig"] = json!(zig);
    }
    if let Some(run) = origin.run {
        internal["run"] = json!(run.claims);
    }
    canonical::to_vec(&json!({
        "_type": STATEMENT,
        "subject": [{ "name": format!("{function}.zip"), "digest": { "sha256": artifact.hex() } }],
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "function": function,
                    "commit": origin.commit,
                    "release": origin.release,
                    "profile": toolchain.profile,
                    "target": toolchain.target,
                },
                "internalParameters": internal,
                "resolvedDependencies": [source, lockfile],
            },
            "runDetails": run_details(origin, &byproduct),
        },
    }))
}

/// Who built it and in which run, by SLSA's words: on a CI system its workflow, elsewhere only this tool.
fn run_details(origin: &Origin<'_>, byproduct: &Value) -> Value {
    let claim = |name: &str| origin.run.and_then(|run| run.claims.get(name).map(|value| (&run.server, value)));
    let builder = claim("job_workflow_ref").or_else(|| claim("workflow_ref"));
    let id =
        builder.map_or_else(|| "urn:xtask:builder".to_owned(), |(server, workflow)| format!("{server}/{workflow}"));
    let mut details = json!({
        "builder": { "id": id, "version": { "xtask": origin.tool } },
        "byproducts": [byproduct],
    });
    if let (Some((server, repository)), Some((_, run))) = (claim("repository"), claim("run_id")) {
        let attempt = claim("run_attempt").map_or("1", |(_, attempt)| attempt);
        let invocation = format!("{server}/{repository}/actions/runs/{run}/attempts/{attempt}");
        details["metadata"] = json!({ "invocationId": invocation });
    }
    details
}

/// What a verified payload claims, as far as it is compared with a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The subject's name.
    pub name: String,
    /// The subject's SHA-256.
    pub sha256: Digest,
    /// The commit.
    pub commit: CommitId,
    /// The release that it was built for.
    pub release: Version,
}

/// The parts of a statement that are compared; others may say more.
#[derive(Deserialize, Serialize)]
struct Read {
    #[serde(rename = "_type")]
    statement: String,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    subject: Vec<Subject>,
    predicate: Value,
}

#[derive(Deserialize, Serialize)]
struct Subject {
    name: String,
    digest: std::collections::BTreeMap<String, String>,
}

/// Reads what a signed payload claims.
///
/// # Errors
/// Why it is no provenance of one artifact.
pub fn claim(payload: &[u8]) -> Result<Claim, String> {
    let read: Read = serde_json::from_slice(payload).map_err(|error| format!("it is no statement: {error}"))?;
    if read.statement != STATEMENT || read.predicate_type != PREDICATE {
        return Err(format!("it is a `{}` in a `{}`, not SLSA provenance v1", read.predicate_type, read.statement));
    }
    let [subject] = read.subject.as_slice() else {
        return Err(format!("it is about {} artifacts, not about one", read.subject.len()));
    };
    let sha256 = subject.digest.get("sha256").map(|hex| format!("sha256:{hex}").parse());
    let Some(Ok(sha256)) = sha256 else { return Err("its subject has no SHA-256".to_owned()) };
    let definition = read.predicate.get("buildDefinition");
    if definition.and_then(|d| d.get("buildType")) != Some(&BUILD_TYPE.into()) {
        return Err("it is of another build type".to_owned());
    }
    let parameter = |name: &str| {
        let value = definition.and_then(|d| d.get("externalParameters")).and_then(|p| p.get(name));
        value.and_then(Value::as_str).ok_or_else(|| format!("it does not tell its {name}"))
    };
    Ok(Claim {
        name: subject.name.clone(),
        sha256,
        commit: parameter("commit")?.parse().map_err(|_no_id| "its commit is none".to_owned())?,
        release: parameter("release")?.parse().map_err(|_no_version| "its release is none".to_owned())?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stated_is_read_back_and_nothing_else_is() {
        let toolchain = Toolchain {
            rustc: "rustc 1.95.0".to_owned(),
            cargo: "cargo 1.95.0".to_owned(),
            host: "x86_64-unknown-linux-gnu".to_owned(),
            target: "x86_64-unknown-linux-gnu".to_owned(),
            profile: "function".to_owned(),
            zig: None,
        };
        let commit: CommitId = "0123456789012345678901234567890123456789".parse().unwrap();
        let release: Version = "v1.2.3".parse().unwrap();
        let repository = Some("https://example.com/product.git");
        let origin = Origin {
            release,
            commit,
            repository,
            toolchain: &toolchain,
            lockfile: Digest::of(b"l"),
            tool: "xtask 1",
            run: None,
        };
        let artifact = Digest::of(b"zip");
        let bytes = statement(&origin, &"alpha".parse().unwrap(), artifact, Digest::of(b"bill")).unwrap();
        let expected = Claim { name: "alpha.zip".to_owned(), sha256: artifact, commit, release };
        assert_eq!(claim(&bytes), Ok(expected));
        let text = String::from_utf8(bytes).unwrap();
        for (from, to, words) in [
            ("slsa.dev/provenance/v1", "slsa.dev/provenance/v0", "not SLSA provenance v1"),
            ("in-toto.io/Statement/v1", "in-toto.io/Statement/v0", "not SLSA provenance v1"),
            ("\"name\":\"alpha.zip\"", "\"name\":5", "no statement"),
            ("cargo-function", "make", "another build type"),
            ("\"commit\":", "\"comet\":", "does not tell its commit"),
            ("\"subject\":[{", "\"subject\":[{\"digest\":{},\"name\":\"x\"},{", "about 2 artifacts"),
        ] {
            assert!(text.contains(from), "{from}");
            assert!(claim(text.replace(from, to).as_bytes()).unwrap_err().contains(words), "{words}");
        }
    }
}
