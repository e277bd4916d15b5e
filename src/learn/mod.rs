//! One round of learning.
