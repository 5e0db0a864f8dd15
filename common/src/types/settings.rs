//! What a process is told by its environment variables, read once at the start and checked as a whole.

use std::env::VarError;

use camino::Utf8PathBuf;

use crate::constants::AUDIT_TABLE_LOCAL;
use crate::models::{Environment, InvalidEnvironment};
use crate::types::{DynamoAccess, Secret};

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

/// Which engine holds prices, configuration and audit items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Store {
    /// Two SQLite databases, made and seeded by the toolchain; for the local profile only.
    Sqlite {
        /// `SQLITE_DATA`: the path of the database with prices and configuration.
        data: Utf8PathBuf,
        /// `SQLITE_AUDIT`: the path of the database with the audit table.
        audit: Utf8PathBuf,
    },
    /// Two tables of DynamoDB, made by the infrastructure team.
    Dynamo {
        /// Where DynamoDB is, and as whom it is called.
        access: DynamoAccess,
        /// `TABLE_DATA`: the table with prices and configuration.
        data: String,
        /// `TABLE_AUDIT`: the table with the audit items.
        audit: String,
    },
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
    /// `STORE` names an engine that this build does not have.
    #[error("store {0:?} is not available in this build: set STORE to dynamodb, or on a laptop to sqlite")]
    StoreNotAvailable(String),
    /// SQLite outside of a laptop would lose every audit item with its sandbox.
    #[error("STORE is sqlite under profile aws: SQLite is allowed under profile local only")]
    SqliteOutsideLocal,
    /// A variable that Lambda sets is not there, so there is nobody to ask for work.
    #[error("environment variable {0} is not set: run the function with `cargo xtask invoke` or `cargo xtask serve`")]
    NotOnLambda(&'static str),
    /// The SQLite audit database has one table name.
    #[error("TABLE_AUDIT is {0:?}: with STORE=sqlite it is {AUDIT_TABLE_LOCAL}, or not set")]
    AuditTable(String),
}

impl Settings {
    /// Reads the settings through `variable`, which is [`std::env::var`] in a real process.
    ///
    /// # Errors
    /// The first variable that is missing or wrong, in the order in which they are documented.
    pub fn read(variable: impl Fn(&'static str) -> Result<String, VarError>) -> Result<Self, SettingsError> {
        let optional = |name| match variable(name) {
            Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
            Err(VarError::NotPresent) => Ok(None),
            Err(VarError::NotUnicode(_)) => Err(SettingsError::NotText(name)),
        };
        let required = |name| optional(name)?.ok_or(SettingsError::Missing(name));

        let profile = match required("APP_PROFILE")?.as_str() {
            "local" => Profile::Local,
            "aws" => Profile::Aws,
            other => return Err(SettingsError::Profile(other.to_owned())),
        };
        let by_lambda = |name| optional(name)?.ok_or(SettingsError::NotOnLambda(name));
        let environment = required("APP_ENVIRONMENT")?.parse()?;
        let store = match required("STORE")?.as_str() {
            "sqlite" if profile != Profile::Local => return Err(SettingsError::SqliteOutsideLocal),
            "sqlite" => {
                match optional("TABLE_AUDIT")? {
                    Some(table) if table != AUDIT_TABLE_LOCAL => return Err(SettingsError::AuditTable(table)),
                    _ => {}
                }
                Store::Sqlite { data: required("SQLITE_DATA")?.into(), audit: required("SQLITE_AUDIT")?.into() }
            }
            "dynamodb" => {
                let (data, audit) = (required("TABLE_DATA")?, required("TABLE_AUDIT")?);
                let region = by_lambda("AWS_REGION")?;
                // The names that every SDK of AWS reads, in the order in which it does.
                let given = optional("AWS_ENDPOINT_URL_DYNAMODB")?
                    .map_or_else(|| optional("AWS_ENDPOINT_URL"), |own| Ok(Some(own)));
                let endpoint = given?.unwrap_or_else(|| format!("https://dynamodb.{region}.amazonaws.com"));
                let access = DynamoAccess {
                    endpoint,
                    region,
                    key_id: by_lambda("AWS_ACCESS_KEY_ID")?,
                    secret: Secret::new(by_lambda("AWS_SECRET_ACCESS_KEY")?),
                    session_token: optional("AWS_SESSION_TOKEN")?.map(Secret::new),
                };
                Store::Dynamo { access, data, audit }
            }
            other => return Err(SettingsError::StoreNotAvailable(other.to_owned())),
        };
        for name in SET_BY_LAMBDA {
            by_lambda(name)?;
        }
        Ok(Self { profile, environment, store })
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
        assert!(refusal("STORE", "oracle").contains("\"oracle\" is not available"));
        assert!(refusal("APP_ENVIRONMENT", "Prod").contains("APP_ENVIRONMENT"));
        assert!(refusal("TABLE_AUDIT", "other").contains("Audit_Logs_Local"));
    }

    const DYNAMO: [(&str, &str); 8] = [
        ("APP_PROFILE", "aws"),
        ("APP_ENVIRONMENT", "prod"),
        ("STORE", "dynamodb"),
        ("TABLE_DATA", "Data"),
        ("TABLE_AUDIT", "Audit"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "AKID"),
        ("AWS_SECRET_ACCESS_KEY", "hush"),
    ];

    fn dynamo_with(name: &str, value: Option<&str>) -> Result<Settings, SettingsError> {
        Settings::read(|asked| {
            let good = DYNAMO.iter().find(|(known, _)| *known == asked).map(|(_, value)| *value);
            let good = good.or_else(|| SET_BY_LAMBDA.contains(&asked).then_some("128"));
            let given = if asked == name { value } else { good };
            given.map(str::to_owned).ok_or(VarError::NotPresent)
        })
    }

    fn access(name: &str, value: &str) -> DynamoAccess {
        match dynamo_with(name, Some(value)).unwrap().store {
            Store::Dynamo { access, .. } => access,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn dynamodb_is_found_where_the_sdks_find_it() {
        assert_eq!(access("", "").endpoint, "https://dynamodb.eu-west-1.amazonaws.com");
        assert_eq!(access("AWS_ENDPOINT_URL", "http://127.0.0.1:4566").endpoint, "http://127.0.0.1:4566");
        assert_eq!(access("AWS_ENDPOINT_URL_DYNAMODB", "http://db").endpoint, "http://db");
        assert_eq!(access("AWS_SESSION_TOKEN", "").session_token, None);
    }

    #[test]
    fn a_secret_is_not_shown() {
        let shown = format!("{:?}", dynamo_with("AWS_SESSION_TOKEN", Some("hush")).unwrap());
        assert!(shown.contains("AKID") && !shown.contains("hush"), "{shown}");
    }

    #[test]
    fn what_dynamodb_needs_is_named() {
        for (name, _) in &DYNAMO[3..] {
            for absent in [None, Some("")] {
                let message = dynamo_with(name, absent).unwrap_err().to_string();
                assert!(message.contains(name) && message.contains("is not set"), "{message}");
            }
        }
    }

    #[test]
    fn outside_of_lambda_the_way_in_is_told() {
        for name in SET_BY_LAMBDA {
            let message = read_with(name, None).unwrap_err().to_string();
            assert!(message.contains(name) && message.contains("cargo xtask invoke"), "{message}");
        }
    }
}
