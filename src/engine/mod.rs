//! The public handle.
