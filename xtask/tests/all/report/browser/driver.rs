//! Starts Chromium's driver on a port that it chooses itself, and ends it with the test.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::Duration,
};

use camino::Utf8PathBuf;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use xtask::model::digest::Digest;

/// The accessibility checker: the package, and what its one file must hash to.
const AXE: &str = "axe-core@4.14.1";
const AXE_SHA256: &str = "sha256:29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c";

/// What the reader prefers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Theme {
    Light,
    Dark,
}

/// A driver under way, with a folder for the page.
pub(super) struct Browser {
    driver: Child,
    address: String,
    theme: Theme,
    folder: tempfile::TempDir,
}

impl Browser {
    pub(super) async fn start(theme: Theme) -> Self {
        let missing = "these tests need Chromium and its driver: `apt-get install chromium chromium-driver`";
        let mut command = Command::new("chromedriver");
        let mut driver = command.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect(missing);
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines.find_map(|line| {
            let line = line.expect("chromedriver tells its port");
            line.split_once("started successfully on port ")?.1.trim_end_matches('.').parse::<u16>().ok()
        });
        let address = format!("http://127.0.0.1:{}", port.expect("chromedriver tells its port"));
        // Whoever does not read what it says lets it stand still at last.
        std::thread::spawn(move || lines.for_each(drop));
        Self { driver, address, theme, folder: tempfile::tempdir().unwrap() }
    }

    /// Shows a page from a file, without any server.
    pub(super) async fn open(&self, page: &str) -> Client {
        let scheme = match self.theme {
            Theme::Dark => 0,
            Theme::Light => 1,
        };
        let blink = format!("--blink-settings=preferredColorScheme={scheme}");
        // Containers have no user namespaces and a small /dev/shm.
        let args = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,1000", &blink];
        let capabilities = json!({ "goog:chromeOptions": { "args": args }, "timeouts": { "script": 120_000 } });
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let capabilities = capabilities.as_object().unwrap().clone();
        let client = builder.capabilities(capabilities).connect(&self.address).await.unwrap();
        let path = self.folder.path().join("board.html");
        std::fs::write(&path, page).unwrap();
        client.goto(&format!("file://{}", path.display())).await.unwrap();
        client
    }
}

impl Browser {
    fn shut_down(&self) -> std::io::Result<()> {
        let host = self.address.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        write!(stream, "GET /shutdown HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
        stream.read_to_end(&mut Vec::new()).map(drop)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Asked to, the driver ends the browser that a failed test left; killed, it would leave it behind.
        if self.shut_down().is_err() {
            self.driver.kill().unwrap_or_default();
        }
        self.driver.wait().map(drop).unwrap_or_default();
    }
}

/// The script of the accessibility checker.
pub(super) fn axe() -> String {
    static SCRIPT: OnceLock<String> = OnceLock::new();
    SCRIPT.get_or_init(fetch_axe).clone()
}

fn build_folder() -> Utf8PathBuf {
    Utf8PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
}

fn fetch_axe() -> String {
    let kept = build_folder().join(format!("{}.js", AXE.replace('@', "-")));
    if !kept.exists() {
        let folder = tempfile::tempdir().unwrap();
        let run = |program: &str, args: &[&str]| {
            let mut command = Command::new(program);
            let ran = command.args(args).current_dir(folder.path()).output();
            let ran =
                ran.unwrap_or_else(|error| panic!("these tests need `{program}` to get {AXE}: {error}; install it"));
            assert!(ran.status.success(), "{program}: {}", String::from_utf8_lossy(&ran.stderr));
            String::from_utf8(ran.stdout).unwrap()
        };
        let archive = run("npm", &["pack", "--silent", AXE]);
        run("tar", &["-xzf", archive.trim(), "package/axe.min.js"]);
        let script = std::fs::read(folder.path().join("package/axe.min.js")).unwrap();
        // Several tests may fetch it at the same time: each puts the whole file there at once.
        let draft = tempfile::NamedTempFile::new_in(build_folder()).unwrap();
        std::fs::write(draft.path(), script).unwrap();
        draft.persist(&kept).unwrap();
    }
    let script = std::fs::read_to_string(&kept).unwrap();
    assert_eq!(Digest::of(script.as_bytes()).to_string(), AXE_SHA256, "{kept} is not the {AXE} that is known");
    script
}

/// Keeps a picture in the build folder.
pub(super) fn keep(name: &str, bytes: &[u8]) {
    std::fs::write(build_folder().join(name), bytes).unwrap();
}
