//! `STORE`: which engines hold prices, configuration and audit items, and which of them go together.

use camino::Utf8PathBuf;

use super::{Profile, SettingsError, Variables};
use crate::constants::AUDIT_TABLE_LOCAL;
use crate::types::{AwsAccess, Credentials, OracleAccess, OracleAddress, OracleLogin, Secret};

/// Which engine holds prices and configuration, and which one the audit items. Other pairs than these cannot be said.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there is one in a process")]
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
        access: AwsAccess,
        /// `TABLE_DATA`: the table with prices and configuration.
        data: String,
        /// `TABLE_AUDIT`: the table with the audit items.
        audit: String,
    },
    /// An Oracle database, which is only read; audit items go elsewhere.
    Oracle {
        /// Where it is, and as whom it is asked.
        access: OracleAccess,
        /// Where the audit items go.
        audit: Audit,
    },
}

/// Where audit items go when the data is in Oracle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audit {
    /// `SQLITE_AUDIT`, under the local profile only.
    Sqlite(Utf8PathBuf),
    /// `TABLE_AUDIT` in DynamoDB.
    Dynamo {
        /// Where DynamoDB is, and as whom it is called.
        access: AwsAccess,
        /// The table.
        table: String,
    },
}

impl Store {
    pub(super) fn read(variables: &Variables<'_>, profile: Profile) -> Result<Self, SettingsError> {
        match variables.required("STORE")?.as_str() {
            "sqlite" if profile != Profile::Local => Err(SettingsError::SqliteOutsideLocal("STORE")),
            "sqlite" => {
                let data = variables.required("SQLITE_DATA")?.into();
                let audit = sqlite_audit(variables, variables.required("SQLITE_AUDIT")?)?;
                Ok(Self::Sqlite { data, audit })
            }
            "dynamodb" => {
                let (data, audit) = (variables.required("TABLE_DATA")?, variables.required("TABLE_AUDIT")?);
                Ok(Self::Dynamo { access: dynamodb(variables)?, data, audit })
            }
            "oracle" => {
                let access = OracleAccess {
                    address: address(variables)?,
                    login: login(variables, profile)?,
                    library: variables.optional("ORACLE_CLIENT_LIB_DIR")?.map(Utf8PathBuf::from),
                };
                Ok(Self::Oracle { access, audit: audit(variables, profile)? })
            }
            other => Err(SettingsError::StoreNotKnown(other.to_owned())),
        }
    }
}

fn audit(variables: &Variables<'_>, profile: Profile) -> Result<Audit, SettingsError> {
    match (variables.optional("SQLITE_AUDIT")?, variables.optional("TABLE_AUDIT")?) {
        (Some(_), _) if profile != Profile::Local => Err(SettingsError::SqliteOutsideLocal("SQLITE_AUDIT")),
        (Some(path), _) => Ok(Audit::Sqlite(sqlite_audit(variables, path)?)),
        (None, Some(table)) => Ok(Audit::Dynamo { access: dynamodb(variables)?, table }),
        (None, None) => Err(SettingsError::NoAudit),
    }
}

fn sqlite_audit(variables: &Variables<'_>, file: String) -> Result<Utf8PathBuf, SettingsError> {
    match variables.optional("TABLE_AUDIT")? {
        Some(table) if table != AUDIT_TABLE_LOCAL => Err(SettingsError::AuditTable(table)),
        _ => Ok(file.into()),
    }
}

fn address(variables: &Variables<'_>) -> Result<OracleAddress, SettingsError> {
    let (host, port) = (variables.required("ORACLE_HOST")?, variables.optional("ORACLE_PORT")?);
    Ok(OracleAddress::new(&host, port.as_deref(), &variables.required("ORACLE_SERVICE")?)?)
}

fn login(variables: &Variables<'_>, profile: Profile) -> Result<OracleLogin, SettingsError> {
    let (secret, password) = (variables.optional("ORACLE_SECRET")?, variables.optional("ORACLE_PASSWORD")?);
    match (secret, password) {
        (_, Some(_)) if profile != Profile::Local => Err(SettingsError::PasswordOutsideLocal),
        (Some(_), Some(_)) => Err(SettingsError::TwoPasswords),
        (None, Some(password)) => {
            let user = Secret::new(variables.required("ORACLE_USER")?);
            Ok(OracleLogin::Given(Credentials { user, password: Secret::new(password) }))
        }
        (Some(secret), None) => {
            let access = aws(variables, "AWS_ENDPOINT_URL_SECRETS_MANAGER", "secretsmanager")?;
            let user = variables.optional("ORACLE_USER")?.map(Secret::new);
            Ok(OracleLogin::Stored { access, id: secret, user })
        }
        (None, None) if profile == Profile::Local => Err(SettingsError::Missing("ORACLE_PASSWORD")),
        (None, None) => Err(SettingsError::Missing("ORACLE_SECRET")),
    }
}

fn dynamodb(variables: &Variables<'_>) -> Result<AwsAccess, SettingsError> {
    aws(variables, "AWS_ENDPOINT_URL_DYNAMODB", "dynamodb")
}

/// A service of AWS, found by the names that every SDK of AWS reads, in the order in which it does.
fn aws(variables: &Variables<'_>, own: &'static str, service: &str) -> Result<AwsAccess, SettingsError> {
    let region = variables.by_lambda("AWS_REGION")?;
    let given = variables.optional(own)?.map_or_else(|| variables.optional("AWS_ENDPOINT_URL"), |own| Ok(Some(own)));
    let endpoint = given?.unwrap_or_else(|| format!("https://{service}.{region}.amazonaws.com"));
    Ok(AwsAccess {
        endpoint,
        region,
        key_id: variables.by_lambda("AWS_ACCESS_KEY_ID")?,
        secret: Secret::new(variables.by_lambda("AWS_SECRET_ACCESS_KEY")?),
        session_token: variables.optional("AWS_SESSION_TOKEN")?.map(Secret::new),
    })
}

#[cfg(test)]
mod tests {
    use std::env::VarError;

    use super::super::SET_BY_LAMBDA;
    use super::*;
    use crate::types::Settings;

    const AWS: [(&str, &str); 3] =
        [("AWS_REGION", "eu-west-1"), ("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "hush")];
    const DYNAMO: [(&str, &str); 3] = [("STORE", "dynamodb"), ("TABLE_DATA", "Data"), ("TABLE_AUDIT", "Audit")];
    const ORACLE: [(&str, &str); 5] = [
        ("STORE", "oracle"),
        ("ORACLE_HOST", "db"),
        ("ORACLE_SERVICE", "FREEPDB1"),
        ("ORACLE_SECRET", "prod/oracle"),
        ("TABLE_AUDIT", "Audit"),
    ];

    /// Reads `given` with `changed` put over it, where an empty value takes a variable away.
    fn read(profile: &str, given: &[(&str, &str)], changed: &[(&str, &str)]) -> Result<Store, SettingsError> {
        let base = [("APP_PROFILE", profile), ("APP_ENVIRONMENT", "prod")];
        let all = [&base[..], &SET_BY_LAMBDA.map(|name| (name, "128")), &AWS, given, changed].concat();
        let settings = Settings::read(|asked| {
            let found = all.iter().rev().find(|(name, _)| *name == asked);
            found.map(|(_, value)| (*value).to_owned()).ok_or(VarError::NotPresent)
        });
        settings.map(|settings| settings.store)
    }

    fn refusal(profile: &str, given: &[(&str, &str)], changed: &[(&str, &str)]) -> String {
        read(profile, given, changed).unwrap_err().to_string()
    }

    fn access(changed: &[(&str, &str)]) -> AwsAccess {
        match read("aws", &DYNAMO, changed).unwrap() {
            Store::Dynamo { access, .. } => access,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn dynamodb_is_found_where_the_sdks_find_it() {
        assert_eq!(access(&[]).endpoint, "https://dynamodb.eu-west-1.amazonaws.com");
        assert_eq!(access(&[("AWS_ENDPOINT_URL", "http://all")]).endpoint, "http://all");
        let both = [("AWS_ENDPOINT_URL", "http://all"), ("AWS_ENDPOINT_URL_DYNAMODB", "http://db")];
        assert_eq!(access(&both).endpoint, "http://db");
        assert_eq!(access(&[("AWS_SESSION_TOKEN", "")]).session_token, None);
    }

    #[test]
    fn a_secret_is_not_shown() {
        let shown = format!("{:?}", access(&[("AWS_SESSION_TOKEN", "hush")]));
        assert!(shown.contains("AKID") && !shown.contains("hush"), "{shown}");
        let local = [("ORACLE_SECRET", ""), ("ORACLE_USER", "app-user"), ("ORACLE_PASSWORD", "whisper")];
        let shown = format!("{:?}", read("local", &ORACLE, &local).unwrap());
        assert!(!shown.contains("app-user") && !shown.contains("whisper"), "{shown}");
    }

    #[test]
    fn what_a_store_needs_is_named() {
        let oracle = &ORACLE[1..4];
        for (given, needed) in [(&DYNAMO[..], &[&DYNAMO[1..], &AWS].concat()), (&ORACLE, &[oracle, &AWS].concat())] {
            for (name, _) in needed {
                let message = refusal("aws", given, &[(name, "")]);
                assert!(message.contains(name) && message.contains("is not set"), "{message}");
            }
        }
    }

    #[test]
    fn oracle_in_aws_takes_its_password_from_a_secret_and_audits_in_dynamodb() {
        let Store::Oracle { access, audit } = read("aws", &ORACLE, &[]).unwrap() else { panic!("another store") };
        assert_eq!(access.address, OracleAddress::new("db", None, "FREEPDB1").unwrap());
        let OracleLogin::Stored { access: manager, id, user } = access.login else { panic!("another login") };
        assert_eq!((id.as_str(), user, access.library), ("prod/oracle", None, None));
        assert_eq!(manager.endpoint, "https://secretsmanager.eu-west-1.amazonaws.com");
        let Audit::Dynamo { access, table } = audit else { panic!("another audit store") };
        assert_eq!((access.endpoint.as_str(), table.as_str()), ("https://dynamodb.eu-west-1.amazonaws.com", "Audit"));
    }

    #[test]
    fn oracle_on_a_laptop_audits_in_sqlite_or_dynamodb() {
        let local = [("ORACLE_SECRET", ""), ("ORACLE_USER", "app"), ("ORACLE_PASSWORD", "p"), ("ORACLE_PORT", "2484")];
        let Store::Oracle { access, audit } = read("local", &ORACLE, &local).unwrap() else { panic!("another store") };
        assert!(matches!(audit, Audit::Dynamo { .. }));
        assert!(matches!(access.login, OracleLogin::Given(Credentials { ref user, .. }) if user.expose() == "app"));
        let sqlite = [&local[..], &[("SQLITE_AUDIT", "audit.db"), ("TABLE_AUDIT", AUDIT_TABLE_LOCAL)]].concat();
        let Store::Oracle { audit, .. } = read("local", &ORACLE, &sqlite).unwrap() else { panic!("another store") };
        assert_eq!(audit, Audit::Sqlite("audit.db".into()));
    }

    #[test]
    fn pairs_and_logins_that_are_none_are_refused_with_their_remedy() {
        let refused = |profile, changed: &[(&str, &str)]| refusal(profile, &ORACLE, changed);
        assert!(refused("aws", &[("TABLE_AUDIT", "")]).contains("set TABLE_AUDIT for DynamoDB"));
        assert!(
            refused("aws", &[("SQLITE_AUDIT", "a.db")]).starts_with("SQLITE_AUDIT asks for SQLite under profile aws")
        );
        assert!(refused("local", &[("SQLITE_AUDIT", "a.db")]).contains("TABLE_AUDIT is \"Audit\""));
        assert!(refused("aws", &[("ORACLE_PASSWORD", "p")]).contains("ORACLE_SECRET"));
        assert!(refused("local", &[("ORACLE_PASSWORD", "p")]).contains("remove one"));
        assert!(refused("local", &[("ORACLE_SECRET", "")]).contains("ORACLE_PASSWORD is not set"));
        let no_user = [("ORACLE_SECRET", ""), ("ORACLE_PASSWORD", "p")];
        assert!(refused("local", &no_user).contains("ORACLE_USER is not set"));
        assert!(refused("aws", &[("ORACLE_HOST", "db)(x")]).contains("address of the Oracle database"));
    }
}
