//! Collections, metrics, significance tests.
