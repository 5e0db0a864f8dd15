//! What everybody may not do to functions, their logs and roles, tried by everybody who has a role. Alarms are left to evaluation:
//! the emulator does not recognise what the SDK asks of CloudWatch, and lets it through.
//!
//! Whoever has every right of the account is not asked here: unlike buckets and keys, functions have no policy of their own
//! that could refuse them. What they do is found by `verify`.

use aws_config::{Region, SdkConfig};
use aws_sdk_lambda::{
    Client,
    primitives::Blob,
    types::{EventSourcePosition, FunctionCode, FunctionUrlAuthType, LayerVersionContentInput, Runtime},
};

use super::{City, attempts::refused};
use crate::aws::{
    estate::{ENVIRONMENTS, PREPARED, region},
    fleet::FUNCTION_ROLE,
};

/// Everybody tries everything in every environment. A deployer's own writes carry a revision that is none, so that they are
/// let through and change nothing.
pub(super) async fn all(city: &City) {
    let actors = city.estate.actors();
    assert_eq!(actors.len(), 11);
    for actor in &actors {
        let base = city.sdk(&city.job(actor).await);
        for environment in ENVIRONMENTS {
            let there = base.to_builder().region(Region::new(region(environment))).build();
            let (lambda, name) = (Client::new(&there), format!("alpha-{environment}"));
            let own = *actor == format!("deployer-{environment}");
            let is_open = |tried: Vec<(&'static str, bool)>, may: bool| {
                for (what, refused) in tried {
                    assert_eq!(refused, !may, "{actor}: {what} {name}");
                }
            };
            is_open(deployments(&lambda, &name, &city.estate.primary).await, own);
            is_open(readings(&lambda, &name).await, own || actor == "auditor");
            is_open(others(&lambda, &name).await, false);
            is_open(logs(&there, &name).await, false);
            let kept = aws_sdk_cloudwatchlogs::Client::new(&there).put_retention_policy().retention_in_days(30);
            let kept = kept.log_group_name(format!("/aws/lambda/{name}"));
            assert_eq!(refused(kept.send().await), !own, "{actor} keeps the log of {name}");
            // The emulator looks at no name there (`EMULATOR`): whoever makes functions may make any.
            let makes = actor.strip_prefix("deployer-").is_some_and(|own| own != PREPARED);
            assert_eq!(refused_to_make(&lambda, &name, &city.estate.primary).await, !makes, "{actor} makes {name}");
        }
        nobody_becomes_another(city, &base, actor, &actors).await;
    }
}

/// What an environment's deployer does, and nobody else.
async fn deployments(lambda: &Client, name: &str, bucket: &str) -> Vec<(&'static str, bool)> {
    let code = lambda.update_function_code().function_name(name).s3_bucket(bucket).s3_key("v1.0.0/alpha.zip");
    let configuration = lambda.update_function_configuration().function_name(name).memory_size(128);
    let alias = lambda.create_alias().function_name(name).name("live").function_version("1");
    vec![
        ("write the code of", refused(code.revision_id("none").send().await)),
        ("write the configuration of", refused(configuration.revision_id("none").send().await)),
        ("publish", refused(lambda.publish_version().function_name(name).revision_id("none").send().await)),
        ("make an alias of", refused(alias.send().await)),
        ("call", refused(lambda.invoke().function_name(name).payload(Blob::new("{}")).send().await)),
        ("download", refused(lambda.get_function().function_name(name).send().await)),
    ]
}

/// What deployers and the auditor read; and what the emulator does not tell from reading an alias (`EMULATOR`), so that it
/// refuses it to all but the auditor.
async fn readings(lambda: &Client, name: &str) -> Vec<(&'static str, bool)> {
    let moved = lambda.update_alias().function_name(name).name("live").function_version("1");
    vec![
        ("move the alias of", refused(moved.revision_id("none").send().await)),
        ("remove an alias of", refused(lambda.delete_alias().function_name(name).name("none").send().await)),
        ("read the alias of", refused(lambda.get_alias().function_name(name).name("live").send().await)),
        ("list the versions of", refused(lambda.list_versions_by_function().function_name(name).send().await)),
        ("read", refused(lambda.get_function_configuration().function_name(name).send().await)),
    ]
}

/// What nobody does. Settings whose names the emulator takes for others are left to evaluation.
async fn others(lambda: &Client, name: &str) -> Vec<(&'static str, bool)> {
    let open = lambda.add_permission().function_name(name).statement_id("open").action("lambda:InvokeFunction");
    let close = lambda.remove_permission().function_name(name).statement_id("open");
    let url = lambda.create_function_url_config().function_name(name).auth_type(FunctionUrlAuthType::None);
    let source =
        lambda.create_event_source_mapping().function_name(name).starting_position(EventSourcePosition::Latest);
    let source = source.event_source_arn("arn:aws:kinesis:us-east-1:000000000000:stream/any");
    let layer = LayerVersionContentInput::builder().zip_file(Blob::new("none")).build();
    let concurrency = lambda.put_function_concurrency().function_name(name).reserved_concurrent_executions(0);
    vec![
        ("delete", refused(lambda.delete_function().function_name(name).send().await)),
        ("delete a version of", refused(lambda.delete_function().function_name(name).qualifier("1").send().await)),
        ("open to everybody", refused(open.principal("*").send().await)),
        ("close", refused(close.send().await)),
        ("stop", refused(concurrency.send().await)),
        ("give a URL to", refused(url.send().await)),
        ("feed", refused(source.send().await)),
        ("make a layer beside", refused(lambda.publish_layer_version().layer_name("any").content(layer).send().await)),
        ("list what is beside", refused(lambda.list_functions().send().await)),
    ]
}

async fn refused_to_make(lambda: &Client, name: &str, bucket: &str) -> bool {
    let code = FunctionCode::builder().s3_bucket(bucket).s3_key("v1.0.0/alpha.zip").build();
    let make = lambda.create_function().function_name(name).code(code).role(FUNCTION_ROLE);
    refused(make.runtime(Runtime::Providedal2023).handler("bootstrap").send().await)
}

async fn logs(there: &SdkConfig, name: &str) -> Vec<(&'static str, bool)> {
    let (logs, group) = (aws_sdk_cloudwatchlogs::Client::new(there), format!("/aws/lambda/{name}"));
    let read = logs.filter_log_events().log_group_name(&group);
    vec![
        ("delete the log of", refused(logs.delete_log_group().log_group_name(&group).send().await)),
        ("keep for ever the log of", refused(logs.delete_retention_policy().log_group_name(&group).send().await)),
        ("read the log of", refused(read.send().await)),
    ]
}

async fn nobody_becomes_another(city: &City, base: &SdkConfig, actor: &str, actors: &[String]) {
    let sts = aws_sdk_sts::Client::new(base);
    for other in actors.iter().filter(|other| *other != actor) {
        let take = sts.assume_role().role_arn(city.estate.role(other)).role_session_name("job");
        assert!(refused(take.send().await), "{actor} takes the role of {other}");
    }
}
