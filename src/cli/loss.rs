//! What training minimises, as options of the verbs that run a round.

use retune::{Bidirectional, GradientNegatives, Hardness, HardnessOf, Mixing, NegativeScope, TrainOptions};

use super::named::named;
use super::or_none::{OrNone, or_none};
use super::positive::positive;

#[derive(clap::Args)]
pub(super) struct Loss {
    /// Factor of the cosine: the inverse of a temperature. Default 20.
    #[arg(long, value_name = "S", value_parser = positive)]
    scale: Option<f64>,
    /// Whom a row's hard negatives are shown to: batch, own_anchor or auto.
    #[arg(long, value_parser = |text: &str| named(text, &SCOPES))]
    scope: Option<NegativeScope>,
    /// What the serving encoder ranks above the positive less this margin of the cosine, -1 to 1, is hidden as a suspected
    /// answer; none: nothing is. Default 0.
    #[arg(long, value_name = "M", value_parser = |text: &str| or_none(text, guide_margin), allow_negative_numbers = true)]
    guide_margin: Option<OrNone<f32>>,
    /// Whether a positive also chooses among the anchors: off, per_direction or joint. Default off.
    #[arg(long, value_name = "HOW", value_parser = |text: &str| named(text, &BIDIRECTIONAL))]
    bidirectional: Option<Bidirectional>,
    /// Hard candidates count more than their share: which (in_batch_negatives, hard_negatives or all_negatives), and how
    /// much. Default: none do.
    #[arg(long, value_name = "WHICH,STRENGTH", value_parser = hardness)]
    hardness: Option<Hardness>,
    /// Each anchor also sees mixtures of the N hardest candidates that it sees. Default: no mixtures.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..))]
    mixing: Option<u32>,
    /// Hard negatives also count once their embeddings are moved towards the anchor by a share of their length, above 0 to 1;
    /// what that counts beside the plain loss may follow (default 1). Default: none are moved.
    #[arg(long, value_name = "EPSILON[,WEIGHT]", value_parser = gradient_negatives)]
    gradient_negatives: Option<GradientNegatives>,
}

const SCOPES: [(&str, NegativeScope); 3] = [
    ("batch", NegativeScope::Batch),
    ("own_anchor", NegativeScope::OwnAnchor),
    ("auto", NegativeScope::Auto),
];
const BIDIRECTIONAL: [(&str, Bidirectional); 3] = [
    ("off", Bidirectional::Off),
    ("per_direction", Bidirectional::PerDirection),
    ("joint", Bidirectional::Joint),
];
const HARDNESS_OF: [(&str, HardnessOf); 3] = [
    ("in_batch_negatives", HardnessOf::InBatchNegatives),
    ("hard_negatives", HardnessOf::HardNegatives),
    ("all_negatives", HardnessOf::AllNegatives),
];

fn guide_margin(text: &str) -> Result<f32, String> {
    let margin = text.parse().map_err(|_| "a number is wanted")?;
    checked(TrainOptions::default().with_guide_margin(Some(margin)), margin)
}

fn hardness(text: &str) -> Result<Hardness, String> {
    let (of, strength) = text.split_once(',').ok_or("which candidates, a comma and a number are wanted")?;
    let hardness = Hardness { of: named(of, &HARDNESS_OF)?, strength: positive(strength)? as f32 };
    checked(TrainOptions::default().with_hardness(Some(hardness)), hardness)
}

fn gradient_negatives(text: &str) -> Result<GradientNegatives, String> {
    let numbers: Vec<f64> = text.split(',').map(positive).collect::<Result<_, _>>()?;
    let negatives = match numbers[..] {
        [epsilon] => GradientNegatives::default().with_epsilon(epsilon as f32),
        [epsilon, weight] => {
            GradientNegatives::default().with_epsilon(epsilon as f32).with_weight(weight as f32)
        }
        _ => return Err("one or two numbers are wanted".into()),
    };
    checked(TrainOptions::default().with_gradient_negatives(Some(negatives)), negatives)
}

/// `value`, if the options that it makes are valid.
fn checked<T>(options: TrainOptions, value: T) -> Result<T, String> {
    options.validate().map(|()| value).map_err(|error| error.to_string())
}

impl Loss {
    /// `options` with what was asked for.
    pub(super) fn apply(&self, mut options: TrainOptions) -> TrainOptions {
        if let Some(scale) = self.scale {
            options = options.with_scale(scale);
        }
        if let Some(scope) = self.scope {
            options = options.with_scope(scope);
        }
        if let Some(OrNone(margin)) = self.guide_margin {
            options = options.with_guide_margin(margin);
        }
        if let Some(bidirectional) = self.bidirectional {
            options = options.with_bidirectional(bidirectional);
        }
        if let Some(hardest) = self.mixing {
            options = options.with_mixing(Some(Mixing::default().with_hardest(hardest as usize)));
        }
        options.with_hardness(self.hardness).with_gradient_negatives(self.gradient_negatives)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Verb {
        #[command(flatten)]
        loss: Loss,
    }

    fn parsed(args: &[&str]) -> Result<TrainOptions, String> {
        let verb = Verb::try_parse_from([&["learn"], args].concat()).map_err(|error| error.to_string())?;
        Ok(verb.loss.apply(TrainOptions::default()))
    }

    #[test]
    fn nothing_asked_for_leaves_the_defaults() {
        assert_eq!(parsed(&[]), Ok(TrainOptions::default()));
    }

    #[test]
    fn each_option_reaches_training() {
        let args =
            ["--scale", "30", "--scope", "batch", "--guide-margin", "none", "--bidirectional", "joint"];
        let more = ["--hardness", "hard_negatives,9", "--mixing", "8", "--gradient-negatives", "0.05,0.5"];
        let expected = TrainOptions::default()
            .with_scale(30.0)
            .with_scope(NegativeScope::Batch)
            .with_guide_margin(None)
            .with_bidirectional(Bidirectional::Joint)
            .with_hardness(Some(Hardness { of: HardnessOf::HardNegatives, strength: 9.0 }))
            .with_mixing(Some(Mixing::default().with_hardest(8)))
            .with_gradient_negatives(Some(GradientNegatives::default().with_epsilon(0.05).with_weight(0.5)));
        assert_eq!(parsed(&[&args[..], &more].concat()), Ok(expected));
        let negative = TrainOptions::default().with_guide_margin(Some(-0.1));
        assert_eq!(parsed(&["--guide-margin", "-0.1"]), Ok(negative));
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_what_can() {
        let refused = |args: &[&str], told: &str| {
            let error = parsed(args).unwrap_err();
            assert!(error.contains(told), "{error}");
        };
        refused(&["--hardness", "hard_negatives"], "a comma and a number");
        refused(&["--hardness", "all,9"], "in_batch_negatives, hard_negatives, all_negatives");
        refused(&["--hardness", "hard_negatives,1e300"], "the strength of the hardness");
        refused(&["--bidirectional", "both"], "off, per_direction, joint");
        refused(&["--guide-margin", "2"], "from -1 to 1");
        refused(&["--gradient-negatives", "2"], "negatives are displaced");
    }
}
