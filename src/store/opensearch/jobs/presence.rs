//! Who is there to work.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value as Json, json};

use super::{KIND, WORKER, document, prepare};
use crate::error::{Error, Result};
use crate::store::opensearch::beating::{Beating, LONGEST, holder};
use crate::store::opensearch::client::{Body, Call, Client, Method};
use crate::store::opensearch::failure::unexpected;
use crate::store::opensearch::manifest::Names;
use crate::store::opensearch::retry::Repeat;
use crate::store::opensearch::versioned::{Version, beat};

const MOST: usize = 10_000;

/// A worker that is there, until it is dropped.
pub(crate) struct Presence {
    pub(crate) holder: String,
    beating: Beating,
}

impl Presence {
    /// Has others see this process.
    pub(crate) fn begin(client: &Arc<Client>, names: &Names) -> Result<Presence> {
        const DOING: &str = "work at the index at";
        prepare(client, names)?;
        let (holder, begun) = (holder(), Instant::now());
        let document = document(client, names, format!("worker-{:016x}", rand::random::<u64>()), DOING);
        let body = {
            let holder = holder.clone();
            move || -> Json {
                let mut body = beat(&holder);
                body[KIND] = json!(WORKER);
                body
            }
        };
        let taken = || Error::Cluster {
            doing: DOING,
            at: client.at(&format!("/{}", names.state())),
            found: "another worker of the same name".into(),
            remedy: "try again",
        };
        let version = document.write(None, &body())?.ok_or_else(taken)?;
        Ok(Presence { holder, beating: Beating::begin(document, version, begun, body)? })
    }

    /// Whether others may take this process for dead: it has to begin anew.
    pub(crate) fn is_over(&self) -> bool {
        self.beating.is_lost()
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.beating.end();
    }
}

/// The workers that were seen at a moment, dead ones among them.
pub(crate) struct Present {
    seen: HashMap<String, Version>,
    at: Instant,
}

impl Present {
    /// Looks who is there.
    pub(crate) fn look(client: &Client, names: &Names) -> Result<Present> {
        const DOING: &str = "look for workers at";
        let at = Instant::now();
        let path = format!("/{}/_search?allow_partial_search_results=false", names.state());
        let query = json!({
            "size": MOST, "_source": false, "seq_no_primary_term": true, "query": { "term": { KIND: WORKER } },
        });
        let body = Body::Json(&query);
        let call = Call { doing: DOING, method: Method::Post, path: &path, body, repeat: Repeat::Safe };
        let found = client.ask(&call)?;
        let lacks = || unexpected(DOING, client.at(&path), "the version of each document");
        let hits = found["hits"]["hits"].as_array().into_iter().flatten();
        let of = |hit: &Json| Some((hit["_id"].as_str()?.to_string(), Version::of(hit)?));
        let seen = hits.map(|hit| of(hit).ok_or_else(lacks)).collect::<Result<_>>()?;
        Ok(Present { seen, at })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// Those that have shown since an earlier look that they are alive.
    pub(crate) fn alive_since(&self, earlier: &Present) -> usize {
        self.seen.iter().filter(|(id, now)| earlier.seen.get(*id) != Some(*now)).count()
    }

    /// Whether somebody alive would have shown it since an earlier look.
    pub(crate) fn is_long_since(&self, earlier: &Present) -> bool {
        self.at.duration_since(earlier.at) >= LONGEST
    }

    /// Deletes what those have left that were dead all the time since an earlier look.
    pub(crate) fn bury(&self, earlier: &Present, client: &Arc<Client>, names: &Names) -> Result<()> {
        let dead = self.seen.iter().filter(|(id, now)| earlier.seen.get(*id) == Some(*now));
        for (id, &version) in dead.filter(|_| self.is_long_since(earlier)) {
            document(client, names, id.clone(), "forget a worker of the index at").delete(version)?;
        }
        Ok(())
    }
}
