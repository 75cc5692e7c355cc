// The evolution of the front as a film: a slider over how many candidates were complete, and a button that plays it.
// Whatever is there without a script is the last picture, which is printed too.
(() => {
  const LONGEST_MS = 9000;
  const CANDIDATE_MS = 120;

  /** Through places in pixels, as a staircase; the same as `line_path` of chart.py. */
  const staircase = (places, steps) =>
    places
      .map(([x, y], index) => (index === 0 ? `M${x} ${y}` : steps === "pre" ? `V${y}H${x}` : `H${x}V${y}`))
      .join("");

  for (const film of document.querySelectorAll("figure.film")) {
    const frames = JSON.parse(film.querySelector(".frames").textContent);
    const total = Number(film.dataset.total);
    const [play, slider, said] = film.querySelectorAll("button, input, output");
    const charts = [...film.querySelectorAll("svg")].map((svg) => ({
      line: svg.querySelector("path.front"),
      dots: [...svg.querySelectorAll("circle.dot")].map((dot) => ({ dot, x: Number(dot.getAttribute("cx")), y: Number(dot.getAttribute("cy")) })),
    }));
    let timer = null;

    const show = (count) => {
      const isOn = frames.map(([first, until]) => first <= count && count < until);
      for (const { line, dots } of charts) {
        dots.forEach(({ dot }, index) => {
          dot.classList.toggle("later", frames[index][0] > count);
          dot.classList.toggle("front", isOn[index]);
        });
        const members = dots.filter((_, index) => isOn[index]).map(({ x, y }) => [x, y]);
        members.sort(([x, y], [otherX, otherY]) => x - otherX || otherY - y);
        line?.setAttribute("d", staircase(members, film.dataset.steps));
      }
      const members = isOn.filter(Boolean).length;
      slider.value = count;
      said.textContent = `${count} of ${total} candidates, ${members} on the front`;
      slider.setAttribute("aria-valuetext", said.textContent);
    };
    const stop = () => {
      cancelAnimationFrame(timer);
      timer = null;
      play.textContent = "▶ Play";
    };
    const start = () => {
      const from = Number(slider.value) < total ? Number(slider.value) : 1;
      const takes = Math.min(LONGEST_MS, CANDIDATE_MS * (total - from));
      const began = performance.now();
      const step = (now) => {
        const share = takes > 0 ? Math.min(1, Math.max(0, now - began) / takes) : 1;
        show(Math.round(from + share * (total - from)));
        if (share < 1) timer = requestAnimationFrame(step);
        else stop();
      };
      play.textContent = "❚❚ Pause";
      timer = requestAnimationFrame(step);
    };

    play.addEventListener("click", () => (timer === null ? start() : stop()));
    slider.addEventListener("input", () => {
      stop();
      show(Number(slider.value));
    });
    addEventListener("beforeprint", () => {
      stop();
      show(total);
    });
    show(total);
    film.querySelector(".controls").hidden = false;
  }

  // On paper everything is open.
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((each) => (each.open = true)));
})();
