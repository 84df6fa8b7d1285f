// The search for an item by its name, without regard to case and accents.
const OFFERED = 12; // names that begin so; half as many that hold it elsewhere
let offered = []; // the items on offer
let chosen = -1; // the place of one of them

const folded = text => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim();
const foldedNames = () => once("folded", () => NAMES.map(folded));

// The same name first, then names that begin so, then names that hold it, each in the order of the rows.
function matches(text) {
  const wanted = folded(text) || text.trim();
  const found = [[], [], []];
  if (!wanted) return [[], []];
  foldedNames().forEach((name, item) => {
    const at = name.indexOf(wanted);
    if (at < 0) return;
    const rank = name === wanted ? 0 : at === 0 ? 1 : 2;
    if (found[rank].length < OFFERED) found[rank].push(item);
  });
  return [[...found[0], ...found[1]].slice(0, OFFERED), found[2].slice(0, OFFERED / 2)];
}

function offer() {
  const box = $("search");
  const list = $("found");
  const groups = matches(box.value);
  offered = groups.flat();
  chosen = -1;
  const fit = fitNow();
  const options = offered.map((item, at) => {
    const line = make("li", {role: "option", id: `found-${at}`}, chip(fit, fit.labels[item]), named(item));
    line.addEventListener("pointerdown", event => { event.preventDefault(); take(at); });
    return line;
  });
  const [begin, hold] = [options.slice(0, groups[0].length), options.slice(groups[0].length)];
  const heading = text => make("li", {className: "quiet", role: "presentation"}, text);
  const lines = [...begin, ...(hold.length ? [heading("names that hold it elsewhere"), ...hold] : [])];
  if (box.value.trim() && !offered.length) lines.push(heading("no item has this in its name"));
  list.replaceChildren(...lines);
  open(lines.length > 0);
}

function open(whether) {
  $("found").hidden = !whether;
  $("search").setAttribute("aria-expanded", String(whether));
  $("search").removeAttribute("aria-activedescendant");
}

function step(by) {
  if (!offered.length) return;
  chosen = (chosen + by + offered.length) % offered.length;
  const lines = [...$("found").querySelectorAll("[role=option]")];
  lines.forEach((line, at) => line.setAttribute("aria-selected", String(at === chosen)));
  lines[chosen].scrollIntoView({block: "nearest"});
  $("search").setAttribute("aria-activedescendant", `found-${chosen}`);
}

function take(at) {
  const item = offered[at];
  if (item === undefined) {
    if ($("search").value.trim()) say(`no item has "${shortened($("search").value.trim())}" in its name`);
    return;
  }
  open(false);
  select(item, true);
  if (TOUCH) $("search").blur(); // the keyboard of a phone would cover the card
}

function listenToSearch() {
  const box = $("search");
  box.addEventListener("input", offer);
  box.addEventListener("focus", () => box.select()); // what is typed takes the place of a name that was chosen
  box.addEventListener("blur", () => {
    open(false);
    box.value = state.item === null ? "" : NAMES[state.item]; // the field and the card agree
  });
  box.addEventListener("search", () => { if (!box.value) choose(null, null); }); // the cross in the field
  box.addEventListener("keydown", event => {
    if (event.key === "ArrowDown") step(1);
    else if (event.key === "ArrowUp") step(chosen < 0 ? 0 : -1);
    else if (event.key === "Enter") take(Math.max(chosen, 0));
    else if (event.key === "Escape") { choose(null, null); box.blur(); }
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}
