//! What a process is told by its environment variables, read once at the start and checked as a whole.

mod store;

use std::env::VarError;

use crate::constants::AUDIT_TABLE_LOCAL;
use crate::models::{Environment, InvalidEnvironment};
use crate::types::InvalidOracleAddress;

pub use store::{Audit, Store};

/// What the runtime library reads for itself, and panics without.
const SET_BY_LAMBDA: [&str; 4] = [
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
];

/// The checked settings of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `APP_PROFILE`: whether this is a laptop or AWS.
    pub profile: Profile,
    /// `APP_ENVIRONMENT`: the environment that the function serves.
    pub environment: Environment,
    /// `STORE` and what belongs to it.
    pub store: Store,
}

/// Where the function runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// On a developer's machine.
    Local,
    /// On AWS Lambda.
    Aws,
}

/// The environment variables do not describe a function that may run.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A variable is not set, or empty.
    #[error("environment variable {0} is not set: set it in the function's configuration")]
    Missing(&'static str),
    /// A variable is not UTF-8.
    #[error("environment variable {0} is not valid UTF-8: correct it in the function's configuration")]
    NotText(&'static str),
    /// `APP_ENVIRONMENT` is no environment.
    #[error("environment variable APP_ENVIRONMENT is not usable")]
    Environment(#[from] InvalidEnvironment),
    /// `APP_PROFILE` is unknown.
    #[error("environment variable APP_PROFILE is {0:?}: use local or aws")]
    Profile(String),
    /// `STORE` names an engine that there is not.
    #[error("store {0:?} is not known: set STORE to oracle or dynamodb, or on a laptop to sqlite")]
    StoreNotKnown(String),
    /// SQLite outside of a laptop would lose every audit item with its sandbox.
    #[error("{0} asks for SQLite under profile aws: SQLite is allowed under profile local only")]
    SqliteOutsideLocal(&'static str),
    /// A variable that Lambda sets is not there, so there is nobody to ask for work.
    #[error("environment variable {0} is not set: run the function with `cargo xtask invoke` or `cargo xtask serve`")]
    NotOnLambda(&'static str),
    /// The SQLite audit database has one table name.
    #[error("TABLE_AUDIT is {0:?}: with audit items in SQLite it is {AUDIT_TABLE_LOCAL}, or not set")]
    AuditTable(String),
    /// Oracle holds no audit items, so another store has to.
    #[error("STORE is oracle, which holds no audit items: set TABLE_AUDIT for DynamoDB, or on a laptop SQLITE_AUDIT")]
    NoAudit,
    /// Where the database is said to be.
    #[error("the address of the Oracle database is not usable")]
    OracleAddress(#[from] InvalidOracleAddress),
    /// A password in a function's configuration is read by everybody who may look at the function.
    #[error(
        "ORACLE_PASSWORD is set under profile aws: remove it, and name a secret of Secrets Manager in ORACLE_SECRET"
    )]
    PasswordOutsideLocal,
    /// Two passwords, and no word on which is meant.
    #[error("ORACLE_SECRET and ORACLE_PASSWORD are both set: remove one of them")]
    TwoPasswords,
}

impl Settings {
    /// Reads the settings through `variable`, which is [`std::env::var`] in a real process.
    ///
    /// # Errors
    /// The first variable that is missing or wrong, in the order in which they are documented.
    pub fn read(variable: impl Fn(&'static str) -> Result<String, VarError>) -> Result<Self, SettingsError> {
        let variables = Variables(&variable);
        let profile = match variables.required("APP_PROFILE")?.as_str() {
            "local" => Profile::Local,
            "aws" => Profile::Aws,
            other => return Err(SettingsError::Profile(other.to_owned())),
        };
        let environment = variables.required("APP_ENVIRONMENT")?.parse()?;
        let store = Store::read(&variables, profile)?;
        for name in SET_BY_LAMBDA {
            variables.by_lambda(name)?;
        }
        Ok(Self { profile, environment, store })
    }
}

/// The environment. What is empty counts as not set.
struct Variables<'a>(&'a dyn Fn(&'static str) -> Result<String, VarError>);

impl Variables<'_> {
    fn optional(&self, name: &'static str) -> Result<Option<String>, SettingsError> {
        match (self.0)(name) {
            Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
            Err(VarError::NotPresent) => Ok(None),
            Err(VarError::NotUnicode(_)) => Err(SettingsError::NotText(name)),
        }
    }

    fn required(&self, name: &'static str) -> Result<String, SettingsError> {
        self.optional(name)?.ok_or(SettingsError::Missing(name))
    }

    fn by_lambda(&self, name: &'static str) -> Result<String, SettingsError> {
        self.optional(name)?.ok_or(SettingsError::NotOnLambda(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [(&str, &str); 6] = [
        ("APP_PROFILE", "local"),
        ("APP_ENVIRONMENT", "dev"),
        ("STORE", "sqlite"),
        ("SQLITE_DATA", "data.db"),
        ("SQLITE_AUDIT", "audit.db"),
        ("TABLE_AUDIT", "Audit_Logs_Local"),
    ];

    fn read_with(name: &str, value: Option<&str>) -> Result<Settings, SettingsError> {
        Settings::read(|asked| {
            let good = GOOD.iter().find(|(known, _)| *known == asked).map(|(_, value)| *value);
            let good = good.or_else(|| SET_BY_LAMBDA.contains(&asked).then_some("128"));
            let given = if asked == name { value } else { good };
            given.map(str::to_owned).ok_or(VarError::NotPresent)
        })
    }

    fn refusal(name: &str, value: &str) -> String {
        read_with(name, Some(value)).unwrap_err().to_string()
    }

    #[test]
    fn a_complete_set_is_read() {
        let settings = read_with("", None).unwrap();
        assert_eq!(settings.profile, Profile::Local);
        assert_eq!(settings.environment.as_str(), "dev");
        assert_eq!(settings.store, Store::Sqlite { data: "data.db".into(), audit: "audit.db".into() });
        assert_eq!(read_with("TABLE_AUDIT", None).unwrap(), settings);
    }

    #[test]
    fn what_is_missing_or_empty_is_named() {
        for (name, _) in &GOOD[..5] {
            for absent in [None, Some("")] {
                let message = read_with(name, absent).unwrap_err().to_string();
                assert!(message.contains(name) && message.contains("is not set"), "{message}");
            }
        }
    }

    #[test]
    fn what_is_wrong_is_refused_with_its_remedy() {
        assert!(refusal("APP_PROFILE", "Local").contains("use local or aws"));
        assert!(refusal("APP_PROFILE", "aws").contains("profile local only"));
        assert!(refusal("STORE", "postgres").contains("\"postgres\" is not known"));
        assert!(refusal("APP_ENVIRONMENT", "Prod").contains("APP_ENVIRONMENT"));
        assert!(refusal("TABLE_AUDIT", "other").contains("Audit_Logs_Local"));
    }

    #[test]
    fn outside_of_lambda_the_way_in_is_told() {
        for name in SET_BY_LAMBDA {
            let message = read_with(name, None).unwrap_err().to_string();
            assert!(message.contains(name) && message.contains("cargo xtask invoke"), "{message}");
        }
    }
}
