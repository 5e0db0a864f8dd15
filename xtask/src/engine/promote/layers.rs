//! The layers of what is about to be staged: each must be what was sealed, and a function that needs one must have it.

use std::collections::BTreeMap;

use crate::{
    failure::Failure,
    model::{layer::Layer, manifest::Manifest, names::LayerName},
    plan::promotion::{Action, Seen},
    ports::fleet::{Fleet, FleetError},
};

/// Notes what functions lack in their plans, and compares every layer that they take with the sealed one. What stays as it is
/// is not looked at.
///
/// # Errors
/// Integrity: a version of a layer holds something else than was sealed. Usage: there is no such version. Unfinished: the fleet
/// cannot be asked.
pub(super) async fn check(fleet: &dyn Fleet, manifest: &Manifest, seen: &mut [Seen]) -> anyhow::Result<()> {
    let mut taken: BTreeMap<&String, (&LayerName, &Layer)> = BTreeMap::new();
    for seen in seen.iter_mut().filter(|seen| seen.plan.action != Action::Keep) {
        let variables = seen.observed.latest.as_ref().map(|latest| &latest.variables);
        for (name, layer) in &manifest.layers {
            let own = layer.versions.iter().filter(|arn| seen.wanted.configuration.layers.contains(arn));
            taken.extend(own.map(|arn| (arn, (name, layer))));
            let needed = variables.is_some_and(|variables| layer.is_needed_by(variables));
            if needed && !layer.is_among(&seen.wanted.configuration.layers) {
                seen.plan.refused = Some(format!("{}: {}", seen.wanted.name, layer.lacking(name.as_str())));
            }
        }
    }
    for (arn, (name, layer)) in taken {
        match fleet.layer(arn).await {
            Ok(found) if found.is_none_or(|found| found == layer.sha256) => {}
            Ok(found) => {
                let found = found.map(|found| found.to_string()).unwrap_or_default();
                let expected = layer.sha256;
                let what =
                    format!("{arn} is not the layer `{name}` that was sealed: expected {expected}, found {found}");
                return Err(
                    Failure::Integrity(format!("{what}; publish that zip, and release with its version")).into()
                );
            }
            Err(FleetError::NotFound(_)) => {
                let text =
                    format!("there is no {arn}, a version of the layer `{name}`: publish it, or correct release.toml");
                return Err(Failure::usage(text).into());
            }
            Err(error) => return Err(Failure::unfinished(format!("failed to look at the layer {arn}"), error).into()),
        }
    }
    Ok(())
}
