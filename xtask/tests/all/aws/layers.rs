//! Layers at a promotion: each is what was sealed, and a function that needs one has it.

use std::{io::Write as _, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::Method;
use serde_json::{Value, json};
use xtask::{
    context::Context,
    engine::facts,
    model::digest::Digest,
    ports::fleet::{Fleet as _, FleetError},
};

use super::{OPEN, fleet::fleet, rates::Street, sdk};
use crate::support::world::{Hand, code, release};

const ARN: &str = "arn:aws:lambda:us-east-1:000000000000:layer:oracle-client:3";

/// Declares the layer and gives it to the functions, or not, in a commit; the context of a fresh process reads it.
fn declared(street: &Street, unpacked: u64, given: bool) -> Context {
    let layers = if given { format!("['{ARN}']") } else { "[]".to_owned() };
    let functions = ["f000", "f001"].map(|name| format!("[functions.{name}.configuration]\nlayers = {layers}\n"));
    let text = format!(
        "schema = 1\n{}[layers.oracle-client]\nsha256 = '{}'\nunpacked = {unpacked}\nversions = ['{ARN}']\n\
         needed_where = {{ STORE = 'oracle' }}\n[[environments]]\nname = 'dev'\n\
         [profile.local]\nfunction_name = '{{function}}-{{environment}}'\n",
        functions.concat(),
        zip()
    );
    street.project.repo().write("release.toml", &text);
    street.project.commit("fix: the layer");
    let config = (*street.project.context_at(&Hand::new(), None).config).clone();
    Context { config: Arc::new(config), ..street.context.clone() }
}

/// Its digest.
fn zip() -> Digest {
    Digest::of(b"the zip of Oracle's client library")
}

fn oracle() -> Street {
    Street::with(2, &[("STORE".to_owned(), "oracle".to_owned())].into())
}

async fn refused(context: &Context, exit: u8) -> String {
    let ended = release(context).await;
    assert_eq!(code(&ended), exit, "{ended:?}");
    format!("{:#}", ended.unwrap_err())
}

#[tokio::test]
async fn a_layer_is_sealed_by_its_digest_and_looked_at_once() {
    let street = oracle();
    street.twin.publish_layer(ARN, zip());
    let version = release(&declared(&street, 90 << 20, true)).await.unwrap().release;
    let asked = street.twin.asked();
    assert_eq!(asked.iter().filter(|call| call.operation == "GetLayerVersionByArn").count(), 1);
    let (manifest, _) = facts::manifest(&street.context, version).await.unwrap();
    let sealed: Value = serde_json::to_value(&manifest.layers).unwrap();
    assert_eq!(sealed["oracle-client"]["sha256"], zip().to_string());
    assert_eq!(sealed["oracle-client"]["versions"], json!([ARN]));
}

#[tokio::test]
async fn a_layer_of_other_bytes_or_none_at_all_is_refused_before_anything_changes() {
    let street = oracle();
    let context = declared(&street, 90 << 20, true);
    let said = refused(&context, 2).await;
    assert!(said.contains(&format!("there is no {ARN}, a version of the layer `oracle-client`")), "{said}");
    street.twin.publish_layer(ARN, Digest::of(b"another zip"));
    let context = declared(&street, 90 << 20, true);
    let said = refused(&context, 5).await;
    assert!(said.contains("is not the layer `oracle-client` that was sealed"), "{said}");
    let wrote = street.twin.asked().into_iter().find(|call| !call.operation.starts_with("Get"));
    assert!(wrote.is_none(), "{wrote:?}");
}

#[tokio::test]
async fn a_function_that_needs_a_layer_is_not_promoted_without_it() {
    let street = oracle();
    street.twin.publish_layer(ARN, zip());
    // What a function that does not exist yet will be given is not known.
    release(&declared(&street, 90 << 20, false)).await.unwrap();
    street.project.improve("f001", "second");
    let said = refused(&declared(&street, 90 << 20, false), 2).await;
    assert!(said.contains("f001-dev: it has STORE=oracle and not the layer `oracle-client`"), "{said}");
    assert!(!said.contains("f000-dev"), "what stays as it is may stay: {said}");
    release(&declared(&street, 90 << 20, true)).await.unwrap();
}

#[tokio::test]
async fn layers_count_in_what_lambda_unpacks() {
    let street = oracle();
    street.twin.publish_layer(ARN, zip());
    let said = refused(&declared(&street, 250 << 20, true), 4).await;
    assert!(said.contains("bytes unpacked and its layers 262144000"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_emulator_tells_a_layers_digest_as_lambda_does() {
    let stack = OPEN.join();
    let caller = stack.caller("us-east-1");
    let mut packed = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    packed.start_file("lib/libclntsh.so.19.1", zip::write::SimpleFileOptions::default()).unwrap();
    packed.write_all(b"Oracle's").unwrap();
    let packed = packed.finish().unwrap().into_inner();
    let path = format!("2018-10-31/layers/layer-{}/versions", uuid::Uuid::now_v7().simple());
    let content = json!({ "Content": { "ZipFile": STANDARD.encode(&packed) } });
    let made = caller.rest(Method::POST, "lambda", &path, &content).await.unwrap();
    let arn = made["LayerVersionArn"].as_str().unwrap();
    let fleet = fleet(&sdk(&stack.endpoint()), "none", None);
    assert_eq!(fleet.layer(arn).await.unwrap(), Some(Digest::of(&packed)));
    let next = format!("{}:2", arn.strip_suffix(":1").unwrap());
    assert!(matches!(fleet.layer(&next).await, Err(FleetError::NotFound(_))));
}
