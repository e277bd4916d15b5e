//! An index on a cluster that nobody else writes, or learns for.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::ids::GenerationId;
use crate::store::opensearch::{Address, Client, Lease, Names, drop_index, live, prepare};

/// How long a round waits for those who change documents: it has taken longer.
const PATIENCE: Duration = Duration::from_secs(600);

/// An index on a cluster, with one of its leases.
pub(super) struct Leased {
    pub(super) client: Arc<Client>,
    pub(super) names: Names,
    pub(super) lease: Lease,
}

impl Leased {
    /// The index at `store`, whose name is that of the folder of the index at `path` if it has none there.
    pub(super) fn take(store: &str, path: &Path) -> Result<Leased> {
        let Address { nodes, name } = store.parse()?;
        let names = Names::of(name.unwrap_or_else(|| Address::name_of(&folder_name(path))));
        let client = Arc::new(Client::new(nodes)?);
        prepare(&client, &names)?;
        let lease = Lease::take(&client, &names)?;
        Ok(Leased { client, names, lease })
    }

    /// For a round of learning.
    pub(super) fn learning(client: Arc<Client>, names: Names) -> Result<Leased> {
        prepare(&client, &names)?;
        let lease = Lease::learn(&client, &names)?;
        Ok(Leased { client, names, lease })
    }

    /// The index with the lease of whoever writes, for a round with its own.
    ///
    /// # Errors
    /// [`Error::Cluster`] if somebody else has either: another round may have begun, or published, meanwhile.
    pub(super) fn writing(&self) -> Result<Leased> {
        let lease = Lease::wait(&self.client, &self.names, PATIENCE)?;
        self.lease.check()?;
        Ok(Leased { client: Arc::clone(&self.client), names: self.names.clone(), lease })
    }

    /// Drops an index that was filled for a generation, and copied or not needed.
    pub(super) fn drop_filled(&self, filled: Option<GenerationId>) {
        let dropped = filled.map(|filled| drop_index(&self.client, &self.names.generation(filled)));
        if let Some(Err(error)) = dropped {
            tracing::warn!(%error, "what was filled for a round stays until the next migration");
        }
    }

    /// The index that has the alias.
    pub(super) fn aliased(&self) -> Result<String> {
        let Leased { client, names, .. } = self;
        live(client, names)?.ok_or_else(|| Error::NotFound {
            what: "alias of the index on the cluster",
            id: names.alias().into(),
            remedy: "put it on the generation that is to serve, or remove the index NAME-state too",
        })
    }
}

/// The name of the folder that the index in `path` is of.
fn folder_name(path: &Path) -> String {
    let full = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let named = match full.file_name() {
        Some(name) if name.to_string_lossy().starts_with('.') => full.parent().and_then(Path::file_name),
        name => name,
    };
    named.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
