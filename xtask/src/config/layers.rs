//! `[layers]`, and the layers that functions name: what Lambda would refuse later is told when the file is read.

use std::collections::BTreeMap;

use crate::{
    config::raw,
    model::{
        layer,
        names::{EnvName, LayerName},
    },
};

/// Adds every problem, in one sentence each.
pub(super) fn check(raw: &raw::Release, names: &[EnvName], problems: &mut Vec<String>) {
    let mut owners: BTreeMap<&str, &LayerName> = BTreeMap::new();
    for (name, layer) in &raw.layers {
        if layer.versions.is_empty() {
            problems.push(format!("`layers.{name}.versions` is empty: name the version of each region by its ARN"));
        }
        for arn in &layer.versions {
            if layer::region(arn).is_none() {
                problems.push(no_version(&format!("layers.{name}.versions"), arn));
            }
            if let Some(other) = owners.insert(arn, name) {
                problems.push(format!("`{arn}` is a version of both `layers.{other}` and `layers.{name}`"));
            }
        }
    }
    for (name, function) in &raw.functions {
        let own = function.environments.iter().map(|(env, own)| (format!("environments.{env}"), own));
        for (place, settings) in own.chain([("configuration".to_owned(), &function.configuration)]) {
            for arn in settings.layers.iter().flatten().filter(|arn| layer::region(arn).is_none()) {
                problems.push(no_version(&format!("functions.{name}.{place}.layers"), arn));
            }
        }
    }
    regions(raw, names, problems);
}

/// A function takes layers of its own region only.
fn regions(raw: &raw::Release, names: &[EnvName], problems: &mut Vec<String>) {
    let Some(aws) = &raw.profile.aws else { return };
    for (name, function) in &raw.functions {
        for environment in names {
            let own = function.environments.get(environment).and_then(|own| own.layers.as_ref());
            let layers = own.or(function.configuration.layers.as_ref()).into_iter().flatten();
            let Some(place) = aws.environments.get(environment) else { continue };
            for arn in layers.filter(|arn| layer::region(arn).is_some_and(|region| region != place.region.as_str())) {
                problems.push(format!(
                    "`functions.{name}` has the layer {arn} in {environment}, which is in {}: Lambda takes layers of its own \
                     region only; give the version of that region in `functions.{name}.environments.{environment}.layers`",
                    place.region
                ));
            }
        }
    }
}

fn no_version(place: &str, arn: &str) -> String {
    format!(
        "`{place}` has `{arn}`, which is no version of a layer: write `arn:aws:lambda:REGION:ACCOUNT:layer:NAME:NUMBER`"
    )
}
