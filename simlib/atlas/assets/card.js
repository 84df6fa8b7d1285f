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
      "Nothing is selected. Click a point or a name, search for an item, or choose a cluster or a colour."));
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
    make("p", {}, `${count(rows.length)} items in ${count(inside.length)} clusters`), saving(rows),
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
    parts.push(make("p", {}, `exemplar of ${count(own.length)} ${own.length === 1 ? "item" : "items"}`));
  } else {
    parts.push(make("h2", {}, ...[thumbnail(item, 40), named(item)].filter(Boolean)));
    const place = own.indexOf(item);
    const line = make("p", {}, chip(fit, j), "in the cluster of ", itemButton(exemplar),
      ` ${DATA.entry} ${said(fit.entries[item])}, number ${count(place + 1)} of ${count(own.length)} by closeness`);
    parts.push(line);
  }
  parts.push(saving(own));
  if (sure()) parts.push(make("p", {}, `${HOW_SURE}: ${said2(sure()[item])} (0 to 1)`));
  parts.push(make("h3", {}, `nearest to it, ${DATA.entry}`), nearestItems(item));
  if (PER_ITEM) {
    const stayed = Math.round(kept()[item] * PER_ITEM);
    parts.push(make("p", {className: "quiet"}, `${stayed} of its ${PER_ITEM} nearest lie beside it on the map.`));
  }
  parts.push(make("h3", {}, "members, closest to the exemplar first"), memberList(fit, own));
  if (fit.perCluster) parts.push(make("h3", {}, "clusters beside it"), neighbouring(fit, j));
  card.replaceChildren(...parts);
}

const said2 = number => (Math.round(number * 100) / 100).toFixed(2);

function nearestItems(item) {
  const list = make("div", {className: "items"});
  for (let m = 0; m < PER_ITEM; m++) {
    list.append(itemButton(near()[item * PER_ITEM + m], nearness()[item * PER_ITEM + m]));
  }
  return list;
}

function memberList(fit, own) {
  const list = make("div", {className: "items"});
  const add = rows => list.append(...rows.map(row => itemButton(row, fit.entries[row])));
  add(own.slice(0, FIRST));
  if (own.length > FIRST) {
    const rest = make("button", {}, `all ${count(own.length)}`);
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

function saving(rows) {
  const save = make("button", {className: "save"}, `save ${count(rows.length)} as CSV`);
  const copy = make("button", {className: "copy"}, "copy");
  save.addEventListener("click", () => saveRows(rows));
  copy.addEventListener("click", () => copyText(csv(rows)));
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

function saveRows(rows) {
  const link = make("a", {download: `atlas_k${fitNow().k}.csv`});
  link.href = URL.createObjectURL(new Blob(["\ufeff", csv(rows)], {type: "text/csv"}));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  say(`${count(rows.length)} items saved`);
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    say("copied");
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
