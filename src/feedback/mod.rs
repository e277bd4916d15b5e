//! The append-only log of impressions and judgements.
