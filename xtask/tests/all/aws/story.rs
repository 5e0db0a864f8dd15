//! The handbook's whole story through the real binary, in two regions of one emulator; and what a client that is not ours,
//! `boto3`, sees of it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::pipeline::Cloud;
use crate::support::{
    people::STAFF,
    project::{Bad, FUNCTIONS, Ran},
};

/// Prints what live is of each function: arguments are the endpoint, then `region/function`.
const LOOK: &str = "
import boto3, json, sys
seen = {}
for place in sys.argv[2:]:
    region, function = place.split('/')
    of = dict(region_name=region, endpoint_url=sys.argv[1])
    client, logs = boto3.client('lambda', **of), boto3.client('logs', **of)
    alias = client.get_alias(FunctionName=function, Name='live')
    version = client.get_function_configuration(FunctionName=function, Qualifier=alias['FunctionVersion'])
    group = logs.describe_log_groups(logGroupNamePrefix='/aws/lambda/' + function)['logGroups'][0]
    seen[function] = dict(
        version=alias['FunctionVersion'], weights=alias.get('RoutingConfig'), code=version['CodeSha256'],
        memory=version['MemorySize'], timeout=version['Timeout'], runtime=version['Runtime'], handler=version['Handler'],
        retention=group.get('retentionInDays'))
print(json.dumps(seen))
";

/// Gives a function a variable, as the infrastructure team does.
const SET_VARIABLE: &str = "
import boto3, json, sys
client = boto3.client('lambda', region_name='us-east-1', endpoint_url=sys.argv[1])
client.update_function_configuration(FunctionName=sys.argv[2], Environment=dict(Variables=dict(LEVEL='debug')))
client.get_waiter('function_updated_v2').wait(FunctionName=sys.argv[2])
print('{}')
";

/// Prints the variables of what live is.
const GET_VARIABLES: &str = "
import boto3, json, sys
client = boto3.client('lambda', region_name='us-east-1', endpoint_url=sys.argv[1])
live = client.get_function_configuration(FunctionName=sys.argv[2], Qualifier='live')
print(json.dumps(live.get('Environment', {}).get('Variables', {})))
";

/// Keeps a function's log for so many days.
const KEEP_LOG: &str = "
import boto3, sys
logs = boto3.client('logs', region_name='us-east-1', endpoint_url=sys.argv[1])
logs.put_retention_policy(logGroupName='/aws/lambda/' + sys.argv[2], retentionInDays=int(sys.argv[3]))
print('{}')
";

impl Cloud {
    fn name(&self, function: &str, environment: &str) -> String {
        format!("{}-{function}-{environment}", self.prefix)
    }

    /// What `boto3` sees of both functions in these environments.
    fn look(&self, environments: &[&str]) -> Value {
        let region = |environment: &str| if environment == "dr" { "us-west-2" } else { "us-east-1" };
        let places = environments.iter().flat_map(|environment| {
            FUNCTIONS.map(|function| format!("{}/{}", region(environment), self.name(function, environment)))
        });
        let places: Vec<String> = places.collect();
        self.stack.boto3(LOOK, &places.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn approve(&self, who: &str, environment: &str, release: &str) {
        let key = self.project.key(who);
        self.xtask(&["approve", "--to", environment, "--release", release, "--key", key.as_str()]).expect(0);
    }

    fn json(&self, args: &[&str]) -> Value {
        self.xtask(&[args, &["--json"]].concat()).expect(0).json()
    }

    async fn manifest(&self, release: &str) -> Value {
        let get = self.client.get_object().bucket(&self.primary).key(format!("{release}/manifest.json"));
        let bytes = get.send().await.unwrap().body.collect().await.unwrap().into_bytes();
        serde_json::from_slice(&bytes).unwrap()
    }

    /// What boto3 sees, what `status` says and what the manifest seals must be one.
    async fn agrees(&self, release: &str, environments: &[&str]) -> Value {
        let (seen, status, manifest) = (self.look(environments), self.json(&["status"]), self.manifest(release).await);
        for environment in environments {
            let all = status["environments"].as_array().unwrap();
            let live = &all.iter().find(|own| own["environment"] == *environment).unwrap()["live"];
            assert_eq!(live["release"], release, "{environment}");
            for function in FUNCTIONS {
                let (told, own) = (&live["functions"][function], &seen[self.name(function, environment)]);
                let artifact = manifest["functions"][function]["artifact"].as_str().unwrap();
                let sealed = manifest["objects"][artifact]["sha256"].as_str().unwrap();
                assert_eq!(
                    told["version"].to_string(),
                    own["version"].as_str().unwrap(),
                    "{environment}: {told} {own}"
                );
                assert_eq!(told["code"], sealed);
                let raw = STANDARD.decode(own["code"].as_str().unwrap()).unwrap();
                assert_eq!(format!("sha256:{}", hex::encode(raw)), sealed);
                assert_eq!(own["weights"], Value::Null);
                let declared = &manifest["functions"][function]["configuration"][environment];
                let of = |key: &str| &declared[key];
                assert_eq!(
                    [&own["memory"], &own["timeout"], &own["retention"]],
                    [of("memory_mb"), of("timeout_s"), of("log_retention_days")]
                );
                assert_eq!([&own["runtime"], &own["handler"]], ["provided.al2023", "bootstrap"]);
            }
        }
        seen
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_release_to_the_second_region_and_boto3_agrees() {
    let cloud = Cloud::new().await;
    cloud.project.people(&STAFF, "");
    cloud.project.commit("build: who decides");
    cloud.xtask(&["policy", "apply"]).expect(0);
    cloud.xtask(&["release"]).expect(0);
    cloud.agrees("v1.0.0", &["dev", "qa"]).await;
    cloud.xtask(&["promote", "--to", "uat"]).expect(4);
    cloud.approve("quinn", "uat", "v1.0.0");
    cloud.xtask(&["promote", "--to", "uat"]).expect(0);
    cloud.approve("pia", "prod", "v1.0.0");
    cloud.approve("max", "prod", "v1.0.0");
    cloud.xtask(&["promote", "--to", "prod"]).expect(0);
    cloud.xtask(&["dr-sync"]).expect(0);
    let all = ["dev", "qa", "uat", "prod", "dr"];
    let first = cloud.agrees("v1.0.0", &all).await;
    for environment in all {
        cloud.xtask(&["verify", "--env", environment]).expect(0);
    }
    cloud.xtask(&["audit", "verify"]).expect(0);
    let status = cloud.json(&["status"]);
    assert_eq!(status["releases"][0]["cells"], json!(["live", "live", "live", "live", "synced"]));

    // Nothing to do is done again at once, and changes nothing.
    cloud.xtask(&["promote", "--to", "prod"]).expect(0);
    assert_eq!(cloud.look(&all), first);

    // The infrastructure team's variables stay theirs, reach callers by publishing, and are a notice.
    let alpha = cloud.name("alpha", "dev");
    cloud.stack.boto3(SET_VARIABLE, &[&alpha]);
    cloud.xtask(&["promote", "--to", "dev"]).expect(0);
    assert_eq!(cloud.stack.boto3(GET_VARIABLES, &[&alpha]), json!({ "LEVEL": "debug" }));

    // A log that is kept for longer is a notice, one that is not kept long enough is not what was sealed.
    cloud.stack.boto3(KEEP_LOG, &[&alpha, "3653"]);
    let notices = &cloud.json(&["verify", "--env", "dev"])["notices"].to_string();
    assert!(notices.contains("is kept for 3653 days"), "{notices}");
    cloud.stack.boto3(KEEP_LOG, &[&alpha, "1"]);
    cloud.xtask(&["verify", "--env", "dev"]).expect(5).says("configuration Incorrect");
    cloud.xtask(&["promote", "--to", "dev", "--release", "v1.0.0"]).expect(0);
    cloud.agrees("v1.0.0", &["dev"]).await;

    // A change of the declared configuration alone is a release that reaches the alias.
    let text = std::fs::read_to_string(cloud.project.root().join("release.toml")).unwrap();
    cloud.project.repo().write("release.toml", &text.replacen("memory_mb = 256", "memory_mb = 512", 1));
    cloud.project.commit("fix: more memory");
    cloud.xtask(&["release"]).expect(0);
    let second = cloud.agrees("v1.0.1", &["dev", "qa"]).await;
    let qa = cloud.name("alpha", "qa");
    assert_eq!((&second[&qa]["code"], &second[&qa]["memory"]), (&first[&qa]["code"], &json!(512)));
    assert_ne!(second[&qa]["version"], first[&qa]["version"]);
    assert_eq!(cloud.stack.boto3(GET_VARIABLES, &[&alpha]), json!({ "LEVEL": "debug" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_bad_dies_by_its_own_words_and_live_stays_or_comes_back() {
    let cloud = Cloud::new().await;
    cloud.xtask(&["release"]).expect(0);
    let before = cloud.look(&["dev", "qa"]);
    for (number, (bad, says, log)) in [
        (Bad::Start, "told to panic at the start", "told to panic at the start"),
        (Bad::Hang, "Sandbox.Timedout", "serving"),
        (Bad::Answer, "smoke check `answers` before traffic", "serving"),
        (Bad::TwoFaced, "smoke check `answers` through live", "serving"),
    ]
    .into_iter()
    .enumerate()
    {
        cloud.project.break_function("beta", bad);
        cloud.project.commit(&format!("fix: try {bad:?}"));
        let release = format!("v1.0.{}", number + 1);
        let died = cloud.xtask(&["release"]);
        died_with(&died, &release, says);
        let history = cloud.json(&["history", "--env", "dev"]).to_string();
        assert!(history.contains(says), "{history}");
        assert_eq!(cloud.look(&["dev", "qa"]), before, "{bad:?}");
        let failed = cloud.failed("dev").await;
        // The emulator tells what was written before a start failed in its error, Lambda in the log.
        let told = format!("{}\n{}", failed["finding"].as_str().unwrap(), failed["log"].as_str().unwrap());
        assert!(told.contains(log), "{failed}");
    }
    cloud.project.improve("beta", "good again");
    cloud.project.commit("fix: good again");
    cloud.xtask(&["release"]).expect(0);
    cloud.agrees("v1.0.5", &["dev", "qa"]).await;
    cloud.xtask(&["audit", "verify"]).expect(0);
}

fn died_with(ran: &Ran, release: &str, says: &str) {
    assert_eq!(ran.code, 6, "{}", ran.stderr);
    assert!(ran.stderr.contains(&format!("{release} died in dev")) && ran.stderr.contains(says), "{}", ran.stderr);
}

impl Cloud {
    /// The newest entry of an environment that tells of a finding.
    async fn failed(&self, environment: &str) -> Value {
        let listed = self.client.list_objects_v2().bucket(&self.primary).prefix(format!("environments/{environment}/"));
        let listed = listed.send().await.unwrap();
        let mut found = Value::Null;
        for object in listed.contents() {
            let get = self.client.get_object().bucket(&self.primary).key(object.key().unwrap());
            let bytes = get.send().await.unwrap().body.collect().await.unwrap().into_bytes();
            let entry: Value = serde_json::from_slice(&bytes).unwrap();
            if entry["event"]["kind"] == "failed" {
                found = entry["event"].clone();
            }
        }
        found
    }
}
