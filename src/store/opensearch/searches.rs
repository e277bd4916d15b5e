//! Searches of one index, as requests.

use serde_json::{Value as Json, json};

use super::client::{Body, Call, Client, Method};
use super::failure::{refused, unexpected};
use super::retry::Repeat;
use crate::error::{Error, Result};

const DOING: &str = "search";

/// Where searches go to.
#[derive(Clone, Copy)]
pub(super) struct Searches<'s> {
    pub(super) client: &'s Client,
    pub(super) index: &'s str,
}

impl Searches<'_> {
    /// The answer to one search, with options for it. No shard may be missing.
    pub(super) fn one(&self, search: &Json, options: &[&str]) -> Result<Json> {
        let options = [&["allow_partial_search_results=false"], options].concat().join("&");
        let path = format!("/{}/_search?{options}", self.index);
        self.ask(&path, Body::Json(search))
    }

    /// The answers to several searches in one request. No shard may be missing.
    pub(super) fn several(&self, searches: &[Json], options: &str) -> Result<Vec<Json>> {
        let header = json!({ "allow_partial_search_results": false });
        let lines: String = searches.iter().map(|search| format!("{header}\n{search}\n")).collect();
        let path = format!("/{}/_msearch?{options}", self.index);
        let answers = match self.ask(&path, Body::Lines(&lines))?["responses"].take() {
            Json::Array(answers) if answers.len() == searches.len() => answers,
            _ => return Err(self.lacks("a response for each search")),
        };
        for one in &answers {
            if let Some(status) = one["status"].as_u64().filter(|&status| status >= 300) {
                return Err(refused(DOING, self.client.at(&path), status as u16, one));
            }
        }
        Ok(answers)
    }

    /// The error for an answer that lacks something.
    pub(super) fn lacks(&self, what: &str) -> Error {
        unexpected(DOING, self.client.at(&format!("/{}/_search", self.index)), what)
    }

    fn ask(&self, path: &str, body: Body<'_>) -> Result<Json> {
        self.client.ask(&Call { doing: DOING, method: Method::Post, path, body, repeat: Repeat::Safe })
    }
}
