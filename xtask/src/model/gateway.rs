//! Routes of an API Gateway, as HTTP APIs write them: which call goes to which function.

use std::{cmp::Reverse, collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, de};

use crate::model::names::FunctionName;

/// Every route and where it leads. The most specific one that fits a call has it, as API Gateway does it: plain segments
/// before parameters, those before a greedy one, a method before `ANY`, and `$default` last.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Routes(Vec<(Route, FunctionName)>);

impl Routes {
    /// From the routes as they are written.
    #[must_use]
    pub fn new(routes: impl IntoIterator<Item = (Route, FunctionName)>) -> Self {
        let mut routes: Vec<_> = routes.into_iter().collect();
        routes.sort_by_key(|(route, _)| Reverse(route.rank()));
        Self(routes)
    }

    /// The route that a call takes. The path is as it came: what it escapes is no part of its structure.
    #[must_use]
    pub fn find<'r>(&'r self, method: &str, path: &str) -> Option<Matched<'r>> {
        self.0.iter().find_map(|(route, function)| {
            let parameters = route.fits(method, path)?;
            Some(Matched { route, function, parameters })
        })
    }

    /// Every route and its function, the most specific first.
    pub fn iter(&self) -> impl Iterator<Item = &(Route, FunctionName)> {
        self.0.iter()
    }
}

/// The route of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched<'r> {
    /// The route.
    pub route: &'r Route,
    /// Where it leads.
    pub function: &'r FunctionName,
    /// What stood in the places of its parameters, decoded.
    pub parameters: BTreeMap<String, String>,
}

/// A route: `GET /price`, `ANY /config/{key}`, `GET /files/{path+}`, or `$default`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    text: String,
    /// `None` for any.
    method: Option<String>,
    /// `None` for `$default`.
    path: Option<Vec<Segment>>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Plain(String),
    Parameter(String),
    /// All the rest; the last one only.
    Greedy(String),
}

/// What is no route.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no route: write it as HTTP APIs do, for example `GET /price`, `ANY /config/{{key}}`, `GET /files/{{path+}}` or `$default`"
)]
pub struct RouteError(String);

const METHODS: [&str; 8] = ["ANY", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

impl Route {
    /// Its path, with braces around its parameters; `$default` for the route of all others.
    #[must_use]
    pub fn path(&self) -> &str {
        self.text.split_once(' ').map_or(self.text.as_str(), |(_, path)| path)
    }

    fn fits(&self, method: &str, path: &str) -> Option<BTreeMap<String, String>> {
        let Some(segments) = &self.path else { return Some(BTreeMap::new()) };
        if self.method.as_ref().is_some_and(|own| own != method) {
            return None;
        }
        let mut parameters = BTreeMap::new();
        let mut rest = path.strip_prefix('/')?;
        for (at, segment) in segments.iter().enumerate() {
            let (here, after) = match rest.split_once('/') {
                Some((here, after)) => (here, Some(after)),
                None => (rest, None),
            };
            match segment {
                Segment::Greedy(name) if !rest.is_empty() => {
                    parameters.insert(name.clone(), decoded(rest));
                    return Some(parameters);
                }
                Segment::Greedy(_) => return None,
                Segment::Parameter(_) if here.is_empty() => return None,
                Segment::Parameter(name) => drop(parameters.insert(name.clone(), decoded(here))),
                Segment::Plain(name) if *name == decoded(here) => {}
                Segment::Plain(_) => return None,
            }
            match after {
                Some(after) => rest = after,
                None if at + 1 == segments.len() => return Some(parameters),
                None => return None,
            }
        }
        None
    }

    fn rank(&self) -> (Vec<u8>, bool) {
        let segments = self.path.iter().flatten().map(|segment| match segment {
            Segment::Plain(_) => 3,
            Segment::Parameter(_) => 2,
            Segment::Greedy(_) => 1,
        });
        (segments.collect(), self.method.is_some())
    }
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

impl FromStr for Route {
    type Err = RouteError;

    fn from_str(text: &str) -> Result<Self, RouteError> {
        let wrong = || RouteError(text.chars().take(80).collect());
        if text == "$default" {
            return Ok(Self { text: text.to_owned(), method: None, path: None });
        }
        let (method, path) = text.split_once(' ').ok_or_else(wrong)?;
        let path = path.strip_prefix('/').filter(|_| METHODS.contains(&method)).ok_or_else(wrong)?;
        let segments = path.split('/').map(|segment| match segment.strip_prefix('{').map(|s| s.strip_suffix('}')) {
            None if segment.contains(['{', '}', ' ', '?', '#']) => Err(wrong()),
            None => Ok(Segment::Plain(segment.to_owned())),
            Some(None) => Err(wrong()),
            Some(Some(name)) => {
                let (name, greedy) = name.strip_suffix('+').map_or((name, false), |name| (name, true));
                let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
                let name = plain.then(|| name.to_owned()).ok_or_else(wrong)?;
                Ok(if greedy { Segment::Greedy(name) } else { Segment::Parameter(name) })
            }
        });
        let segments: Vec<Segment> = segments.collect::<Result<_, _>>()?;
        let before_last = segments.iter().rev().skip(1);
        if before_last.into_iter().any(|segment| matches!(segment, Segment::Greedy(_))) {
            return Err(wrong());
        }
        let method = (method != "ANY").then(|| method.to_owned());
        Ok(Self { text: text.to_owned(), method, path: Some(segments) })
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl<'de> Deserialize<'de> for Route {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl schemars::JsonSchema for Route {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Route".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "a method or `ANY` and a path, or `$default`" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_route_has_the_call() {
        let given =
            ["$default", "GET /files/{path+}", "ANY /config/{key}", "GET /config/{key}", "GET /config/all", "GET /"];
        let routes =
            given.iter().enumerate().map(|(n, text)| (text.parse().unwrap(), format!("f{n}").parse().unwrap()));
        let routes = Routes::new(routes);
        let taken = |method: &str, path: &str| {
            let matched = routes.find(method, path).unwrap();
            let parameters: Vec<_> = matched.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("{} {}", matched.route, parameters.join(",")).trim_end().to_owned()
        };
        for (method, path, expected) in [
            ("GET", "/config/all", "GET /config/all"),
            ("GET", "/config/a%20b", "GET /config/{key} key=a b"),
            ("GET", "/config/a%2Fb", "GET /config/{key} key=a/b"),
            ("GET", "/config/a%2520b", "GET /config/{key} key=a%20b"),
            ("GET", "/config/%61ll", "GET /config/all"),
            ("PUT", "/config/a", "ANY /config/{key} key=a"),
            ("GET", "/config", "$default"),
            ("GET", "/config/", "$default"),
            ("GET", "/config/a/b", "$default"),
            ("GET", "/files/a/b%2Fc", "GET /files/{path+} path=a/b/c"),
            ("GET", "/files/", "$default"),
            ("POST", "/files/a", "$default"),
            ("GET", "/", "GET /"),
        ] {
            assert_eq!(taken(method, path), expected, "{method} {path}");
        }
        let few = Routes::new([("GET /price".parse().unwrap(), "f".parse().unwrap())]);
        assert_eq!(few.find("GET", "/prices"), None);
        assert_eq!(few.find("HEAD", "/price"), None);
    }

    #[test]
    fn what_is_no_route_is_refused() {
        for wrong in [
            "/price",
            "GET price",
            "get /price",
            "GET /a{b}",
            "GET /{a",
            "GET /{}",
            "GET /{a+}/b",
            "GET /{a b}",
            "",
            "GET /a b",
        ] {
            assert!(wrong.parse::<Route>().is_err(), "{wrong:?}");
        }
        assert_eq!("GET /config/{key}".parse::<Route>().unwrap().path(), "/config/{key}");
    }
}
