//! Functions, keys and trust.

use super::*;

fn function(region: &str, account: &str, name: &str) -> String {
    format!("arn:aws:lambda:{region}:{account}:function:{name}")
}

#[test]
fn a_deployer_reaches_the_functions_of_its_environment_alone() {
    let world = World::new();
    let (home, away) = ("eu-central-1", "eu-west-1");
    let functions = [
        ("deployer-dev", function(home, HOME, "price-fetcher-dev")),
        ("deployer-qa-east", function(home, HOME, "price-fetcher-qa-east")),
        ("deployer-prod", function(home, PROD, "price-fetcher-prod")),
        ("deployer-dr", function(away, PROD, "price-fetcher-dr")),
        // Another region, another account, another environment, something that only ends alike.
        ("", function(away, PROD, "price-fetcher-prod")),
        ("", function(home, HOME, "price-fetcher-prod")),
        ("", function(home, HOME, "price-fetcher-uat")),
        ("", function(home, HOME, "price-fetcher-dev2")),
    ];
    let changes = ["CreateAlias", "DeleteAlias", "PublishVersion", "UpdateAlias", "UpdateFunctionCode"];
    let changes = changes.into_iter().chain(["UpdateFunctionConfiguration", "InvokeFunction"]);
    let forbidden = ["AddPermission", "CreateFunction", "DeleteFunctionConcurrency", "PutFunctionConcurrency"];
    let settings = ["CreateFunctionUrlConfig", "PutFunctionEventInvokeConfig", "PutProvisionedConcurrencyConfig"];
    let forbidden = [forbidden.as_slice(), &settings, &["RemovePermission", "UpdateFunctionUrlConfig"]].concat();
    for (actor, role, identity) in &world.actors {
        let may = |action: &str, resource: &str| {
            allowed(Guard::None, identity, &Request::of(role, &format!("lambda:{action}"), resource))
        };
        for (owner, name) in &functions {
            let own = actor.to_string() == *owner;
            for qualified in ["", ":live", ":7"] {
                let name = format!("{name}{qualified}");
                for action in changes.clone() {
                    assert_eq!(may(action, &name), own, "{actor} {action} {name}");
                }
                // Only a version can be deleted: without a qualifier it would be the function (fact 24).
                assert_eq!(may("DeleteFunction", &name), own && !qualified.is_empty(), "{actor} {name}");
                assert!(forbidden.iter().all(|action| !may(action, &name)), "{actor} {name}");
                assert!(!may("GetFunctionConfiguration", "*"));
            }
            let reads = own || (*actor == Actor::Auditor && !owner.is_empty());
            assert_eq!(may("GetFunctionConfiguration", &format!("{name}:live")), reads, "{actor} {name}");
        }
    }
}

#[test]
fn deployers_take_layers_of_their_region_and_publish_none() {
    let world = World::new();
    let layer = |region: &str| format!("arn:aws:lambda:{region}:444444444444:layer:oracle-client:3");
    for (actor, role, identity) in &world.actors {
        let may = |action: &str, resource: &str| allowed(Guard::None, identity, &Request::of(role, action, resource));
        let is = |name: &str| actor.to_string() == name;
        assert_eq!(may("lambda:GetLayerVersion", &layer("eu-west-1")), is("deployer-dr"), "{actor}");
        let at_home = matches!(actor, Actor::Writer(Writer::Deployer(_))) && !is("deployer-dr");
        assert_eq!(may("lambda:GetLayerVersion", &layer("eu-central-1")), at_home, "{actor}");
        for never in ["PublishLayerVersion", "DeleteLayerVersion", "AddLayerVersionPermission"] {
            assert!(!may(&format!("lambda:{never}"), &layer("eu-central-1")), "{actor} {never}");
        }
    }
}

#[test]
fn a_deployer_keeps_the_logs_of_its_functions_and_watches_alarms() {
    let world = World::new();
    let group = |environment: &str| format!("arn:aws:logs:eu-central-1:{HOME}:log-group:/aws/lambda/x-{environment}:*");
    for (actor, role, identity) in &world.actors {
        let may = |action: &str, resource: &str| allowed(Guard::None, identity, &Request::of(role, action, resource));
        let is = |name: &str| actor.to_string() == name;
        assert_eq!(may("logs:PutRetentionPolicy", &group("dev")), is("deployer-dev"), "{actor}");
        assert_eq!(may("logs:CreateLogGroup", &group("dev")), is("deployer-dev"), "{actor}");
        assert!(!may("logs:PutRetentionPolicy", &group("prod")), "{actor}");
        assert!(!may("logs:DeleteLogGroup", &group("dev")), "{actor}");
        let deploys = matches!(actor, Actor::Writer(Writer::Deployer(_)));
        assert_eq!(may("cloudwatch:DescribeAlarms", "*"), deploys, "{actor}");
        for never in ["DeleteAlarms", "DisableAlarmActions", "PutMetricAlarm", "SetAlarmState"] {
            assert!(!may(&format!("cloudwatch:{never}"), "*"), "{actor} {never}");
        }
        assert!(!may("iam:PassRole", "*"), "{actor}");
        assert!(may("sts:GetCallerIdentity", "*") && !may("sts:AssumeRole", role), "{actor}");
    }
}

#[test]
fn each_key_signs_for_one_role() {
    let world = World::new();
    for (signer, signing) in world.vault.signers() {
        let text = render(&world.vault, &Document::Key(Actor::Writer(signer.clone()))).unwrap();
        assert!(!text.contains(r#""AWS":"*""#) && !text.contains(":root"), "no wild principal, no account: {text}");
        let policy = Policy::parse(&text, Form::Resource).unwrap();
        let guard = Guard::Key { policy: &policy, account: HOME };
        let own = Actor::Writer(signer);
        for (actor, role, identity) in &world.actors {
            let ask = |action: &str| Request::of(role, action, signing.key.as_str());
            assert_eq!(allowed(guard, identity, &ask("kms:Sign")), *actor == own, "{actor} {own}");
            // Rights in the account do not help: the key asks its own policy.
            assert_eq!(allowed(guard, &everything(), &ask("kms:Sign")), *actor == own, "{actor} {own}");
            let administrates = *actor == Actor::VaultAdministrator;
            assert!(allowed(guard, identity, &ask("kms:GetPublicKey")), "{actor}");
            assert_eq!(allowed(guard, &everything(), &ask("kms:PutKeyPolicy")), administrates, "{actor}");
            for never in ["kms:CreateGrant", "kms:ScheduleKeyDeletion", "kms:ImportKeyMaterial", "kms:Decrypt"] {
                assert!(!allowed(guard, &everything(), &ask(never)), "{actor} {never}");
            }
        }
        let stranger = format!("arn:aws:iam::{HOME}:role/administrator");
        for action in ["kms:Sign", "kms:PutKeyPolicy", "kms:GetPublicKey"] {
            assert!(!allowed(guard, &everything(), &Request::of(&stranger, action, signing.key.as_str())), "{action}");
        }
    }
}

#[test]
fn each_deployer_digests_the_variables_of_its_environment_alone() {
    let world = World::new();
    for (name, environment) in &world.vault.environments {
        let text = render(&world.vault, &Document::VariablesKey(name.clone())).unwrap();
        let policy = Policy::parse(&text, Form::Resource).unwrap();
        let account = world.vault.environments[name].deployer.role.account().to_owned();
        let guard = Guard::Key { policy: &policy, account: &account };
        let own = Actor::Writer(Writer::Deployer(name.to_string()));
        for (actor, role, identity) in &world.actors {
            let ask = |action: &str| Request::of(role, action, environment.variables_key.as_str());
            assert_eq!(allowed(guard, identity, &ask("kms:GenerateMac")), *actor == own, "{actor} {name}");
            assert_eq!(allowed(guard, &everything(), &ask("kms:GenerateMac")), *actor == own, "{actor} {name}");
            for never in ["kms:VerifyMac", "kms:CreateGrant", "kms:ScheduleKeyDeletion", "kms:Decrypt"] {
                assert!(!allowed(guard, &everything(), &ask(never)), "{actor} {never}");
            }
        }
    }
}

#[test]
fn functions_are_made_only_where_it_is_configured_and_with_that_role_only() {
    let mut vault = vault();
    let made = "arn:aws:iam::111122223333:role/function";
    vault.environments.get_mut(&"dev".parse().unwrap()).unwrap().function_role = Some(made.parse().unwrap());
    for (actor, role) in vault.actors() {
        let text = render(&vault, &Document::Role(actor.clone())).unwrap();
        let identity = [Policy::parse(&text, Form::Identity).unwrap()];
        let own = actor.to_string() == "deployer-dev";
        let may = |request: Request| allowed(Guard::None, &identity, &request);
        let create =
            |name: &str| Request::of(role.as_str(), "lambda:CreateFunction", &function("eu-central-1", HOME, name));
        let pass =
            |passed: &str, to: &str| Request::of(role.as_str(), "iam:PassRole", passed).with("iam:PassedToService", to);
        assert_eq!(may(create("price-fetcher-dev")), own, "{actor}");
        assert!(!may(create("price-fetcher-prod")), "{actor}");
        assert_eq!(may(pass(made, "lambda.amazonaws.com")), own, "{actor}");
        assert!(!may(pass(made, "ec2.amazonaws.com")) && !may(pass(role.as_str(), "lambda.amazonaws.com")), "{actor}");
    }
}

const AUDIENCE: &str = "token.actions.githubusercontent.com:aud";
const SUBJECT: &str = "token.actions.githubusercontent.com:sub";

#[test]
fn one_environment_on_github_assumes_one_role() {
    let vault = vault();
    let subject = |numbers, environment: &str| Subject {
        owner: "acme".parse().unwrap(),
        repository: "prices".parse().unwrap(),
        numbers,
        environment: environment.parse().unwrap(),
    };
    let deployer = Actor::Writer(Writer::Deployer("prod".to_owned()));
    for numbers in [None, Some((12, 345))] {
        let own = subject(numbers, "prod: eu");
        let text = render(&vault, &Document::GithubTrust(deployer.clone(), own.clone())).unwrap();
        assert!(!text.contains(['*', '?']) && !text.contains("Like") && text.contains("prod%3A eu"), "{text}");
        let trust = Policy::parse(&text, Form::Trust).unwrap();
        let provider = format!("arn:aws:iam::{PROD}:oidc-provider/token.actions.githubusercontent.com");
        let ask = |subject: &str| {
            let request = Request::anonymous("sts:AssumeRoleWithWebIdentity", "").with(SUBJECT, subject);
            let principal = Principal::Federated(provider.clone());
            Request { principal, ..request }.with(AUDIENCE, "sts.amazonaws.com")
        };
        let may = |request: &Request| allowed(Guard::Bucket { policy: &trust, account: PROD }, &[], request);
        let right = ask(&own.to_string());
        assert!(may(&right));
        let other_form = subject(if numbers.is_none() { Some((12, 345)) } else { None }, "prod: eu").to_string();
        let other_repository = own.to_string().replace("prices", "prices2");
        let branch = "repo:acme/prices:ref:refs/heads/main".to_owned();
        let other = subject(numbers, "dev").to_string();
        let longer = format!("{own}:x");
        for wrong in
            [other_form, other_repository, branch, other, longer, own.to_string().replace("%3A", ":"), String::new()]
        {
            assert!(!may(&ask(&wrong)), "{wrong}");
        }
        assert!(
            !may(&right.clone().with(AUDIENCE, "https://github.com/acme")) && !may(&right.clone().without(AUDIENCE))
        );
        assert!(!may(&right.clone().without(SUBJECT)));
        let elsewhere = Principal::Federated(provider.replace(PROD, HOME));
        assert!(!may(&Request { principal: elsewhere, ..right.clone() }));
        assert!(!may(&Request { action: "sts:AssumeRole".to_owned(), ..right }));
    }
}
