// The search as a film: a slider over what was finished when, and a button that plays it.
import { button, h } from "./dom.js";
import { moment } from "./format.js";

const LONGEST_MS = 9000;
const CANDIDATE_MS = 150;
const FRAME_MS = 60;

/** onmove(count | null): show the first so many candidates; null: all, and whatever comes. */
export function evolution(onmove) {
  let times = [];
  let timer = null;
  let following = true;
  const slider = h("input", { type: "range", min: 1, max: 1, value: 1, "aria-label": "Evolution: candidates finished so far", "data-key": "evolution" });
  const said = h("output", {}, "");
  const play = button("▶ Play", () => (timer ? stop() : start()), { "data-key": "play" });
  const element = h("div", { class: "evolution" }, play, slider, said);

  const tell = () => {
    const count = Number(slider.value);
    said.textContent = following ? `all ${times.length}` : `${count} of ${times.length}`;
    slider.setAttribute("aria-valuetext", `${count} of ${times.length}, ${moment(times[count - 1])}`);
    onmove(following ? null : count);
  };
  const go = (count) => {
    slider.value = Math.min(count, times.length);
    following = Number(slider.value) >= times.length;
    tell();
  };
  const stop = () => {
    clearInterval(timer);
    timer = null;
    play.textContent = "▶ Play";
  };
  const start = () => {
    if (times.length < 2) return;
    const began = performance.now();
    const from = following ? 1 : Number(slider.value);
    const takes = Math.min(LONGEST_MS, CANDIDATE_MS * (times.length - from));
    play.textContent = "❚❚ Pause";
    timer = setInterval(() => {
      const share = (performance.now() - began) / takes;
      go(Math.max(1, Math.round(from + share * (times.length - from))));
      if (share >= 1) stop();
    }, FRAME_MS);
  };
  slider.addEventListener("input", () => {
    stop();
    go(Number(slider.value));
  });

  return {
    element,
    /** finishedAt: of all that are complete, in order. */
    update(finishedAt) {
      times = finishedAt;
      slider.max = Math.max(1, times.length);
      if (following) slider.value = slider.max;
      said.textContent = following ? `all ${times.length}` : `${slider.value} of ${times.length}`;
    },
  };
}
