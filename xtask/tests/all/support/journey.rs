//! A story with everything in it: a death by a check, one by a person, a release that is Globally Synced, a rollback.

use std::collections::BTreeMap;

use xtask::{
    adapters::ssh,
    context::Context,
    engine::{
        decide::{self, Request, Verdict},
        dr,
        promote::rollback,
    },
};

use crate::support::{
    people::STAFF,
    project::{Bad, Project},
    world::{code, promote_to, release},
};

/// v1.0.0 dies in dev, v1.0.1 is rejected for uat, v1.0.2 goes all the way, v1.0.3 is rolled back in prod.
pub(crate) async fn of_four_releases(project: &Project, context: &Context) {
    project.staff(&STAFF, "");
    project.break_function("alpha", Bad::Answer);
    project.commit("feat: prices");
    assert_eq!(code(&release(context).await), 6);

    project.improve("alpha", "a red button");
    project.commit("fix: answer");
    release(context).await.unwrap();
    decide(project, context, "quinn", "uat v1.0.1", (Verdict::Reject, Some("the button is red"))).await;

    project.improve("alpha", "a green button");
    project.commit("fix: a green button");
    release(context).await.unwrap();
    to_production(project, context, "v1.0.2").await;
    dr::run(context, &dr::plan(context, None).await.unwrap()).await.unwrap();

    project.improve("alpha", "a blue button");
    project.commit("fix: a blue button");
    release(context).await.unwrap();
    to_production(project, context, "v1.0.3").await;
    let prod = "prod".parse().unwrap();
    let request = rollback::Request { from: None, reason: "customers call" };
    let (plan, manifest) = rollback::plan(context, &prod, request).await.unwrap();
    rollback::run(context, &plan, &manifest).await.unwrap();
}

async fn to_production(project: &Project, context: &Context, release: &str) {
    let approve = (Verdict::Approve, None);
    decide(project, context, "quinn", &format!("uat {release}"), approve).await;
    promote_to(context, &"uat".parse().unwrap(), release.parse().unwrap()).await.unwrap();
    decide(project, context, "pia", &format!("prod {release}"), approve).await;
    decide(project, context, "max", &format!("prod {release}"), approve).await;
    promote_to(context, &"prod".parse().unwrap(), release.parse().unwrap()).await.unwrap();
}

/// Somebody decides: `decide(…, "pia", "prod v1.0.0", (Verdict::Approve, None))`.
pub(crate) async fn decide(
    project: &Project,
    context: &Context,
    who: &str,
    what: &str,
    (verdict, comment): (Verdict, Option<&str>),
) {
    let (to, release) = what.split_once(' ').unwrap();
    let key = ssh::open(&project.key(who), &BTreeMap::new()).unwrap();
    let comment = comment.map(str::to_owned);
    let request =
        Request { environment: to.parse().unwrap(), release: release.parse().unwrap(), verdict, role: None, comment };
    decide::run(context, &request, &*key).await.unwrap();
}
