//! The options that every command has.

use clap::ValueEnum;

use crate::output::progress::Level;

/// Options of every command, listed after a command's own.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Globals {
    /// Where things run and are kept.
    #[arg(long, global = true, env = "XTASK_PROFILE", value_name = "PROFILE", default_value = "local")]
    pub profile: Profile,
    /// The configuration file [default: the nearest release.toml from here upwards]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<camino::Utf8PathBuf>,
    /// Print the result as one JSON document.
    #[arg(long, global = true)]
    pub json: bool,
    /// Print what would be done, and stop.
    #[arg(long, global = true)]
    pub plan: bool,
    /// Tell every step.
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
    /// Tell only warnings.
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// When to colour.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
}

impl Globals {
    /// How much of the story to tell.
    #[must_use]
    pub fn level(&self) -> Level {
        match (self.verbose, self.quiet) {
            (true, _) => Level::Verbose,
            (_, true) => Level::Quiet,
            _ => Level::Normal,
        }
    }
}

/// The profiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Profile {
    /// This machine: no cloud, container or daemon
    Local,
    /// S3, Lambda and KMS, as `[profile.aws]` of release.toml says
    Aws,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl From<Color> for anstream::ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}
