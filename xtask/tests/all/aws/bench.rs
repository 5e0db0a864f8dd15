//! The benchmark of handlers, small: every contestant does all of the work, on the same tables.

use camino::Utf8Path;
use serde_json::json;
use xtask::{
    adapters::{
        bench::{
            handlers::{Contestant, Load, measure},
            node, stores,
        },
        cargo::SystemCargo,
        local::host::{INIT_LIMIT, Spec},
    },
    ports::cargo::{BuildRequest, Cargo as _, Purpose},
};

use super::{OPEN, stores::root};

const LOAD: Load = Load { starts: 1, copies: 2, rounds: 3 };

/// One start, and two copies that are asked fifty times to warm up.
const ANSWERS: u64 = 1 + 2 * (50 + 3);

#[tokio::test(flavor = "multi_thread")]
async fn every_contestant_keeps_as_many_audit_items_as_it_gives_prices() {
    let (stack, folder) = (OPEN.join(), tempfile::tempdir().unwrap());
    let (caller, folder) = (stack.caller("us-east-1"), Utf8Path::from_path(folder.path()).unwrap());
    let function = "price-fetcher".parse().unwrap();
    let request = BuildRequest {
        root: root(),
        functions: std::slice::from_ref(&function),
        profile: "dev",
        target: None,
        glibc: None,
        out: &folder.join("built"),
        purpose: Purpose::Run,
    };
    let built = SystemCargo::new(&std::env::vars().collect()).build(&request, &|_| ()).unwrap();
    let task = folder.join("task");
    std::fs::create_dir_all(&task).unwrap();
    std::fs::copy(&built.artifacts[&function].executable, task.join("bootstrap")).unwrap();
    let node = node::found().unwrap().expect("Node 20 or newer: install it");
    node::bundle(&node, &root().join("infra-local/bench/node"), &folder.join("node")).unwrap();

    let event = std::fs::read(root().join("infra-local/events/price-event.json")).unwrap();
    for (name, folder) in [("ours", task.clone()), ("Node", folder.join("node/task"))] {
        let mut variables = stores::dynamodb(root(), &stack.endpoint()).await.unwrap();
        let audit = variables["TABLE_AUDIT"].clone();
        let spec = |variables| Spec {
            folder: folder.clone(),
            function: "f".parse().unwrap(),
            version: None,
            memory_mb: 256,
            timeout_s: 30,
            init_limit: INIT_LIMIT,
            variables,
        };
        let contestant = |variables| Contestant { name: name.to_owned(), spec: spec(variables), zip_bytes: 1 };
        let figures = measure(&contestant(variables.clone()), &event, LOAD).await.unwrap();
        assert!(figures.cold_us > 0 && figures.p50_us > 0 && figures.peak_mb > 0, "{figures:?}");
        assert!(figures.p50_us <= figures.p99_us && figures.p99_us <= figures.p999_us, "{figures:?}");
        let index = json!({ "TableName": audit, "Select": "COUNT" });
        let kept = caller.json("dynamodb", "DynamoDB_20120810.Scan", &index).await.unwrap();
        assert_eq!(kept["Count"], ANSWERS, "{name}");
        // Whoever gives no price is not measured.
        variables.insert("TABLE_DATA".to_owned(), "Nowhere".to_owned());
        let refused = measure(&contestant(variables), &event, LOAD).await.unwrap_err();
        assert!(format!("{refused:#}").contains("503"), "{refused:#}");
    }
}
