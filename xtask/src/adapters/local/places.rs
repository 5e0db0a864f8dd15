//! What placeholders in a function's variables stand for on this machine. They are filled in when a process is started and not
//! before: what is stored, told and digested keeps them, so that a folder may be moved and a secret stands in no file.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

use crate::model::configuration::Variables;

/// What they stand for.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// `{local}`: the folder of local state.
    pub local: Utf8PathBuf,
    /// `{env:NAME}`: the variable of that name of whoever runs this tool.
    pub environment: BTreeMap<String, String>,
}

/// A variable that whoever runs this tool does not have.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the function's variable `{variable}` is {{env:{name}}}, and `{name}` is not set here: export it")]
pub struct Unset {
    /// The function's variable.
    pub variable: String,
    /// The one that is missing.
    pub name: String,
}

const BEGIN: &str = "{env:";

impl Places {
    /// With every placeholder filled in.
    ///
    /// # Errors
    /// If one stands for what is not there.
    pub fn fill(&self, variables: &Variables) -> Result<Variables, Unset> {
        variables.iter().map(|(name, value)| Ok((name.clone(), self.filled(name, value)?))).collect()
    }

    fn filled(&self, variable: &str, value: &str) -> Result<String, Unset> {
        let mut parts = value.split(BEGIN);
        let mut text = parts.next().unwrap_or_default().replace("{local}", self.local.as_str());
        for part in parts {
            // Without an end it is no placeholder.
            let Some((name, rest)) = part.split_once('}') else {
                text.push_str(BEGIN);
                text.push_str(part);
                continue;
            };
            let unset = || Unset { variable: variable.to_owned(), name: name.to_owned() };
            text.push_str(self.environment.get(name).ok_or_else(unset)?);
            text.push_str(&rest.replace("{local}", self.local.as_str()));
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_stand_for_what_is_here() {
        let environment = [("PASSWORD", "{local}{env:USER}"), ("USER", "ada")];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let places = Places { local: "/here".into(), environment };
        for (value, filled) in [
            ("{local}/data.sqlite", "/here/data.sqlite"),
            // What is filled in is not looked at again.
            ("{env:PASSWORD}", "{local}{env:USER}"),
            ("{env:USER}@{local}:{env:USER}", "ada@/here:ada"),
            ("{env:USER", "{env:USER"),
            ("{}", "{}"),
        ] {
            assert_eq!(places.filled("V", value).unwrap(), filled, "{value}");
        }
        let unset = places.fill(&[("V".to_owned(), "{env:NOBODY}".to_owned())].into()).unwrap_err();
        assert_eq!(
            unset.to_string(),
            "the function's variable `V` is {env:NOBODY}, and `NOBODY` is not set here: export it"
        );
    }
}
