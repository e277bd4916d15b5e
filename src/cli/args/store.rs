//! A cluster instead of an index folder.

use retune::access::{Access, Clustered};
use retune::cluster::Cluster;
use retune::{Options, Result};

/// Where an index on a cluster is.
#[derive(clap::Args, Clone)]
pub(crate) struct Store {
    /// An index on an OpenSearch cluster: its nodes, separated by commas, and the index's name behind the last
    /// one, as http://search-1:9200,http://search-2:9200/NAME. The name may be left out where there is one index.
    /// Default: RETUNE_STORE, unless --dir or --index is given. The environment says who asks: RETUNE_STORE_USER and
    /// RETUNE_STORE_PASSWORD, or RETUNE_STORE_API_KEY.
    #[arg(long, value_name = "URL", conflicts_with_all = ["dir", "index"])]
    store: Option<String>,
}

/// Opens an index on a cluster for a front end.
pub(crate) fn open_on_cluster(store: &str, options: &Options) -> Result<Access> {
    Ok(Access::Clustered(Box::new(Clustered::new(Cluster::open(store, options)?))))
}

impl Store {
    /// The cluster that is named, here or in the environment; `is_local` if an index folder is.
    pub(crate) fn named(&self, is_local: bool) -> Option<String> {
        let of_environment =
            || std::env::var("RETUNE_STORE").ok().filter(|store| !is_local && !store.is_empty());
        self.store.clone().or_else(of_environment)
    }
}
