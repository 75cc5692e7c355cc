// Two-dimensional fronts in the browser: of a moment of the evolution, of several searches.

/** Indices of the points that no other dominates, by x. higherX, higherY: which way is better. */
export function front(xs, ys, { higherX = false, higherY = true, among } = {}) {
  const indices = (among ?? [...xs.keys()]).filter((index) => Number.isFinite(xs[index]) && Number.isFinite(ys[index]));
  const signX = higherX ? -1 : 1;
  const signY = higherY ? -1 : 1;
  indices.sort((a, b) => signX * (xs[a] - xs[b]) || signY * (ys[a] - ys[b]) || a - b);
  let best = Infinity;
  const found = indices.filter((index) => {
    const value = signY * ys[index];
    if (value >= best) return false;
    best = value;
    return true;
  });
  return found.sort((a, b) => xs[a] - xs[b]);
}

/** How ECharts is to draw the line that separates what is reached from what is not. */
export const step = (higherX) => (higherX ? "start" : "end");
