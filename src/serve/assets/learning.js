// What was learnt from the picks: the rounds, what the gate said of each, and what can be done about it.

import { get, listen, post } from "./api.js";
import { button, byId, failure, h, isOnCluster, note, svg } from "./dom.js";
import { confirm } from "./dialogs.js";
import { Questions } from "./questions.js";
import { Round, score } from "./round.js";
import { counted, duration, percent } from "./words.js";

export const STAGES = {
  collect: "Collecting examples",
  train: "Training",
  reindex: "Encoding the documents anew",
  gate: "Comparing on the held-out questions",
  publish: "Publishing",
};

/// What the view is called. Over a cluster it has the questions alone.
export const TITLE = isOnCluster ? "Questions" : "Learning";

export class Learning {
  constructor() {
    this.element = byId("view-learning");
    this.questions = new Questions();
    this.state = h("div", { class: "state" });
    this.rounds = h("div", { class: "rounds" });
    this.element.append(
      h("h1", null, TITLE),
      this.state,
      h(
        "section",
        { "aria-labelledby": "rounds", class: "of-machine" },
        h("h2", { id: "rounds" }, "Rounds"),
        this.rounds,
      ),
      this.questions.element,
    );
    this.build();
    listen("round", () => this.isOpen && this.load());
  }

  get isOpen() {
    return !this.element.hidden;
  }

  /// The questions come last: what stands above them must not push them away under a click.
  async show() {
    this.element.hidden = false;
    document.title = `${TITLE} – retune`;
    if (!isOnCluster) await this.load();
    if (this.isOpen) this.questions.show();
  }

  async load() {
    try {
      const { rounds } = await get("rounds");
      this.rounds.replaceChildren(...this.list(rounds));
    } catch (error) {
      this.rounds.replaceChildren(failure(error));
    }
  }

  list(rounds) {
    if (!rounds.length) {
      return [
        h(
          "p",
          { class: "empty" },
          "No round yet. Search, open what you looked for, and the first round ",
          "will have something to learn from.",
        ),
      ];
    }
    const measured = rounds.filter((round) => round.after !== null);
    const newest = rounds.toReversed();
    return [
      measured.length > 1 ? course(measured) : null,
      h(
        "ol",
        { class: "round-list", reversed: true },
        newest.map((round) => new Round(round).element),
      ),
    ].filter(Boolean);
  }

  /// The service says what it does. What can be clicked stays where it is.
  setStatus(status) {
    const { learning, log, can_roll_back, trial } = status;
    this.said.textContent = log
      ? `${counted(log.judgements, "pick")} in ${counted(log.impressions, "answered question")}. `
      : "Nothing is noted: the index can't be written. ";
    this.tried.textContent = trial ? onTrial(trial) : "";
    this.tried.hidden = !trial;
    this.end.hidden = !trial || Boolean(learning);
    this.start.hidden = Boolean(learning) || Boolean(trial);
    this.start.disabled = !log;
    this.cancel.hidden = !learning;
    this.back.disabled = !can_roll_back || Boolean(learning);
    this.back.title = can_roll_back ? "" : "There is no earlier state to return to";
    this.progress.hidden = !learning;
    if (!learning) return;
    const [bar, stage] = this.progress.children;
    bar.value = learning.fraction;
    stage.textContent = stageOf(learning);
  }

  build() {
    const why = isOnCluster
      ? ["The machine that this index was migrated from learns from them: ", h("code", null, "retune learn --store")]
      : "A round trains on them. It is kept if new questions are answered better, or if your picks prefer it.";
    this.said = h("span");
    this.progress = h(
      "div",
      { class: "progress" },
      h("progress", { max: "1", "aria-label": "Round of learning" }),
      h("p", null),
    );
    this.start = button("Learn now", () => this.act("learn"), "primary");
    this.cancel = button("Cancel", () => this.act("learn/cancel"));
    this.back = button("Roll back", () => this.rollBack());
    this.end = button("End the trial", () => this.endTrial(), "end-trial");
    this.tried = h("p", { class: "on-trial" });
    // Nothing can be done before the service has said what it does.
    this.start.disabled = this.back.disabled = true;
    for (const later of [this.progress, this.cancel, this.end, this.tried]) later.hidden = true;
    this.state.append(
      h("p", { class: "lead" }, this.said, h("span", { class: "faint" }, why)),
      this.tried,
      this.progress,
      h("div", { class: "buttons of-machine" }, this.start, this.cancel, this.end, this.back),
    );
  }

  async rollBack() {
    const sure = await confirm(
      "Return to the state before?",
      "The generation that answered before the last one answers again. What was learnt since then no longer counts; " +
        "your picks stay.",
      "Roll back",
    );
    if (sure && (await this.act("rollback"))) {
      note("The generation before answers again.");
      this.load();
    }
  }

  async endTrial() {
    const sure = await confirm(
      "End the trial?",
      "What the last round has learnt is thrown away, and the state before it goes on alone. Your picks stay.",
      "End the trial",
    );
    if (sure && (await this.act("trial/end"))) {
      note("The trial was ended.");
      this.load();
    }
  }

  async act(path) {
    try {
      await post(path);
      return true;
    } catch (error) {
      note(error.message);
      return false;
    }
  }
}

/// How a trial does, in words.
function onTrial({ votes, wins, losses }) {
  const searches = counted(votes, "search", "searches");
  const said = votes ? `${searches} so far: ${wins} for it, ${losses} against it.` : "No pick so far.";
  return `What the last round has learnt is on trial: searches show both, and your picks decide. ${said}`;
}

/// What a round does, in words.
export function stageOf({ stage, fraction, eta_s, paused }) {
  if (paused) return "Waiting until the machine is idle";
  if (!stage) return "Waiting for its turn";
  const left = eta_s === null || eta_s === undefined ? "" : `, about ${duration(eta_s)} left`;
  return `${STAGES[stage] ?? stage} – ${percent(fraction)}${left}`;
}

const LEGEND = "Hollow dots are rounds that were not kept.";
const LEGEND_WITH_PICKS =
  "Hollow marks are rounds that were not kept, or are on trial. Squares were left to your picks: these questions " +
  "flatter what answered before, so the line goes on level.";

/// How good the answers were after each round, drawn. The held-out questions were picked from what answered before, and
/// flatter it: they say nothing of a round that was left to the picks, so the line goes on level there.
function course(rounds) {
  // As large on a phone: a square is told from a dot.
  const [width, height] = matchMedia("(max-width: 30rem)").matches ? [340, 100] : [640, 120];
  const [edge, size] = [14, 4.5];
  const left = rounds.filter((round) => round.by_picks).length;
  const values = [rounds[0].before, ...rounds.filter((round) => !round.by_picks).map(({ after }) => after)];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const share = (value) => (high > low ? (value - low) / (high - low) : 0.5);
  const y = (value) => height - edge - share(value) * (height - 2 * edge);
  const x = (at) => edge + (at / Math.max(rounds.length - 1, 1)) * (width - 2 * edge);
  let best = rounds[0].before;
  let [isDecided, isMeasured] = [false, true];
  const steps = [`M0 ${y(best)}`];
  const marks = rounds.map((round, at) => {
    const isKept = round.decision === "published";
    if (isKept) isMeasured = !round.by_picks;
    if (round.by_picks) return square(x(at), y(best), size, round.decision);
    if (isKept) {
      isDecided = true;
      steps.push(`L${x(at)} ${y(best)}`, `L${x(at)} ${y(round.after)}`);
      best = round.after;
    }
    return svg("circle", { cx: x(at), cy: y(round.after), r: size, class: round.decision });
  });
  steps.push(`L${width} ${y(best)}`);
  const label =
    `nDCG@10 on held-out questions: from ${score(rounds[0].before)} to ${score(best)} ` +
    `in ${counted(rounds.length, "measured round")}${left ? `, ${left} of them left to picks` : ""}`;
  return h(
    "figure",
    { class: "course" },
    svg(
      "svg",
      { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label },
      svg("path", { d: steps.join(" ") }),
      ...marks,
    ),
    h(
      "figcaption",
      null,
      "How well questions that the round has not seen were answered (nDCG@10): ",
      h("b", null, score(rounds[0].before)),
      " before the first round",
      isMeasured || isDecided ? [", ", h("b", null, score(best)), isMeasured ? " now" : " when they last decided"] : "",
      ". ",
      left ? LEGEND_WITH_PICKS : LEGEND,
    ),
  );
}

function square(x, y, size, kind) {
  return svg("rect", { x: x - size, y: y - size, width: 2 * size, height: 2 * size, class: kind });
}
