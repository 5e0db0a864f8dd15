//! A fleet and its alarms, going wrong.

use async_trait::async_trait;
use xtask::{
    model::{
        configuration::Configuration,
        digest::Digest,
        names::{AlarmName, AliasName, FleetName},
        time::Time,
    },
    ports::alarms::{Alarm, Alarms, AlarmsError},
    ports::fleet::{
        AliasState, AliasTarget, CodeSource, Fleet, FleetError, FleetVersion, FunctionState, Invocation, Qualifier,
        Revision,
    },
};

use super::{Fated, How, Kind, as_it_is, storm};

/// A call that did not come through. A busy fleet is no storm: the engine waits for it by itself.
fn fleet_error(_call: usize) -> FleetError {
    FleetError::Unreachable { what: "a call".to_owned(), source: Box::new(storm()) }
}

fn alarms_error(_call: usize) -> AlarmsError {
    AlarmsError::Unreachable { what: "a call".to_owned(), source: Box::new(storm()) }
}

#[async_trait]
impl Alarms for Fated<dyn Alarms> {
    async fn alarm(&self, alarm: &AlarmName) -> Result<Alarm, AlarmsError> {
        let call = || self.inner.alarm(alarm);
        self.fate.call(Kind::Question, format!("alarm {alarm}"), call, alarms_error, as_it_is).await
    }

    async fn requests(
        &self,
        name: &FleetName,
        alias: &AliasName,
        version: FleetVersion,
        since: Time,
    ) -> Result<u64, AlarmsError> {
        let call = || self.inner.requests(name, alias, version, since);
        let what = format!("alarm requests of {name}");
        self.fate.call(Kind::Question, what, call, alarms_error, as_it_is).await
    }
}

/// A state that tells of other bytes.
fn other_bytes(state: &FunctionState) -> FunctionState {
    FunctionState { code: Digest::of(b"half of it"), ..state.clone() }
}

/// The answer to a write, which can tell of other bytes.
fn written(how: How, state: &FunctionState) -> Option<FunctionState> {
    (how == How::Truncated).then(|| other_bytes(state))
}

impl Fated<dyn Fleet> {
    async fn write<F: Future<Output = Result<FunctionState, FleetError>>>(
        &self,
        what: String,
        call: impl Fn() -> F,
    ) -> Result<FunctionState, FleetError> {
        self.fate.call(Kind::Effect, what, call, fleet_error, written).await
    }

    async fn state<F: Future<Output = Result<Option<FunctionState>, FleetError>>>(
        &self,
        what: String,
        call: impl Fn() -> F,
    ) -> Result<Option<FunctionState>, FleetError> {
        let bend = |how, answer: &Option<FunctionState>| match (how, answer) {
            (How::Lie, Some(_)) => Some(None),
            (How::Truncated, Some(state)) => Some(Some(other_bytes(state))),
            (How::Old, _) => self.fate.older(&what, answer),
            _ => None,
        };
        let answer = self.fate.call(Kind::Question, what.clone(), call, fleet_error, bend).await?;
        self.fate.remember(&what, &answer);
        Ok(answer)
    }
}

#[async_trait]
impl Fleet for Fated<dyn Fleet> {
    fn at_once(&self) -> usize {
        self.inner.at_once()
    }

    fn may_create(&self, name: &FleetName) -> Result<(), FleetError> {
        self.inner.may_create(name)
    }

    async fn function(&self, name: &FleetName) -> Result<Option<FunctionState>, FleetError> {
        self.state(format!("function {name}"), || self.inner.function(name)).await
    }

    async fn create(
        &self,
        name: &FleetName,
        code: &CodeSource,
        configuration: &Configuration,
    ) -> Result<FunctionState, FleetError> {
        self.write(format!("create {name}"), || self.inner.create(name, code, configuration)).await
    }

    async fn update_code(
        &self,
        name: &FleetName,
        code: &CodeSource,
        guard: &Revision,
        publish: bool,
    ) -> Result<FunctionState, FleetError> {
        self.write(format!("update code of {name}"), || self.inner.update_code(name, code, guard, publish)).await
    }

    async fn update_configuration(
        &self,
        name: &FleetName,
        configuration: &Configuration,
        guard: &Revision,
    ) -> Result<FunctionState, FleetError> {
        let what = format!("update configuration of {name}");
        self.write(what, || self.inner.update_configuration(name, configuration, guard)).await
    }

    async fn publish(
        &self,
        name: &FleetName,
        code: &Digest,
        guard: &Revision,
        description: &str,
    ) -> Result<FunctionState, FleetError> {
        self.write(format!("publish {name}"), || self.inner.publish(name, code, guard, description)).await
    }

    async fn version(&self, name: &FleetName, version: FleetVersion) -> Result<Option<FunctionState>, FleetError> {
        self.state(format!("version {version} of {name}"), || self.inner.version(name, version)).await
    }

    async fn live(&self, name: &FleetName, alias: &AliasName) -> Result<Option<FunctionState>, FleetError> {
        self.state(format!("live of {name}"), || self.inner.live(name, alias)).await
    }

    async fn layer(&self, arn: &str) -> Result<Option<Digest>, FleetError> {
        let layer = || self.inner.layer(arn);
        self.fate.call(Kind::Question, format!("layer {arn}"), layer, fleet_error, as_it_is).await
    }

    async fn alias(&self, name: &FleetName, alias: &AliasName) -> Result<Option<AliasState>, FleetError> {
        let what = format!("alias of {name}");
        let bend = |how, answer: &Option<AliasState>| match (how, answer) {
            (How::Lie, Some(_)) => Some(None),
            (How::Old, _) => self.fate.older(&what, answer),
            _ => None,
        };
        let call = || self.inner.alias(name, alias);
        let answer = self.fate.call(Kind::Question, what.clone(), call, fleet_error, bend).await?;
        self.fate.remember(&what, &answer);
        Ok(answer)
    }

    async fn create_alias(
        &self,
        name: &FleetName,
        alias: &AliasName,
        target: &AliasTarget,
    ) -> Result<AliasState, FleetError> {
        let create = || self.inner.create_alias(name, alias, target);
        self.fate.call(Kind::Effect, format!("create alias of {name}"), create, fleet_error, as_it_is).await
    }

    async fn update_alias(
        &self,
        name: &FleetName,
        alias: &AliasName,
        target: &AliasTarget,
        guard: &Revision,
    ) -> Result<AliasState, FleetError> {
        let update = || self.inner.update_alias(name, alias, target, guard);
        self.fate.call(Kind::Effect, format!("update alias of {name}"), update, fleet_error, as_it_is).await
    }

    async fn delete_alias(&self, name: &FleetName, alias: &AliasName) -> Result<(), FleetError> {
        let delete = || self.inner.delete_alias(name, alias);
        self.fate.call(Kind::Effect, format!("delete alias of {name}"), delete, fleet_error, as_it_is).await
    }

    async fn invoke(&self, name: &FleetName, qualifier: &Qualifier, payload: &[u8]) -> Result<Invocation, FleetError> {
        let bend = |how, answer: &Invocation| match how {
            How::Lie => Some(Invocation { payload: b"null".to_vec(), ..answer.clone() }),
            How::Truncated => {
                let payload = answer.payload[..answer.payload.len() / 2].to_vec();
                Some(Invocation { payload, ..answer.clone() })
            }
            _ => None,
        };
        let what = format!("invoke {name} {qualifier:?}");
        let invoke = || self.inner.invoke(name, qualifier, payload);
        self.fate.call(Kind::Question, what, invoke, fleet_error, bend).await
    }
}
