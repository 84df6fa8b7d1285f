// The card of the selected item and its cluster, and what is saved of it.
const FIRST = 60; // members that are shown before the button for all of them
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/; // what a spreadsheet would compute

function chip(fit, j) {
  const dot = make("span", {className: "dot"});
  const [r, g, b] = rgb(DATA.palette[state.dark ? "dark" : "light"][fit.region[j]]);
  dot.style.background = `rgb(${r} ${g} ${b})`;
  return dot;
}

function thumbnail(item, side) {
  if (!sheetImage) return null;
  const {width, height, columns} = DATA.thumbnails;
  const picture = make("canvas", {width, height, className: "thumb"});
  picture.style.width = `${side * width / Math.max(width, height)}px`;
  picture.getContext("2d").drawImage(sheetImage, item % columns * width, Math.floor(item / columns) * height,
    width, height, 0, 0, width, height);
  return picture;
}

function itemButton(item, number) {
  const text = number === undefined ? null : make("small", {}, said(number));
  const button = make("button", {className: "item"}, ...[thumbnail(item, 24), named(item), text].filter(Boolean));
  button.addEventListener("click", () => select(item, true));
  return button;
}

function showCard() {
  const card = $("card");
  if (state.item === null && state.region === null) {
    card.replaceChildren(make("p", {className: "quiet"},
      `Nothing is selected. ${TOUCH ? "Tap" : "Click"} a point or a name, search for an item, or choose a cluster or a colour.`));
  } else if (state.item === null) {
    showRegion(card);
  } else {
    showCluster(card);
  }
}

function showRegion(card) {
  const fit = fitNow();
  const inside = fit.bySize.filter(j => fit.region[j] === state.region);
  const rows = itemsOf(fit, inside);
  const list = make("div", {className: "items"}, ...inside.map(j => itemButton(fit.medoids[j])));
  card.replaceChildren(
    make("h2", {}, chip(fit, inside[0]), "region of ", named(fit.heads[state.region])),
    make("p", {}, `${counted(rows.length, "item")} in ${counted(inside.length, "cluster")}`),
    saving(rows, `region ${NAMES[fit.heads[state.region]]}`),
    make("h3", {}, "exemplars, largest cluster first"), list);
}

function showCluster(card) {
  const fit = fitNow();
  const item = state.item;
  const j = fit.labels[item];
  const exemplar = fit.medoids[j];
  const own = members(fit, j);
  const parts = [];
  if (item === exemplar) {
    parts.push(make("h2", {}, ...[chip(fit, j), thumbnail(item, 40), named(item)].filter(Boolean)));
    parts.push(make("p", {}, `exemplar of ${counted(own.length, "item")}`));
  } else {
    parts.push(make("h2", {}, ...[thumbnail(item, 40), named(item)].filter(Boolean)));
    const place = own.indexOf(item);
    const line = make("p", {}, chip(fit, j), "in the cluster of ", itemButton(exemplar),
      ` ${DATA.entry} ${said(fit.entries[item])}, number ${count(place + 1)} of ${count(own.length)} by closeness`);
    parts.push(line, make("p", {className: "quiet"}, howWell(fit, item, place, own.length)));
  }
  parts.push(saving(own, NAMES[exemplar]));
  if (sure()) parts.push(make("p", {}, `${HOW_SURE}: ${said2(sure()[item])} (0 to 1)`));
  parts.push(...nearestItems(fit, item));
  if (PER_ITEM) {
    const stayed = Math.round(kept()[item] * PER_ITEM);
    parts.push(make("p", {className: "quiet"}, `${stayed} of its ${PER_ITEM} nearest are among its ${PER_ITEM} nearest on the map.`));
  }
  parts.push(make("h3", {}, "members, closest to the exemplar first"), memberList(fit, own));
  if (fit.perCluster) parts.push(make("h3", {}, "clusters beside it"), neighbouring(fit, j));
  card.replaceChildren(...parts);
}

const said2 = number => (Math.round(number * 100) / 100).toFixed(2);

// Whether an item fits its cluster, beside what is usual: the middle over all items that are no exemplars.
function howWell(fit, item, place, members) {
  const usual = fit.entries[byCloseness(fit)[byCloseness(fit).length >> 1]];
  const farther = DATA.distances ? fit.entries[item] > usual : fit.entries[item] < usual;
  const verdict = place >= 0.9 * members ? "It fits its cluster poorly: it is in the last tenth by closeness. "
    : farther ? "It fits its cluster less well than most items fit theirs. " : "";
  return `${verdict}The usual ${DATA.entry} to an exemplar is ${said(usual)}.`;
}

// The nearest items; beside the members of its own cluster, an exemplar shows those of other clusters only.
function nearestItems(fit, item) {
  const list = make("div", {className: "items"});
  const alone = fit.exemplar(item);
  nearestTo(item).forEach((other, m) => {
    if (!alone || fit.labels[other] !== fit.labels[item]) list.append(itemButton(other, nearness()[item * PER_ITEM + m]));
  });
  return list.children.length ? [make("h3", {}, `${alone ? "near it in other clusters" : "nearest to it"}, ${DATA.entry}`), list] : [];
}

function memberList(fit, own) {
  const list = make("div", {className: "items"});
  const add = rows => list.append(...rows.map(row => itemButton(row, fit.entries[row])));
  add(own.slice(0, FIRST));
  if (own.length > FIRST) {
    const rest = make("button", {className: "more"}, `show all ${count(own.length)}`);
    rest.addEventListener("click", () => { rest.remove(); add(own.slice(FIRST)); });
    list.append(rest);
  }
  return list;
}

function neighbouring(fit, j) {
  const list = make("div", {className: "items"});
  for (const other of fit.near.subarray(j * fit.perCluster, (j + 1) * fit.perCluster)) {
    const button = itemButton(fit.medoids[other]);
    button.prepend(chip(fit, other));
    button.append(make("small", {}, count(fit.size(other))));
    list.append(button);
  }
  return list;
}

function itemsOf(fit, clusters) {
  return clusters.flatMap(j => members(fit, j));
}

function saving(rows, name) {
  const save = make("button", {className: "save"}, `save ${count(rows.length)} as CSV`);
  const copy = make("button", {className: "copy"}, `copy ${counted(rows.length, "line")}`);
  save.addEventListener("click", () => saveRows(rows, name));
  copy.addEventListener("click", () => copyText(csv(rows), counted(rows.length, "line")));
  return make("p", {}, save, " ", copy);
}

// A line an item. A label that begins like a formula gets an apostrophe in front, so that no spreadsheet computes it.
function csv(rows) {
  const fit = fitNow();
  const cell = value => {
    const text = String(value);
    const kept = typeof value === "string" && FORMULA.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(kept) ? `"${kept.replaceAll('"', '""')}"` : kept;
  };
  const head = ["row", "item", "exemplar", DATA.entry, "region", "x", "y", ...(sure() ? ["sure"] : [])];
  const lines = rows.map(i => {
    const j = fit.labels[i];
    const line = [i, NAMES[i], NAMES[fit.medoids[j]], fit.entries[i].toFixed(4), NAMES[fit.heads[fit.region[j]]],
      X[i], Y[i], ...(sure() ? [sure()[i].toFixed(4)] : [])];
    return line.map(cell).join(",");
  });
  return [head.join(","), ...lines, ""].join("\r\n");
}

function saveRows(rows, name) {
  const safe = name.replace(/[^\p{L}\p{N}]+/gu, "_").replace(/^_|_$/g, "").slice(0, 40) || "atlas"; // as the name of a file
  const link = make("a", {download: `${safe}_k${fitNow().k}.csv`});
  link.href = URL.createObjectURL(new Blob(["\ufeff", csv(rows)], {type: "text/csv"}));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  say(`${counted(rows.length, "line")} saved`);
}

async function copyText(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    say(`${what} copied`);
  } catch {
    say("The browser does not let this page copy: save the CSV instead.");
  }
}

let silence = 0;
function say(text) {
  $("said").textContent = text;
  clearTimeout(silence);
  silence = setTimeout(() => { $("said").textContent = ""; }, 4000);
}
