// The list of clusters, to be sorted and filtered.
const SHOWN = 300; // lines before the button for all of them
const order = {by: "size", down: true};
const COLUMNS = {
  exemplar: (fit, a, b) => NAMES[fit.medoids[a]].localeCompare(NAMES[fit.medoids[b]]),
  size: (fit, a, b) => fit.size(a) - fit.size(b),
  mean: (fit, a, b) => (fit.mean[a] || 0) - (fit.mean[b] || 0),
  region: (fit, a, b) => fit.region[a] - fit.region[b],
};

function showTable(all = false) {
  const fit = fitNow();
  const wanted = folded($("filter").value);
  const compare = COLUMNS[order.by];
  const rows = [...fit.medoids.keys()].filter(j => !wanted || foldedNames()[fit.medoids[j]].includes(wanted));
  rows.sort((a, b) => (order.down ? -1 : 1) * compare(fit, a, b) || a - b);
  const body = make("tbody", {}, ...rows.slice(0, all ? rows.length : SHOWN).map(j => tableLine(fit, j)));
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...Object.keys(COLUMNS).map(heading))), body);
  const note = make("p", {className: "quiet"}, `${count(rows.length)} of ${count(fit.k)} clusters`);
  const more = make("button", {hidden: all || rows.length <= SHOWN}, `show all ${count(rows.length)}`);
  more.addEventListener("click", () => showTable(true));
  $("table").replaceChildren(note, table, more);
}

function heading(column) {
  const sorted = order.by === column;
  const word = column === "mean" ? `mean ${DATA.entry}` : column;
  const button = make("button", {}, `${word}${sorted ? (order.down ? " ↓" : " ↑") : ""}`);
  button.addEventListener("click", () => {
    Object.assign(order, {by: column, down: sorted ? !order.down : column !== "exemplar"});
    showTable();
    [...$("table").querySelectorAll("th button")][Object.keys(COLUMNS).indexOf(column)].focus();
  });
  return make("th", {scope: "col", "aria-sort": sorted ? (order.down ? "descending" : "ascending") : "none"}, button);
}

function tableLine(fit, j) {
  const button = make("button", {className: "item"}, ...[thumbnail(fit.medoids[j], 20), named(fit.medoids[j])].filter(Boolean));
  button.addEventListener("click", () => select(fit.medoids[j], true));
  const region = make("td", {title: `region of ${NAMES[fit.heads[fit.region[j]]]}`}, chip(fit, j));
  return make("tr", {}, make("td", {}, button), make("td", {}, count(fit.size(j))), make("td", {}, said(fit.mean[j])), region);
}
