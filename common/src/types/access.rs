//! Where a service is, and as whom it is called.

use camino::Utf8PathBuf;

use crate::types::{OracleAddress, Secret};

/// How a service of AWS is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsAccess {
    /// `https://` or `http://`, a host, and perhaps a port.
    pub endpoint: String,
    /// The region, such as `eu-central-1`.
    pub region: String,
    /// The access key's id.
    pub key_id: String,
    /// The access key's secret.
    pub secret: Secret,
    /// What the credentials of a role have beside.
    pub session_token: Option<Secret>,
}

/// How an Oracle database is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OracleAccess {
    /// Where it is.
    pub address: OracleAddress,
    /// As whom.
    pub login: OracleLogin,
    /// The folder of the client library; `None` leaves it to the machine's loader (on Lambda: `/opt/lib` of a layer).
    pub library: Option<Utf8PathBuf>,
}

/// Where user and password come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OracleLogin {
    /// From the environment, on a developer's machine.
    Given(Credentials),
    /// From AWS Secrets Manager, which may change them at any time.
    Stored {
        /// How Secrets Manager is called.
        access: AwsAccess,
        /// The secret's name or ARN.
        id: String,
        /// The user, where the secret names none.
        user: Option<Secret>,
    },
}

/// Who logs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The database user.
    pub user: Secret,
    /// Its password.
    pub password: Secret,
}
