//! Where an index on a cluster is.

use std::str::FromStr;

use crate::error::{Error, Result};

/// The nodes of a cluster, and the name of an index on it: `http://a:9200,http://b:9200/NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// The nodes' URLs, without a slash at the end.
    pub(crate) nodes: Vec<String>,
    pub(crate) name: Option<String>,
}

const WHAT: &str = "the address of the cluster";
const EXPECTED: &str = "URLs of its nodes, separated by commas, such as http://search-1:9200,http://search-2:9200, \
                        and the name of the index behind the last one: …/handbook";
/// Suffixes such as that of a generation come behind it.
const LONGEST_NAME: usize = 200;

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Address> {
        let wrong = || Error::invalid(WHAT, format!("{text:?}"), EXPECTED);
        // Before anything else, so that no message repeats a password.
        if text.contains('@') {
            return Err(Error::invalid(
                WHAT,
                "a user's name in it",
                "none: RETUNE_STORE_USER and RETUNE_STORE_PASSWORD, or RETUNE_STORE_API_KEY, have who asks",
            ));
        }
        let (mut nodes, mut name) = (Vec::new(), None);
        for node in text.split(',').map(str::trim) {
            if name.is_some() {
                return Err(wrong());
            }
            let (scheme, rest) = node.split_once("://").ok_or_else(wrong)?;
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            if !["http", "https"].contains(&scheme) || host.is_empty() || host.contains(char::is_whitespace) {
                return Err(wrong());
            }
            nodes.push(format!("{scheme}://{host}"));
            name = Some(path.trim_end_matches('/')).filter(|path| !path.is_empty());
        }
        let name = name.map(str::to_string);
        name.as_deref().map_or(Ok(()), check_name)?;
        Ok(Address { nodes, name })
    }
}

impl Address {
    /// The name that an index has by that of its folder: what is not allowed in names becomes a hyphen.
    pub(crate) fn name_of(folder: &str) -> String {
        let lower = folder.to_lowercase();
        let allowed = lower.chars().map(|c| if is_allowed(c) { c } else { '-' });
        let name = allowed.collect::<String>();
        let name = name.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        if name.is_empty() { "retune".into() } else { name.chars().take(LONGEST_NAME).collect() }
    }
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c)
}

fn check_name(name: &str) -> Result<()> {
    let begins = name.chars().next().is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    match begins && name.len() <= LONGEST_NAME && name.chars().all(is_allowed) {
        true => Ok(()),
        false => Err(Error::invalid(
            "the name of the index on the cluster",
            format!("{name:?}"),
            "small letters, digits, hyphens, underscores and full stops, 200 at most, the first a letter or a digit",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_and_a_name_are_read() {
        let read = |text: &str| text.parse::<Address>().map(|address| (address.nodes, address.name));
        assert_eq!(read("http://a:9200").unwrap(), (vec!["http://a:9200".into()], None));
        let (nodes, name) = read("http://a:9200, https://b/docs-1/").unwrap();
        assert_eq!(nodes, ["http://a:9200", "https://b"]);
        assert_eq!(name.as_deref(), Some("docs-1"));
        for wrong in ["", "a:9200", "ftp://a", "http://", "http://a/x,http://b", "http://a/X", "http://a/x/y"]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        let error = read("http://me:secret@a").unwrap_err().to_string();
        assert!(error.contains("RETUNE_STORE_USER") && !error.contains("secret"), "{error}");
    }

    #[test]
    fn folders_give_names() {
        for (folder, name) in
            [("Handbook", "handbook"), ("My docs (old)", "my-docs--old"), ("日本", "retune")]
        {
            assert_eq!(Address::name_of(folder), name);
            check_name(name).unwrap();
        }
    }
}
