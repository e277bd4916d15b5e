//! Others that encode passages for a round.

use std::ops::ControlFlow;

use crate::error::Result;
use crate::generation::Building;
use crate::search::Snapshot;

/// Others that encode passages for a round.
pub(crate) trait Helpers: Sync {
    /// How many there are now.
    fn count(&self) -> usize;

    /// Gives a generation under construction vectors that they and this machine make of the passages of `snapshot`.
    /// What it leaves without one is encoded here afterwards. `progress` gets (passages done, passages to do) and may
    /// stop the work.
    ///
    /// # Errors
    /// [`Error::Cancelled`](crate::Error::Cancelled) if `progress` stops it.
    fn encode(
        &self,
        building: &mut Building,
        snapshot: &Snapshot,
        progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
    ) -> Result<()>;
}
