//! `invoke --debug`: real debuggers stop in the `service.rs` of a real function, gdb as the command tells, lldb by the very
//! commands that VS Code is given in `.vscode/launch.json`; and what stands in `.vscode` fits the project.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, ChildStderr, Command, Stdio},
};

use camino::{Utf8Path, Utf8PathBuf};
use clap::Parser as _;
use serde_json::{Value, json};
use xtask::{cmd::Cli, config::load};

use crate::support::{copy::original, project::command};

const SERVICE: &str = "functions/price-fetcher/src/service.rs";

/// Where `product` is known already.
const STOPS_AT: &str = "let auditor = ";

/// `invoke --debug` while it waits.
struct Waiting {
    child: Child,
    story: BufReader<ChildStderr>,
    told: String,
    pid: String,
}

impl Waiting {
    fn start(local: &Utf8Path) -> Self {
        let args = ["invoke", "price-fetcher", "--event", "infra-local/events/price-event.json", "--debug", "--json"];
        let mut invoke = command(original(), local, &args);
        let mut child = invoke.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let story = BufReader::new(child.stderr.take().unwrap());
        let mut waiting = Self { child, story, told: String::new(), pid: String::new() };
        waiting.until("-o continue");
        waiting.pid = fs::read_to_string(local.join("debugger.pid")).unwrap();
        waiting
    }

    fn until(&mut self, text: &str) {
        while !self.told.contains(text) {
            let read = self.story.read_line(&mut self.told).unwrap();
            assert!(read > 0, "it ended without saying `{text}`: {}", self.told);
        }
    }

    /// Its answer, when the debugger has let it go.
    fn answer(mut self) -> Value {
        let mut answer = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut answer).unwrap();
        self.story.read_to_string(&mut self.told).unwrap();
        assert!(self.child.wait().unwrap().success(), "{}", self.told);
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}\n{}", self.told))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// The line of the service that a breakpoint is set at, counted from 1.
fn line() -> usize {
    let text = fs::read_to_string(original().join(SERVICE)).unwrap();
    text.lines().position(|line| line.trim().starts_with(STOPS_AT)).expect("the service is written in another way now")
        + 1
}

/// What a debugger wrote, in the form that Rust's toolchain brings along, which knows how its types look.
fn debugger(program: &str, package: &str, args: &[String]) -> String {
    let there = Command::new(package).arg("--version").output().is_ok_and(|output| output.status.success());
    assert!(there, "this test needs {package}: `apt-get install {package}`");
    let mut debugger = Command::new(program);
    // Debian's lldb looks for its own Python where its package does not put it.
    debugger.env("PYTHONPATH", python_of_lldb().join(":"));
    let output = debugger.args(args).current_dir(original()).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let told = text(&output.stdout) + &text(&output.stderr);
    let refused = ["Operation not permitted", "attach failed"].iter().any(|words| told.contains(words));
    assert!(!refused, "a debugger must be able to attach: `sudo sysctl kernel.yama.ptrace_scope=0`\n{told}");
    told
}

/// Where Debian's packages have put what lldb's Python imports.
fn python_of_lldb() -> Vec<String> {
    let below = |folder: &str| {
        let entries = Utf8Path::new(folder).read_dir_utf8().into_iter().flatten();
        entries.map(|entry| entry.unwrap().path().to_string()).collect::<Vec<_>>()
    };
    let llvm = below("/usr/lib").into_iter().filter(|path| path.starts_with("/usr/lib/llvm-"));
    let python = llvm.flat_map(|path| below(&format!("{path}/lib"))).filter(|path| path.contains("/python3"));
    let packages = python.flat_map(|path| ["dist", "site"].map(|kind| format!("{path}/{kind}-packages")));
    packages.filter(|path| Utf8Path::new(path).join("lldb/embedded_interpreter.py").is_file()).collect()
}

/// Commands for a debugger, each behind its option.
fn commands(option: &str, commands: &[&str]) -> Vec<String> {
    commands.iter().flat_map(|command| [option.to_owned(), (*command).to_owned()]).collect()
}

fn expected() -> Value {
    json!("{\"productId\":\"PROD-101\",\"price\":99.99,\"currency\":\"USD\"}")
}

#[test]
fn debuggers_stop_in_the_service_and_see_what_it_sees() {
    let folder = tempfile::tempdir().unwrap();
    let local = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap();
    let line = line();

    let waiting = Waiting::start(&local);
    let set = format!("break service.rs:{line}");
    let mut args = ["-nx", "-batch", "-p", &waiting.pid].map(str::to_owned).to_vec();
    args.extend(commands("-ex", &["set pagination off", &set, "continue", "info source", "print product"]));
    let told = debugger("rust-gdb", "gdb", &args);
    assert!(told.contains(&format!("{SERVICE}:{line}")) && told.contains("PROD-101"), "{told}");
    // Where the sources lie is told as it is, so that any debugger finds them.
    assert!(told.contains(original().as_str()), "{told}");
    assert_eq!(waiting.answer()["body"], expected());
    assert!(!local.join("debugger.pid").exists());

    let waiting = Waiting::start(&local);
    let set = format!("breakpoint set --file {} --line {line}", original().join(SERVICE));
    let attach = configuration("Attach to the function that waits");
    let of = |key: &str| {
        let all = attach[key].as_array().unwrap().iter().map(|command| command.as_str().unwrap());
        all.map(|command| command.replace("${workspaceFolder}/.local", local.as_str())).collect::<Vec<_>>()
    };
    // In the order in which CodeLLDB does it.
    let (make, begin) = (of("targetCreateCommands"), of("processCreateCommands"));
    let all = make.iter().map(String::as_str).chain([set.as_str()]).chain(begin.iter().map(String::as_str));
    let all = all.chain(["continue", "thread backtrace --count 1", "frame variable product", "process detach"]);
    let mut args = vec!["--no-lldbinit".to_owned(), "--batch".to_owned()];
    args.extend(commands("-o", &all.collect::<Vec<_>>()));
    let told = debugger("rust-lldb", "lldb", &args);
    assert!(told.contains(&format!("service.rs:{line}")) && told.contains("PROD-101"), "{told}");
    assert_eq!(waiting.answer()["body"], expected());
}

fn read(name: &str) -> Value {
    let path = original().join(".vscode").join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn configuration(name: &str) -> Value {
    let launch = read("launch.json");
    let found = launch["configurations"].as_array().unwrap().iter().find(|one| one["name"] == name);
    found.unwrap_or_else(|| panic!("launch.json has no `{name}`, which the command tells people to start")).clone()
}

/// The one of these that is called so.
fn named<'v>(all: &'v Value, key: &str, name: &Value) -> &'v Value {
    all.as_array().unwrap().iter().find(|one| &one[key] == name).unwrap_or_else(|| panic!("there is no {key} {name}"))
}

#[test]
fn what_vs_code_is_told_fits_the_project() {
    let (launch, tasks) = (read("launch.json"), read("tasks.json"));
    let input = |id: &str| named(&tasks["inputs"], "id", &json!(id))["default"].as_str().unwrap().to_owned();
    let config = load::release(original(), None, None).unwrap().config;
    let event = original().join("infra-local/events").join(input("event"));
    assert!(event.is_file(), "there is no {event}");
    assert!(config.functions.keys().any(|function| function.as_str() == input("function")), "{}", input("function"));
    for task in tasks["tasks"].as_array().unwrap() {
        let args = task["args"].as_array().unwrap().iter().map(|word| word.as_str().unwrap());
        let args = args.map(|word| {
            word.replace("${input:function}", &input("function")).replace("${input:event}", &input("event"))
        });
        let args: Vec<String> = args.collect();
        assert!(!args.iter().any(|word| word.contains("${")), "{args:?}");
        Cli::try_parse_from(&args).unwrap_or_else(|error| panic!("{args:?}: {error}"));
    }
    let recommended = read("extensions.json")["recommendations"].to_string();
    for configuration in launch["configurations"].as_array().unwrap() {
        assert_eq!(configuration["type"], "lldb");
        if let Some(task) = configuration.get("preLaunchTask") {
            let ends = &named(&tasks["tasks"], "label", task)["problemMatcher"]["background"]["endsPattern"];
            let told = fs::read_to_string(original().join("xtask/src/cmd/debug.rs")).unwrap();
            assert!(told.contains(ends.as_str().unwrap()), "the command does not say {ends}");
        }
    }
    assert!(recommended.contains("vadimcn.vscode-lldb"), "{recommended}");
}
