//! The MPNet encoder.
