//! What a message of Oracle means for a lookup. Pure: text in, verdict out.

use std::fmt;

/// A failure that the database or its client library reported, without any of its words: those may repeat values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OracleFault {
    /// What it means.
    pub kind: FaultKind,
    /// Oracle's own number, such as `ORA-12541`; `None` for what only the driver knows.
    pub reported: Option<Reported>,
}

/// A number as Oracle prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reported {
    origin: &'static str,
    number: u32,
}

/// What a failure means. The codes go into the log and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// There is no such row.
    NotFound,
    /// The database has no room for another session, or the row is locked.
    Busy,
    /// It took too long.
    TimedOut,
    /// User and password are not good, or not any more.
    Credentials,
    /// The client library is not there, or too old.
    ClientLibrary,
    /// There is no connection, or none any more; another one may be had.
    Disconnected,
    /// Anything else.
    Refused,
}

/// ODPI-C's own numbers, from its `dpiErrorMessages.h`: not connected, library not found, library too old, call time-out
/// exceeded, library not supported, connection closed.
const DPI: [(u32, FaultKind); 6] = [
    (1010, FaultKind::Disconnected),
    (1047, FaultKind::ClientLibrary),
    (1050, FaultKind::ClientLibrary),
    (1067, FaultKind::TimedOut),
    (1072, FaultKind::ClientLibrary),
    (1080, FaultKind::Disconnected),
];

/// Oracle Database Error Messages, by number; where another source says why, it stands beside the rule.
const ORA: [(FaultKind, &[u32]); 5] = [
    // No data found.
    (FaultKind::NotFound, &[1403]),
    // Sessions (18), processes (20), a locked row (54), sessions of the user (2391); a listener without a free handler: the
    // server's `processes` are used up (oracle/node-oracledb#605); a pool that is used up (24418, 24457, 24459).
    (FaultKind::Busy, &[18, 20, 54, 2391, 12516, 12518, 12519, 12520, 24418, 24457, 24459]),
    // A resource (51), cancelled (1013), the listener's own limit (3136) and the call's (3156): both are a call that took too
    // long to ODPI-C, in `dpiError.c`; connecting (12170, oracle/node-oracledb#1278; 12535).
    (FaultKind::TimedOut, &[51, 1013, 3136, 3156, 12170, 12535]),
    // No password, a wrong one, a locked user, an expired password.
    (FaultKind::Credentials, &[1005, 1017, 28000, 28001]),
    // The numbers after which ODPI-C calls a session dead (`dpiError.c`): killed, logged off, shut down, idle for too long, end
    // of file, not connected, lost contact. Then a database that is starting (1033) or down (1034), a listener that knows no
    // such service (12505, 12514), will not have it now (12526, 12528), or is not there (12541), and a host that is not (12543,
    // 12545).
    (
        FaultKind::Disconnected,
        &[
            22, 28, 31, 45, 602, 603, 609, 1012, 1033, 1034, 1041, 1089, 1092, 2396, 3113, 3114, 3135, 12153, 12505,
            12514, 12526, 12528, 12537, 12541, 12543, 12545, 12547, 12570, 12571, 12583,
        ],
    ),
];

impl OracleFault {
    /// What `message`, a text of the database or of ODPI-C, means: by the number that it begins with.
    ///
    /// ODPI-C says that it closed a connection (DPI-1080) for a call that took too long as well: its clean-up gets as much
    /// time again, and where that is not enough the connection goes (oracle/node-oracledb#1541). The number behind it tells.
    pub fn of(message: &str) -> Self {
        let mut numbers = message.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').filter_map(Reported::read);
        let Some(first) = numbers.next() else { return Self { kind: FaultKind::Refused, reported: None } };
        let kind = match (first.kind(), numbers.next().map(|behind| behind.kind())) {
            (FaultKind::Disconnected, Some(FaultKind::TimedOut)) if first.origin == "DPI" => FaultKind::TimedOut,
            (kind, _) => kind,
        };
        Self { kind, reported: Some(first) }
    }
}

impl Reported {
    fn read(word: &str) -> Option<Self> {
        let (origin, number) = word.split_once('-')?;
        let origin = ["DPI", "ORA"].into_iter().find(|known| *known == origin)?;
        Some(Self { origin, number: number.parse().ok()? })
    }

    fn kind(self) -> FaultKind {
        let found = if self.origin == "DPI" {
            DPI.iter().find(|(number, _)| *number == self.number).map(|(_, kind)| *kind)
        } else {
            ORA.iter().find(|(_, numbers)| numbers.contains(&self.number)).map(|(kind, _)| *kind)
        };
        found.unwrap_or(FaultKind::Refused)
    }
}

impl FaultKind {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotFound => "ORACLE_NOT_FOUND",
            Self::Busy => "ORACLE_BUSY",
            Self::TimedOut => "ORACLE_TIMEOUT",
            Self::Credentials => "ORACLE_CREDENTIALS",
            Self::ClientLibrary => "ORACLE_CLIENT_LIBRARY",
            Self::Disconnected => "ORACLE_DISCONNECTED",
            Self::Refused => "ORACLE_REFUSED",
        }
    }

    /// What happened, and what to do.
    fn words(self) -> &'static str {
        match self {
            Self::NotFound => "there is no such row",
            Self::Busy => "the database has no session free, or the row is locked: try again, or raise its limits",
            Self::TimedOut => "the database does not answer in time: look at its load, and at the way to it",
            Self::Credentials => "the database refuses user or password: correct the secret or the user",
            Self::ClientLibrary => {
                "Oracle's client library cannot be used: add its layer to the function, or correct ORACLE_CLIENT_LIB_DIR"
            }
            Self::Disconnected => {
                "there is no connection to the database: see that it runs and that ORACLE_HOST names it"
            }
            Self::Refused => "the database refuses the statement: look its number up, and compare tables and grants",
        }
    }
}

impl fmt::Display for OracleFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.kind.code())?;
        if let Some(Reported { origin, number }) = self.reported {
            // As Oracle pads them, so that they are found where they are looked up.
            let width = if origin == "DPI" { 4 } else { 5 };
            write!(formatter, " ({origin}-{number:0width$})")?;
        }
        write!(formatter, ": {}", self.kind.words())
    }
}

impl std::error::Error for OracleFault {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages as people recorded them; the ODPI-C ones as its `dpiErrorMessages.h` prints them.
    const RECORDED: [(&str, FaultKind, &str); 26] = [
        ("ORA-01403: no data found", FaultKind::NotFound, "ORA-01403"),
        ("ORA-00054: resource busy and acquire with NOWAIT specified or timeout expired", FaultKind::Busy, "ORA-00054"),
        (
            "ORA-12516: TNS:listener could not find available handler with matching protocol stack",
            FaultKind::Busy,
            "ORA-12516",
        ),
        ("ORA-12519: TNS:no appropriate service handler found", FaultKind::Busy, "ORA-12519"),
        (
            "ORA-12520: TNS:listener could not find available handler for requested type of server",
            FaultKind::Busy,
            "ORA-12520",
        ),
        ("ORA-24418: Cannot open further sessions.", FaultKind::Busy, "ORA-24418"),
        ("ORA-01013: user requested cancel of current operation", FaultKind::TimedOut, "ORA-01013"),
        ("DPI-1067: call timeout of 5000 ms exceeded with ORA-3156", FaultKind::TimedOut, "DPI-1067"),
        ("DPI-1067: call timeout of 900 ms exceeded with ORA-03136", FaultKind::TimedOut, "DPI-1067"),
        ("DPI-1080: connection was closed by ORA-3156", FaultKind::TimedOut, "DPI-1080"),
        ("ORA-12170: TNS:Connect timeout occurred", FaultKind::TimedOut, "ORA-12170"),
        ("ORA-03136: inbound connection timed out", FaultKind::TimedOut, "ORA-03136"),
        ("ORA-01017: invalid username/password; logon denied", FaultKind::Credentials, "ORA-01017"),
        (
            "ORA-01017: invalid credential or not authorized; logon denied\nHelp: https://docs.oracle.com/error-help/db/ora-01017/",
            FaultKind::Credentials,
            "ORA-01017",
        ),
        ("ORA-28000: The account is locked.", FaultKind::Credentials, "ORA-28000"),
        ("ORA-28001: the password has expired", FaultKind::Credentials, "ORA-28001"),
        (
            "DPI-1047: Cannot locate a 64-bit Oracle Client library: \"libclntsh.so: cannot open shared object file: No such file or directory\". See https://oracle.github.io/odpi/doc/installation.html#linux for help",
            FaultKind::ClientLibrary,
            "DPI-1047",
        ),
        (
            "DPI-1050: Oracle Client library is at version 11.1 but version 11.2 or higher is needed",
            FaultKind::ClientLibrary,
            "DPI-1050",
        ),
        ("DPI-1010: not connected", FaultKind::Disconnected, "DPI-1010"),
        ("DPI-1080: connection was closed by ORA-3113", FaultKind::Disconnected, "DPI-1080"),
        ("DPI-1080: connection was closed by ORA-2396", FaultKind::Disconnected, "DPI-1080"),
        (
            "ORA-03113: end-of-file on communication channel\nProcess ID: 8904\nSession ID: 790 Serial number: 35991",
            FaultKind::Disconnected,
            "ORA-03113",
        ),
        ("ORA-12541: TNS:no listener", FaultKind::Disconnected, "ORA-12541"),
        (
            "ORA-12514: TNS:listener does not currently know of service requested in connect descriptor",
            FaultKind::Disconnected,
            "ORA-12514",
        ),
        ("ORA-00942: table or view does not exist", FaultKind::Refused, "ORA-00942"),
        ("ORA-01008: not all variables bound", FaultKind::Refused, "ORA-01008"),
    ];

    #[test]
    fn recorded_messages_have_their_kind_and_keep_nothing_but_their_number() {
        for (message, kind, number) in RECORDED {
            let fault = OracleFault::of(message);
            assert_eq!(fault.kind, kind, "{message}");
            let shown = fault.to_string();
            assert!(shown.starts_with(&format!("{} ({number}): ", kind.code())), "{shown}");
            assert!(!shown.contains(message.split_once(": ").unwrap().1), "{shown}");
        }
    }

    #[test]
    fn the_first_number_counts_and_others_do_not_hide_it() {
        let kind = |message: &str| OracleFault::of(message).kind;
        assert_eq!(
            kind("ORA-00604: error occurred at recursive SQL level 1\nORA-03113: end-of-file"),
            FaultKind::Refused
        );
        assert_eq!(kind("ORA-01017: logon denied\nORA-03136: inbound"), FaultKind::Credentials);
        assert_eq!(kind("ORA-03113: end-of-file\nORA-03156: timed out"), FaultKind::Disconnected);
    }

    #[test]
    fn what_has_no_number_is_refused_without_its_words() {
        for message in ["", "invalid digit found in 9,99", "ORA-", "ORA-x", "XORA-03113", "TNS-12541: no listener"] {
            let fault = OracleFault::of(message);
            assert_eq!((fault.kind, fault.reported), (FaultKind::Refused, None), "{message:?}");
            assert!(!fault.to_string().contains("9,99"));
        }
    }

    #[test]
    fn no_number_means_two_things() {
        let mut all: Vec<u32> = ORA.iter().flat_map(|(_, numbers)| numbers.iter().copied()).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
