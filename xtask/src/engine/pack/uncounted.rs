//! What people decided about a release, and what lies among their decisions and counts for nothing: nobody can take that
//! out of the vault again, so that it is in the folder, too, apart from them and named.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    context::Context,
    engine::{
        ledger::statements::{self, Junk},
        pack::signers,
    },
    model::{
        allowed_signers,
        approval::ApprovalEvent,
        entry::{ChainName, Record},
        manifest::Manifest,
        names::EnvName,
        plain,
        policy::PolicyEvent,
        sshsig,
    },
};

/// Something among the decisions that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its name in the vault.
    pub object: String,
    /// Where it is in the folder; `null` if it is no object that could be read.
    pub file: Option<String>,
    /// What is wrong with it.
    pub found: String,
}

/// Everything that lies in the folders of decisions about a release.
#[derive(Default)]
pub(super) struct Decisions {
    /// Every statement by a person, environment by environment.
    pub(super) made: Vec<Record<ApprovalEvent>>,
    /// What is none.
    pub(super) junk: Vec<Junk>,
    /// Statements that do not follow the object before them: something was exchanged or added there.
    pub(super) loose: Vec<Finding>,
}

impl Decisions {
    /// Reads them all; whatever is wrong with one is told.
    ///
    /// # Errors
    /// Integrity, if something is gone that the witness saw; unfinished, if the vault cannot be read.
    pub(super) async fn of(
        context: &Context,
        manifest: &Manifest,
        policy: &[Record<PolicyEvent>],
    ) -> anyhow::Result<Self> {
        let release = manifest.release;
        let (listed, mut read) = (statements::listed(context, Some(release)).await?, BTreeMap::new());
        let mut all = Self::default();
        for stop in &manifest.path {
            let environment = stop.environment.clone();
            let chain = ChainName::Approvals { release, environment };
            let found = statements::read::<ApprovalEvent>(context, &chain).await?;
            all.junk.extend(found.junk);
            for made in found.made {
                match by_its_person(&made.record, &stop.environment, policy)? {
                    None => all.made.push(made.record),
                    Some(why) => {
                        let object = chain.key(made.record.entry.number)?.to_string();
                        let junk = Junk { what: format!("{object} {why}: it counts for nothing"), object };
                        statements::tell(context, std::slice::from_ref(&junk));
                        all.junk.push(junk);
                    }
                }
            }
            read.insert(chain, found.objects.len() as u64);
        }
        all.junk.extend(statements::strays(context, &listed, &read));
        all.part()?;
        Ok(all)
    }

    /// What was told of statements stands with them, and all else apart.
    fn part(&mut self) -> anyhow::Result<()> {
        for record in &self.made {
            let object = record.entry.chain.key(record.entry.number)?.to_string();
            for junk in self.junk.extract_if(.., |junk| junk.object == object) {
                let file = Some(file(record));
                self.loose.push(Finding { object: junk.object, file, found: plain::line(&junk.what) });
            }
        }
        Ok(())
    }
}

/// Where a statement is in the folder.
pub(super) fn file(record: &Record<ApprovalEvent>) -> String {
    let folder = record.entry.chain.to_string();
    let environment = folder.rsplit_once('/').map_or(folder.as_str(), |(_, environment)| environment);
    format!("approvals/{environment}/{:08}.json", record.entry.number)
}

/// Why a statement is not by the person whom it names, as the list of allowed signers of any policy knows them. Whether they
/// could make it is another question.
fn by_its_person(
    record: &Record<ApprovalEvent>,
    environment: &EnvName,
    policy: &[Record<PolicyEvent>],
) -> anyhow::Result<Option<String>> {
    let (person, namespace) = (&record.entry.event.statement().person, record.entry.chain.namespace());
    let signed = record.signed_bytes()?;
    let mut why = format!("is by {person}, whom no policy knows");
    for people in policy.iter().rev().filter_map(|policy| policy.entry.state.people.as_ref()) {
        let all = signers::people(people, std::iter::once(environment))?;
        let keys = allowed_signers::keys_at(&all, person.as_str(), &namespace, record.entry.time);
        match sshsig::verify(&record.signature, &signed, &namespace, keys) {
            Ok(_) => return Ok(None),
            Err(error) => why = format!("is not signed by {person}: {error}"),
        }
    }
    Ok(Some(why))
}
