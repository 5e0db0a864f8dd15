//! Personal data and secrets have types of their own. This reads every source of `common` and the functions, and finds what
//! is called like one of them but is plain text; each rule is shown a text that breaks it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at what it did not expect")]

use camino::{Utf8Path, Utf8PathBuf};
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, Field, File, FnArg, Ident, Pat, Type};

/// The words that name a person, what they prove themselves by, or what a client sent. A name is parted at its underscores.
const SENSITIVE: [&str; 28] = [
    "user",
    "users",
    "userid",
    "username",
    "person",
    "patient",
    "surname",
    "birthday",
    "address",
    "email",
    "phone",
    "ssn",
    "password",
    "passwords",
    "secret",
    "token",
    "authorization",
    "credential",
    "credentials",
    "cookie",
    "cookies",
    "claims",
    "principal",
    "ip",
    "agent",
    "query",
    "path",
    "headers",
];

/// Names that say it in two words; `name` alone may be anything's.
const PERSONS: [&str; 4] = ["first_name", "last_name", "full_name", "display_name"];

/// What holds text as it is.
const PLAIN: [&str; 8] = ["String", "str", "OsString", "Bytes", "Value", "HeaderMap", "HeaderValue", "QueryMap"];

/// Where a text may be taken out of its redacting type, and why.
const EXPOSING: [(&str, &str); 4] = [
    ("common/src/models/audit.rs", "the audit item has the user in clear"),
    ("common/src/models/user_id.rs", "the smoke user is told apart"),
    ("common/src/clients/aws.rs", "requests are signed"),
    ("common/src/clients/oracle/driver.rs", "the pool logs in"),
];

/// Where plain text is what the type wraps, or where it is no person's: a file's path, a statement's.
const WRAPPING: [(&str, &str); 2] = [
    ("common/src/types/redacted.rs", "the redacting types themselves"),
    ("common/src/middleware/event.rs", "the event's own types, on their way into ours"),
];

#[derive(Default)]
struct Rules {
    faults: Vec<String>,
}

fn is_sensitive(name: &Ident) -> bool {
    let name = name.to_string().to_lowercase();
    name.split('_').any(|word| SENSITIVE.contains(&word)) || PERSONS.iter().any(|person| name.contains(person))
}

/// Any plain text within a type: `Option<&str>` and `BTreeMap<String, UserId>` hold one.
fn is_plain(of: &Type) -> bool {
    struct Finds(bool);
    impl Visit<'_> for Finds {
        fn visit_path_segment(&mut self, segment: &syn::PathSegment) {
            self.0 |= PLAIN.iter().any(|plain| segment.ident == plain);
            visit::visit_path_segment(self, segment);
        }
    }
    let mut finds = Finds(false);
    finds.visit_type(of);
    finds.0
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let Ok(list) = attribute.meta.require_list() else { return attribute.path().is_ident("test") };
        attribute.path().is_ident("cfg") && list.tokens.to_string() == "test"
    })
}

/// Whether one of the derived traits would show what is inside.
fn derives(attributes: &[Attribute], wanted: &str) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("derive")).any(|attribute| {
        let tokens = attribute.meta.require_list().map(|list| list.tokens.to_string()).unwrap_or_default();
        tokens.split(',').any(|name| name.trim().rsplit(':').next().unwrap_or_default().trim() == wanted)
    })
}

impl<'ast> Visit<'ast> for Rules {
    fn visit_field(&mut self, field: &'ast Field) {
        if let Some(name) = field.ident.as_ref().filter(|name| is_sensitive(name) && is_plain(&field.ty)) {
            self.faults.push(format!("the field `{name}` is plain text: give it a redacting type"));
        }
        visit::visit_field(self, field);
    }

    fn visit_fn_arg(&mut self, argument: &'ast FnArg) {
        if let FnArg::Typed(typed) = argument
            && let Pat::Ident(name) = &*typed.pat
            && is_sensitive(&name.ident)
            && is_plain(&typed.ty)
        {
            self.faults.push(format!("the parameter `{}` is plain text: give it a redacting type", name.ident));
        }
        visit::visit_fn_arg(self, argument);
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        let name = item.ident.to_string();
        if ["UserId", "Secret", "Unchecked", "Sent", "Credentials"].contains(&name.as_str()) {
            let shown = ["Serialize", "Display"].iter().filter(|shows| derives(&item.attrs, shows));
            self.faults.extend(shown.map(|shows| format!("`{name}` derives {shows}: it must show itself to nobody")));
            if name != "Credentials" && derives(&item.attrs, "Debug") {
                self.faults.push(format!("`{name}` derives Debug: write one that redacts"));
            }
        }
        visit::visit_item_struct(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }
}

/// Every call that takes a text out of its redacting type.
struct Exposes(Vec<String>);

impl<'ast> Visit<'ast> for Exposes {
    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if call.method == "expose" {
            self.0.push("takes a text out of its redacting type: only the places listed in this test may".to_owned());
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        // What a macro is given is no expression to a parser yet.
        let tokens = called.tokens.to_string();
        if tokens.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "expose") {
            self.0.push("takes a text out of its redacting type within a macro".to_owned());
        }
    }

    fn visit_expr(&mut self, expression: &'ast Expr) {
        if let Expr::Path(path) = expression
            && path.path.segments.len() > 1
            && path.path.segments.last().is_some_and(|last| last.ident == "expose")
        {
            self.0.push("names `expose`: only the places listed in this test may".to_owned());
        }
        visit::visit_expr(self, expression);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }
}

fn plain(file: &File) -> Vec<String> {
    let mut rules = Rules::default();
    rules.visit_file(file);
    rules.faults
}

fn exposes(file: &File) -> Vec<String> {
    let mut exposes = Exposes(Vec::new());
    exposes.visit_file(file);
    exposes.0
}

fn of(rule: fn(&File) -> Vec<String>, text: &str) -> usize {
    rule(&syn::parse_file(text).unwrap()).len()
}

fn root() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every source that ships, by its name in the repository.
fn sources() -> Vec<(String, File)> {
    fn below(folder: &Utf8Path, found: &mut Vec<Utf8PathBuf>) {
        for entry in folder.read_dir_utf8().unwrap() {
            let path = entry.unwrap().into_path();
            if path.is_dir() {
                below(&path, found);
            } else if path.extension() == Some("rs") {
                found.push(path);
            }
        }
    }
    let (root, mut found) = (root(), Vec::new());
    below(&root.join("common/src"), &mut found);
    for function in root.join("functions").read_dir_utf8().unwrap() {
        below(&function.unwrap().path().join("src"), &mut found);
    }
    found.retain(|path| !path.as_str().contains("/testing") && path.file_name() != Some("tests.rs"));
    assert!(found.len() > 30, "{found:?}");
    let parsed = found.into_iter().map(|path| {
        let text = std::fs::read_to_string(&path).unwrap();
        (path.strip_prefix(&root).unwrap().to_string(), syn::parse_file(&text).unwrap())
    });
    parsed.collect()
}

#[test]
fn no_field_and_no_parameter_holds_personal_data_as_plain_text() {
    assert_eq!(of(plain, "struct A { user_id: String }"), 1);
    assert_eq!(of(plain, "enum A { B { auth_token: Option<Box<str>> } }"), 1);
    assert_eq!(of(plain, "struct A { query: std::collections::BTreeMap<String, Vec<UserId>> }"), 1);
    assert_eq!(of(plain, "struct A { last_name: Option<String> }"), 1);
    assert_eq!(of(plain, "fn f(user: &str) {}"), 1);
    assert_eq!(of(plain, "trait T { fn f(&self, authorization: &Value); }"), 1);
    assert_eq!(of(plain, "fn f(sent_cookies: Vec<(String, String)>) {}"), 1);
    assert_eq!(of(plain, "mod m { impl A { fn f(&self, source_ip: String) {} } }"), 1);
    assert_eq!(of(plain, "struct A { user: UserId, users: Vec<UserId>, table: String }\nfn f(user: &UserId) {}"), 0);
    assert_eq!(of(plain, "#[cfg(test)]\nmod tests { fn f(user: &str) {} }"), 0);
    let wrapping = WRAPPING.map(|(file, _)| file);
    let found = sources().into_iter().filter(|(name, _)| !wrapping.contains(&name.as_str()));
    let found: Vec<_> =
        found.flat_map(|(name, file)| plain(&file).into_iter().map(move |fault| format!("{name}: {fault}"))).collect();
    assert!(found.is_empty(), "\n  {}", found.join("\n  "));
}

#[test]
fn no_type_of_personal_data_shows_itself() {
    assert_eq!(of(plain, "#[derive(Clone, Debug)]\nstruct UserId(Uuid);"), 1);
    assert_eq!(of(plain, "#[derive(Clone, serde::Serialize)]\nstruct Secret(String);"), 1);
    assert_eq!(of(plain, "#[derive(derive_more::Display)]\nstruct Unchecked(String);"), 1);
    assert_eq!(of(plain, "#[derive(Clone, PartialEq)]\nstruct UserId(Uuid);"), 0);
    let shown = sources().into_iter().flat_map(|(_, file)| plain(&file)).find(|fault| fault.contains("derives"));
    assert_eq!(shown, None);
}

#[test]
fn texts_are_exposed_in_the_listed_places_only() {
    assert_eq!(of(exposes, "fn f(user: UserId) { log(user.expose()) }"), 1);
    assert_eq!(of(exposes, "fn f() { all.map(Secret::expose) }"), 1);
    assert_eq!(of(exposes, "fn f() { format!(\"{}\", user.expose()) }"), 1);
    assert_eq!(of(exposes, "#[cfg(test)]\nmod tests { fn f() { user.expose(); } }"), 0);
    let mut listed: Vec<_> = EXPOSING.iter().map(|(file, _)| *file).collect();
    for (name, file) in sources() {
        let found = exposes(&file);
        match listed.iter().position(|file| *file == name) {
            Some(at) => {
                assert!(!found.is_empty(), "{name} exposes nothing any more: take it off the list");
                listed.remove(at);
            }
            None => assert!(found.is_empty(), "{name}: {}", found.join(", ")),
        }
    }
    assert_eq!(listed, [""; 0], "these files are not there");
}
