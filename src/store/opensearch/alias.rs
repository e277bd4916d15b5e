//! Which generation serves: an alias that is moved only from where it was seen.

use serde_json::{Value as Json, json};

use super::client::{Body, Call, Client, Method};
use super::failure::{LATER, refused};
use super::manifest::Names;
use super::retry::Repeat;
use crate::error::{Error, Result};

/// Moves whose outcome is not known are looked at, and made again so many times.
const MOST: usize = 5;

/// The index that has the alias of an index; `None` if there is no such alias.
pub(crate) fn live(client: &Client, names: &Names) -> Result<Option<String>> {
    const DOING: &str = "look which generation serves at";
    // Without the first name it would be asked of all indices, which only some may.
    let path = format!("/{0}/_alias/{0}", names.alias());
    let call =
        Call { doing: DOING, method: Method::Get, path: &path, body: Body::None, repeat: Repeat::Safe };
    let (status, body) = client.answer(&call)?;
    if status == 404 {
        return Ok(None);
    }
    let found: Vec<&String> = match &body {
        Json::Object(indices) if status == 200 => indices.keys().collect(),
        _ => return Err(refused(DOING, client.at(&path), status, &body)),
    };
    match found.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some((*one).clone())),
        several => Err(Error::Cluster {
            doing: DOING,
            at: client.at(&path),
            found: format!("an alias on {several:?}"),
            remedy: "remove the alias from all but one of them",
        }),
    }
}

/// Moves the alias from one index to another. Returns whether it did: not if it is no longer where it was.
pub(crate) fn swap(client: &Client, names: &Names, from: &str, to: &str) -> Result<bool> {
    const DOING: &str = "move the alias of the index at";
    let alias = names.alias();
    // Without `must_exist` the alias would be on two indices after a move that comes too late.
    let actions = json!({ "actions": [
        { "remove": { "index": from, "alias": alias, "must_exist": true } },
        { "add": { "index": to, "alias": alias } },
    ] });
    let body = Body::Json(&actions);
    let call = Call { doing: DOING, method: Method::Post, path: "/_aliases", body, repeat: Repeat::Never };
    let mut last = None;
    for _ in 0..MOST {
        match client.answer(&call) {
            Ok((200..300, _)) => return Ok(true),
            Ok((404, _)) => return Ok(live(client, names)?.as_deref() == Some(to)),
            Ok((status, body)) if status < 500 && status != 429 => {
                return Err(refused(DOING, client.at("/_aliases"), status, &body));
            }
            Ok((status, body)) => last = Some(refused(DOING, client.at("/_aliases"), status, &body)),
            Err(error) => last = Some(error),
        }
        // Whether it has happened is not known. A cluster that answers says where the alias is.
        match live(client, names)? {
            Some(now) if now == to => return Ok(true),
            Some(now) if now == from => {}
            _ => return Ok(false),
        }
    }
    Err(last.unwrap_or_else(|| Error::Cluster {
        doing: DOING,
        at: client.at("/_aliases"),
        found: "no answer".into(),
        remedy: LATER,
    }))
}
