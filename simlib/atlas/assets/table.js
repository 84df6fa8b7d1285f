// The list of clusters, to be sorted and filtered.
const SHOWN = 300; // lines before the button for all of them
const order = {by: "size", down: true};
const COLUMNS = {
  exemplar: (fit, a, b) => NAMES[fit.medoids[a]].localeCompare(NAMES[fit.medoids[b]]),
  size: (fit, a, b) => fit.size(a) - fit.size(b),
  mean: (fit, a, b) => (fit.mean[a] || 0) - (fit.mean[b] || 0),
  region: (fit, a, b) => legendPlace(fit, a) - legendPlace(fit, b),
};
const legendPlace = (fit, j) => [...fit.inRegion.keys()].indexOf(fit.region[j]);
const current = fit => state.item === null ? -1 : fit.labels[state.item];

function showTable(all = false) {
  const fit = fitNow();
  const wanted = folded($("filter").value);
  const compare = COLUMNS[order.by];
  const rows = [...fit.medoids.keys()].filter(j => !wanted || foldedNames()[fit.medoids[j]].includes(wanted));
  rows.sort((a, b) => (order.down ? -1 : 1) * compare(fit, a, b) || a - b);
  const shown = all ? rows.length : Math.max(SHOWN, rows.indexOf(current(fit)) + 1);
  const body = make("tbody", {}, ...rows.slice(0, shown).map(j => tableLine(fit, j)));
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...Object.keys(COLUMNS).map(heading))), body);
  const none = "No exemplar has this in its name. The filter looks at exemplars only; the search above finds every item.";
  const note = make("p", {className: "quiet"}, rows.length ? `${count(rows.length)} of ${counted(fit.k, "cluster")}` : none);
  const more = make("button", {className: "more", hidden: rows.length <= shown}, `show all ${count(rows.length)}`);
  more.addEventListener("click", () => showTable(true));
  $("table").replaceChildren(note, table, more);
}

function heading(column) {
  const sorted = order.by === column;
  const word = column === "mean" ? `mean ${DATA.entry}` : column;
  const button = make("button", {}, `${word}${sorted ? (order.down ? "\u00a0↓" : "\u00a0↑") : ""}`);
  button.addEventListener("click", () => {
    Object.assign(order, {by: column, down: sorted ? !order.down : column === "size" || column === "mean"});
    showTable();
    [...$("table").querySelectorAll("th button")][Object.keys(COLUMNS).indexOf(column)].focus();
  });
  return make("th", {scope: "col", "aria-sort": sorted ? (order.down ? "descending" : "ascending") : "none"}, button);
}

function tableLine(fit, j) {
  const button = make("button", {className: "item"}, ...[thumbnail(fit.medoids[j], 20), named(fit.medoids[j])].filter(Boolean));
  const region = make("td", {title: `region of ${NAMES[fit.heads[fit.region[j]]]}`}, chip(fit, j));
  const line = make("tr", {}, make("td", {}, button), make("td", {}, count(fit.size(j))), make("td", {}, said(fit.mean[j])), region);
  if (j === current(fit)) line.setAttribute("aria-current", "true");
  line.addEventListener("click", () => select(fit.medoids[j], true));
  return line;
}

function showCurrent() {
  const line = $("table").querySelector("[aria-current]");
  if (line) line.scrollIntoView({block: "center"});
}
