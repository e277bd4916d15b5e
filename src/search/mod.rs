//! One query over one snapshot.
