//! Rank and score fusion.
