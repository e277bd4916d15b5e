//! The service's page in a real browser.
//!
//! Where no Chromium is installed these tests say so and end. `RETUNE_CHROMIUM` names one that isn't in the path;
//! `RETUNE_AXE` names axe-core's script, for the test of what people with assistive technology meet.

mod accessibility;
mod chromium;
mod fresh;
mod keys;
mod learning;
mod looks;
mod picking;
mod safety;
mod searching;
mod stand;
