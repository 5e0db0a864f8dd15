//! Who looked at a product on a day: the handbook's question, asked of every environment's audit trail.

use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;

use crate::{
    engine::together,
    failure::Failure,
    model::{
        names::EnvName,
        trail::{Day, Look, Product},
    },
    ports::{story::Story, trail::AuditTrail},
};

/// How many trails are asked at the same time.
const AT_ONCE: usize = 8;

/// Who looked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Who {
    /// At what.
    pub product: Product,
    /// On which day of UTC.
    pub on: Day,
    /// Where, in the order of the path.
    pub environments: Vec<Seen>,
}

/// What one environment's trail says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// The environment.
    pub environment: EnvName,
    /// Every look, the oldest first; `None` if the trail could not be read: then nobody knows.
    pub looks: Option<Vec<Look>>,
    /// Why it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown: Option<String>,
}

impl Who {
    /// The failure that this answer ends with: one that lacks an environment is not the whole answer.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        let unread = self.environments.iter().filter_map(|seen| Some((&seen.environment, seen.unknown.as_ref()?)));
        let unread: Vec<_> = unread.map(|(environment, why)| format!("{environment}: {why}")).collect();
        (!unread.is_empty()).then(|| Failure::Unfinished {
            what: format!(
                "it is not known of every environment who looked at {} on {}: {}",
                self.product,
                self.on,
                unread.join("; ")
            ),
            source: None,
        })
    }
}

/// Asks these trails.
pub async fn run(
    story: &dyn Story,
    trails: &BTreeMap<EnvName, Arc<dyn AuditTrail>>,
    path: &[EnvName],
    product: Product,
    on: Day,
) -> anyhow::Result<Who> {
    let phase = story.phase(&format!("who looked at {product} on {on}"));
    let ask = async |environment: &EnvName| {
        phase.now(environment.as_str());
        let environment = environment.clone();
        let Some(trail) = trails.get(&environment) else {
            let unknown = Some("release.toml does not say where its audit trail is".to_owned());
            return Ok(Seen { environment, looks: None, unknown });
        };
        Ok::<_, anyhow::Error>(match trail.who(&product, on).await {
            Ok(looks) => Seen { environment, looks: Some(looks), unknown: None },
            Err(error) => Seen { environment, looks: None, unknown: Some(format!("{:#}", anyhow::Error::from(error))) },
        })
    };
    let environments = together::all(AT_ONCE, path.iter().map(ask).collect()).await?;
    let looks = environments.iter().filter_map(|seen| seen.looks.as_ref()).map(Vec::len).sum::<usize>();
    phase.done(&format!("{looks} looks in {} environments", environments.len()));
    Ok(Who { product, on, environments })
}
