//! A cache of query vectors.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;

use crate::error::Result;

/// Capacity of the cache: 3 MB of vectors.
const QUERIES: NonZeroUsize = NonZeroUsize::new(1024).expect("it is not zero");

/// Longer queries are not cached, so that the memory stays bounded.
const LONGEST: usize = 1024;

/// The cache. The same query is often repeated: for the next page, another mode or another filter. All vectors are from
/// one encoder.
pub(crate) struct QueryCache(Mutex<LruCache<String, Arc<[f32]>>>);

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
    /// The vector of a query, from the cache or from `encode`. Other threads can use the cache while `encode` runs.
    pub(crate) fn get(&self, text: &str, encode: impl FnOnce() -> Result<Vec<f32>>) -> Result<Arc<[f32]>> {
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
