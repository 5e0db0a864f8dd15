//! How MiniStack is started, by the toolchain as by its tests: on the loopback only, with nothing of the caller's
//! environment, and without the listeners that nobody here needs.

use std::{
    fs, io,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    process::Command,
    time::Duration,
};

use camino::Utf8Path;

/// Whether callers are asked who they are and what they may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// Everybody may do everything.
    Off,
    /// Signatures and policies count. Keys of root are never checked: use them only to make users and roles.
    On,
}

/// What differs from one emulator to another.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// Its port on the loopback.
    pub port: u16,
    /// Its working directory and home; what it keeps lies below.
    pub home: &'a Utf8Path,
    /// Whether it asks callers who they are.
    pub auth: Auth,
    /// Whether it finds its state again after a clean end. (The retention of objects it never does.)
    pub keeps: bool,
}

/// A Python that runs this script, in the emulator's surroundings.
///
/// # Errors
/// If its folders cannot be made.
#[expect(clippy::disallowed_methods, reason = "folder, environment and stdin are set here and by the caller")]
pub fn command(python: &Utf8Path, script: &str, setting: &Setting<'_>) -> io::Result<Command> {
    let Setting { port, home, auth, keeps } = setting;
    let (tmp, state) = (home.join("tmp"), home.join("state"));
    fs::create_dir_all(&tmp)?;
    let endpoint = format!("http://127.0.0.1:{port}");
    let on = |yes: bool| if yes { "1" } else { "0" };
    let mut command = Command::new(python);
    // It hands its whole environment on to every function that it runs, so it gets none of ours.
    command.args(["-c", script]).current_dir(home).env_clear();
    command.envs([("PATH", "/usr/local/bin:/usr/bin:/bin"), ("LANG", "C.UTF-8"), ("LOG_LEVEL", "WARNING")]);
    command.envs([("HOME", home.as_str()), ("TMPDIR", tmp.as_str())]);
    command.envs([("PYTHONUNBUFFERED", "1"), ("PYTHONNOUSERSITE", "1"), ("AWS_EC2_METADATA_DISABLED", "true")]);
    command.envs([("GATEWAY_PORT", port.to_string().as_str()), ("BIND_HOST", "127.0.0.1")]);
    command.envs([("MINISTACK_HOST", "localhost"), ("MINISTACK_REGION", "us-east-1")]);
    command.envs([("AWS_DEFAULT_REGION", "us-east-1"), ("AWS_ENDPOINT_URL", endpoint.as_str())]);
    command.envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")]);
    command.env("AUTH", if *auth == Auth::On { "true" } else { "false" });
    // Listeners beside its port that nobody here needs; one of them would be open to the whole network.
    command.envs([("IOT_MTLS_ENABLED", "0"), ("SFTP_ENABLED", "0"), ("SFTP_PORT_PER_SERVER", "0"), ("USE_SSL", "0")]);
    command.envs([("LAMBDA_EXECUTOR", "local"), ("LAMBDA_STRICT", "0"), ("LAMBDA_ASYNC_RETRY_BASE_SECONDS", "0.1")]);
    command.env("DOCKER_HOST", "unix:///nonexistent/docker.sock");
    command.envs([("PERSIST_STATE", on(*keeps)), ("S3_PERSIST", on(*keeps))]);
    command.envs([("STATE_DIR", state.join("services").as_str()), ("S3_DATA_DIR", state.join("s3").as_str())]);
    Ok(command)
}

/// Whether one answers on this port that is ready to serve.
#[must_use]
pub fn is_ready(port: u16) -> bool {
    let answer = || {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
        stream.write_all(b"GET /_ministack/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
        let mut status = [0; 12];
        stream.read_exact(&mut status).ok()?;
        Some(status)
    };
    answer().is_some_and(|status| &status == b"HTTP/1.1 200")
}

/// A port of the loopback that is free now.
///
/// # Errors
/// If there is none.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
