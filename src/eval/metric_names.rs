//! The names of metrics: retune's own, and those of trec_eval, ir-measures and MTEB, which are accepted too.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::lines::short;
use super::metrics::Metric;
use crate::error::{Error, Result};

/// The persistence of rank-biased precision in percent, unless the name has another: ir-measures' default.
const PERSISTENCE: u8 = 80;

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Metric::NdcgAt(k) => write!(f, "ndcg@{k}"),
            Metric::Ndcg => write!(f, "ndcg"),
            Metric::MrrAt(k) => write!(f, "mrr@{k}"),
            Metric::Mrr => write!(f, "mrr"),
            Metric::Map => write!(f, "map"),
            Metric::MapAt(k) => write!(f, "map@{k}"),
            Metric::RecallAt(k) => write!(f, "recall@{k}"),
            Metric::PrecisionAt(k) => write!(f, "precision@{k}"),
            Metric::SuccessAt(k) => write!(f, "success@{k}"),
            Metric::RPrecision => write!(f, "r-precision"),
            Metric::Bpref => write!(f, "bpref"),
            Metric::JudgedAt(k) => write!(f, "judged@{k}"),
            Metric::ErrAt(k) => write!(f, "err@{k}"),
            Metric::Err => write!(f, "err"),
            Metric::Rbp(percent) => write!(f, "rbp(p={})", f64::from(*percent) / 100.0),
            Metric::RbpAt(percent, k) => write!(f, "rbp(p={})@{k}", f64::from(*percent) / 100.0),
            Metric::Gmap => write!(f, "gmap"),
            Metric::Returned => write!(f, "num-ret"),
            Metric::Relevant => write!(f, "num-rel"),
            Metric::RelevantReturned => write!(f, "num-rel-ret"),
        }
    }
}

/// Serialised as it is displayed.
impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Parses `ndcg@10`, and the spellings of trec_eval (`ndcg_cut_10`), ir-measures (`nDCG@10`) and MTEB (`ndcg_at_10`).
impl FromStr for Metric {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parsed(&text.trim().to_ascii_lowercase()).ok_or_else(|| {
            let expected = "ndcg, mrr, map, gmap, err, r-precision, bpref, rbp(p=0.8), num-ret, num-rel, num-rel-ret, \
                            or ndcg, mrr, map, err, recall, precision, success, judged, rbp with @ and a rank from 1, \
                            such as ndcg@10; the names of trec_eval, ir-measures and MTEB will do";
            Error::invalid("the metric", short(&format!("{text:?}")), expected)
        })
    }
}

/// A name in lower case.
fn parsed(text: &str) -> Option<Metric> {
    let (text, percent) = match text.split_once('(') {
        // ir-measures' name for relevant ones among the returned.
        Some(("numret", "rel=1)")) => return Some(Metric::RelevantReturned),
        None => (text.to_string(), None),
        Some((name, rest)) => {
            let (parameters, cutoff) = rest.split_once(')')?;
            (format!("{name}{cutoff}"), persistence(parameters)?)
        }
    };
    let metric = of_name(&text)?;
    match (metric, percent) {
        (Metric::Rbp(_), Some(percent)) => Some(Metric::Rbp(percent)),
        (Metric::RbpAt(_, k), Some(percent)) => Some(Metric::RbpAt(percent, k)),
        (_, Some(_)) => None,
        (metric, None) => Some(metric),
    }
}

/// The persistence among ir-measures' parameters, if given. The other parameters only state defaults.
fn persistence(parameters: &str) -> Option<Option<u8>> {
    let mut persistence = None;
    for parameter in parameters.split(',').map(str::trim) {
        match parameter.split_once('=')? {
            ("rel", "1") | ("judged_only", "false") | ("dcg", "'log2'" | "\"log2\"") => {}
            ("p", share) => {
                let percent = 100.0 * share.parse::<f64>().ok()?;
                let whole = percent.round();
                let fits = (1.0..=99.0).contains(&whole) && (percent - whole).abs() < 1e-9;
                persistence = Some(fits.then_some(whole as u8)?);
            }
            _ => return None,
        }
    }
    Some(persistence)
}

fn of_name(text: &str) -> Option<Metric> {
    let name = text.trim_end_matches(|c: char| c.is_ascii_digit());
    if name.len() == text.len() {
        return match name {
            "ndcg" => Some(Metric::Ndcg),
            "mrr" | "rr" | "recip_rank" => Some(Metric::Mrr),
            "map" | "ap" => Some(Metric::Map),
            "r-precision" | "rprec" => Some(Metric::RPrecision),
            "bpref" => Some(Metric::Bpref),
            "err" => Some(Metric::Err),
            "rbp" => Some(Metric::Rbp(PERSISTENCE)),
            "gmap" | "gm_map" => Some(Metric::Gmap),
            "num-ret" | "num_ret" | "numret" => Some(Metric::Returned),
            "num-rel" | "num_rel" | "numrel" => Some(Metric::Relevant),
            "num-rel-ret" | "num_rel_ret" | "numrelret" => Some(Metric::RelevantReturned),
            _ => None,
        };
    }
    let k: usize = text[name.len()..].parse().ok().filter(|&k| k > 0)?;
    let separators = ["@", "_cut_", "_cut.", "_at_", "_", "."];
    let name = separators.into_iter().find_map(|separator| name.strip_suffix(separator))?;
    match name {
        "ndcg" => Some(Metric::NdcgAt(k)),
        "mrr" | "rr" | "recip_rank" => Some(Metric::MrrAt(k)),
        "map" | "ap" => Some(Metric::MapAt(k)),
        "recall" | "r" => Some(Metric::RecallAt(k)),
        "precision" | "p" => Some(Metric::PrecisionAt(k)),
        "success" | "hit_rate" => Some(Metric::SuccessAt(k)),
        "judged" => Some(Metric::JudgedAt(k)),
        "err" => Some(Metric::ErrAt(k)),
        "rbp" => Some(Metric::RbpAt(PERSISTENCE, k)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_written_as_they_are_read() {
        for name in [
            "ndcg@10",
            "ndcg",
            "mrr@10",
            "mrr",
            "map",
            "map@5",
            "recall@100",
            "precision@1",
            "success@3",
            "r-precision",
            "bpref",
            "judged@10",
            "err",
            "err@20",
            "rbp(p=0.8)",
            "rbp(p=0.05)",
            "rbp(p=0.8)@10",
            "gmap",
            "num-ret",
            "num-rel",
            "num-rel-ret",
        ] {
            assert_eq!(name.parse::<Metric>().unwrap().to_string(), name);
        }
    }

    #[test]
    fn the_names_of_other_tools_are_read() {
        for (ours, others) in [
            (
                "ndcg@10",
                &["nDCG@10", "NDCG@10", "ndcg_cut_10", "ndcg_cut.10", "ndcg_at_10", "nDCG(dcg='log2')@10"][..],
            ),
            ("ndcg", &["nDCG"]),
            ("map", &["AP", "MAP", "AP(rel=1)"]),
            ("map@100", &["AP@100", "map_cut_100", "map_at_100"]),
            ("mrr", &["RR", "MRR", "recip_rank"]),
            ("mrr@10", &["RR@10", "MRR@10", "RR(rel=1)@10", "mrr_at_10"]),
            ("precision@5", &["P@5", "P_5", "P.5", "p@5", "Precision@5", "precision_at_5"]),
            ("recall@100", &["R@100", "recall_100", "recall.100", "Recall@100", "recall_at_100"]),
            ("success@1", &["Success@1", "success_1"]),
            ("success@5", &["Success@5", "success_5", "hit_rate_at_5", "hit_rate@5"]),
            ("judged@10", &["Judged@10"]),
            ("r-precision", &["Rprec", "RPrec"]),
            ("bpref", &["Bpref", "BPref"]),
            ("err@20", &["ERR@20"]),
            ("err", &["ERR"]),
            ("rbp(p=0.8)", &["RBP", "RBP(rel=1)", "RBP(p=0.8)", "RBP(p=0.8, rel=1)"]),
            ("rbp(p=0.95)", &["RBP(p=0.95)"]),
            ("rbp(p=0.8)@10", &["RBP@10", "RBP(p=0.8)@10", "RBP(rel=1)@10"]),
            ("gmap", &["gm_map", "GMAP"]),
            ("num-ret", &["num_ret", "NumRet"]),
            ("num-rel", &["num_rel", "NumRel", "NumRel(rel=1)"]),
            ("num-rel-ret", &["num_rel_ret", "NumRelRet", "NumRet(rel=1)"]),
        ] {
            for other in others {
                assert_eq!(other.parse::<Metric>().unwrap().to_string(), ours, "{other}");
            }
        }
    }

    #[test]
    fn other_names_are_refused() {
        for bad in [
            "",
            "ndcg@",
            "ndcg@0",
            "ndcg@-1",
            "ndcg10",
            "recall",
            "precision",
            "foo@10",
            "map@1.5",
            "AP(rel=2)",
            "RBP(p=1)",
            "RBP(p=0.855)",
            "RBP(p=x)",
            "AP(p=0.8)",
            "RBP(p=0.8",
            "nDCG(dcg='exp-log2')",
            "success",
            "10",
            "@10",
            "_10",
        ] {
            assert!(bad.parse::<Metric>().is_err(), "{bad}");
        }
    }
}
