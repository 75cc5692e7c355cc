// Fronts in the browser, of two metrics or three: of a moment of the evolution.

/**
 * Indices of the points that no other dominates, by the first metric; of equal ones all. columns: one array per metric;
 * higher: for each of them whether more is better; among: indices to choose from.
 */
export function front(columns, higher, among) {
  const signs = higher.map((is) => (is ? -1 : 1));
  const value = (place, index) => signs[place] * columns[place][index];
  const places = columns.map((_, place) => place);
  const order = (a, b) => places.map((place) => value(place, a) - value(place, b)).find((difference) => difference !== 0) ?? a - b;
  const beats = (a, b) => places.every((place) => value(place, a) <= value(place, b)) && places.some((place) => value(place, a) < value(place, b));
  const found = [];
  for (const index of among.filter((each) => columns.every((column) => Number.isFinite(column[each]))).sort(order)) {
    // Of two metrics the last member is the best in the second.
    const rivals = columns.length === 2 ? found.slice(-1) : found;
    if (!rivals.some((member) => beats(member, index))) found.push(index);
  }
  return found.sort((a, b) => columns[0][a] - columns[0][b]);
}

/** How ECharts is to draw the line that separates what is reached from what is not. */
export const step = (higherX) => (higherX ? "start" : "end");
