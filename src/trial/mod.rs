//! A trained generation on trial: two lists as one, what picks say of them, and when that decides.
//!
//! [`interleave`] makes one list of the serving generation's and the candidate's. The hit that answers a user's need
//! votes, by its [`Standing`] in both, and a [`Trial`] counts the votes until they prove that the candidate is better,
//! or that it is not, or until there are too many of them. [`AlphaSplit`] makes one budget of the trial's alpha and
//! the gate's.
//!
//! # What is proved
//!
//! The hypothesis to refute is that the next vote, given all before it, has no mean above 0: that the candidate does
//! not rank what users pick higher, in discounted gain, than the serving generation does. Then the probability of ever
//! publishing it is at most alpha, however often somebody looks, stops or goes on. A vote's mean is 0 where
//!
//! - the two lists are drawn alike: swapping them swaps the sign of every vote and the chances of every list;
//! - users pick by place alone, whatever stands there, and look down the list as often as is assumed;
//! - both lists have the same DCG, with the attraction of a document as its gain, if all that attracts is shown, and
//!   users look down the list as often as is assumed.
//!
//! How often users look down is assumed twice, steeply and flatly ([`TrialOptions::least_continuing`] and
//! [`TrialOptions::most_continuing`]), and both must prove it. That covers what lies between, as long as gains lie
//! above losses or below them: the mean vote is a polynomial in the reciprocal of the continuation, with a mean for
//! each place as its coefficient, and so has at most one root if these change their sign once (Descartes' rule).
//!
//! Needs must come as they come: one user who asks the same again and again is one need.

mod alpha;
mod credit;
mod interleave;
#[cfg(test)]
mod model;
mod state;
#[cfg(test)]
mod tests;
mod wealth;

pub use crate::feedback::Standing;
pub use alpha::{AlphaSplit, e_value_of_p};
pub(crate) use credit::attention;
pub use interleave::{Owner, Placed, interleave};
pub use state::{Outcome, Recorded, Trial, TrialOptions};
