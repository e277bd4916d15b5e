//! What a round makes of the log, as options of the verbs that run one.

use retune::{ConfusableOptions, FollowOptions, LearnOptions};

use super::positive::positive;

#[derive(clap::Args)]
pub(super) struct Evidence {
    /// What was passed over so many days ago counts half.
    #[arg(long, value_name = "DAYS", value_parser = positive)]
    confusable_half_life: Option<f64>,
    /// Confusables with less evidence are left out, 0 to 1.
    #[arg(long, value_name = "E")]
    confusable_floor: Option<f32>,
    /// Confusables of a query at most.
    #[arg(long, value_name = "N")]
    confusables_per_query: Option<usize>,
    /// Quantile of the corpus's own margins above which candidates are suspected to be answers, 0 to 1.
    #[arg(long, value_name = "Q", value_parser = positive)]
    suspect_quantile: Option<f64>,
    /// Rows count by how rarely the place is looked at where their answer was chosen; so much at most.
    #[arg(long, value_name = "MOST", value_parser = positive)]
    inverse_propensity: Option<f64>,
    /// Rows count half for so many judgements since their query was judged.
    #[arg(long, value_name = "JUDGEMENTS", value_parser = positive)]
    replay_half_life: Option<f64>,
    /// Confusables that encoder after encoder finds far behind the answer, or nearer in spite of training, leave the rows.
    #[arg(long)]
    leave_out_followed: bool,
    /// Margin of the cosine from which a confusable is solved. Default 0.23.
    #[arg(long, value_name = "M")]
    solved_margin: Option<f32>,
    /// So many encoders in a row must find a confusable solved. Default 2.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    solved_after: Option<u32>,
    /// So many encoders in a row must have a confusable nearer for it to count as a likely answer. Default 2.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rising_after: Option<u32>,
    /// Short and long queries, with and without rare terms, may get fusion weights of their own.
    #[arg(long)]
    fusion_classes: bool,
}

impl Evidence {
    /// `options` with what was asked for.
    pub(super) fn apply(&self, options: LearnOptions) -> LearnOptions {
        let confusable = ConfusableOptions::default()
            .with_half_life_days(self.confusable_half_life.map(|days| days as f32))
            .with_floor(self.confusable_floor.unwrap_or(options.confusable.floor))
            .with_per_query(self.confusables_per_query);
        let follow = options.follow;
        let follow = FollowOptions::default()
            .with_leave_out(self.leave_out_followed)
            .with_solved_margin(self.solved_margin.unwrap_or(follow.solved_margin))
            .with_solved_after(self.solved_after.unwrap_or(follow.solved_after))
            .with_rising_after(self.rising_after.unwrap_or(follow.rising_after));
        options
            .with_confusable(confusable)
            .with_follow(follow)
            .with_fusion_classes(self.fusion_classes)
            .with_suspect_quantile(self.suspect_quantile.map(|quantile| quantile as f32))
            .with_inverse_propensity(self.inverse_propensity.map(|most| most as f32))
            .with_replay_half_life(self.replay_half_life.map(|judgements| judgements as f32))
    }
}
