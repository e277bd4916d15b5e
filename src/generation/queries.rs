//! The vectors of the queries asked last.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;

use crate::error::Result;

/// Queries that are remembered: 3 MB of vectors.
const QUERIES: NonZeroUsize = NonZeroUsize::new(1024).expect("it is not zero");

/// Longer queries are not remembered: texts of no known length would not bound the memory.
const LONGEST: usize = 1024;

/// A query is often asked again: the next page, another mode, another filter. The vectors are one encoder's.
pub(super) struct QueryCache(Mutex<LruCache<String, Arc<[f32]>>>);

impl Default for QueryCache {
    fn default() -> Self {
        QueryCache(Mutex::new(LruCache::new(QUERIES)))
    }
}

impl std::fmt::Debug for QueryCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("QueryCache")
    }
}

impl QueryCache {
    /// The vector of a query: remembered, or made by `encode`, while which others may look.
    pub(super) fn get(&self, text: &str, encode: impl FnOnce() -> Result<Vec<f32>>) -> Result<Arc<[f32]>> {
        let cache = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(vector) = cache().get(text) {
            return Ok(Arc::clone(vector));
        }
        let vector: Arc<[f32]> = encode()?.into();
        if text.len() <= LONGEST {
            cache().put(text.to_string(), Arc::clone(&vector));
        }
        Ok(vector)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn a_query_is_encoded_once_until_it_is_pushed_out() {
        let cache = QueryCache::default();
        let ask = |text: &str| {
            let mut encoded = false;
            let vector = cache.get(text, || {
                encoded = true;
                Ok(vec![text.len() as f32])
            });
            assert_eq!(*vector.unwrap(), [text.len() as f32]);
            encoded
        };
        assert!(ask("a") && !ask("a") && ask("A"), "texts are told apart as they are");
        for number in 0..QUERIES.get() {
            ask(&number.to_string());
        }
        assert!(ask("a"));
        let long = "x".repeat(LONGEST + 1);
        assert!(ask(&long) && ask(&long));
    }

    #[test]
    fn what_failed_is_tried_again() {
        let cache = QueryCache::default();
        assert!(cache.get("a", || Err(Error::Closed { doing: "encode" })).is_err());
        assert_eq!(*cache.get("a", || Ok(vec![1.0])).unwrap(), [1.0]);
    }
}
