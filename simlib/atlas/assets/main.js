// What is on show, and what keys, mouse and fingers do to it.
const RAMP = ["#00224e", "#213d6b", "#4c556c", "#6c6e72", "#8f8b77", "#b5a871", "#d9c95f", "#fee838"]; // cividis
const SHADES = 64; // of a scale of numbers
const NONE = "#8a8a8a"; // of the categories beyond the twelve commonest

// Ways to colour the points: by region, by numbers, by what the page was given.
const ways = [{name: "region"}, {name: `${DATA.entry} to the exemplar`, short: DATA.entry, of: fit => fit.entries}];
if (DATA.sure) ways.push({name: HOW_SURE, short: "how sure", of: () => sure()});
if (PER_ITEM) ways.push({name: "neighbours kept by the map", short: "kept", of: () => kept()});
for (const given of DATA.colourings) {
  ways.push(given.categories ? {name: given.name, given} : {name: given.name, of: () => once(given, () => decoded(given.numbers))});
}

const ramp = () => state.dark ? RAMP.slice(2) : RAMP.slice(0, -1); // what stands out from the ground

function shade(share) {
  const steps = ramp();
  const at = Math.min(steps.length - 1.001, Math.max(0, share * (steps.length - 1)));
  const [low, high] = [rgb(steps[Math.floor(at)]), rgb(steps[Math.floor(at) + 1])];
  return low.map((value, c) => Math.round(value + (high[c] - value) * (at % 1)));
}

function span(numbers) {
  let [low, high] = [Infinity, -Infinity];
  for (const number of numbers) {
    if (number < low) low = number;
    if (number > high) high = number;
  }
  return [low, high];
}

function recolour() {
  const fit = fitNow();
  const way = ways[state.colouring];
  const hues = DATA.palette[state.dark ? "dark" : "light"].map(rgb);
  const code = new Uint8Array(N);
  if (way.of) {
    const numbers = way.of(fit);
    const [low, high] = span(numbers);
    const times = (SHADES - 1) / (high - low || 1);
    for (let i = 0; i < N; i++) code[i] = Math.round((numbers[i] - low) * times);
    paint = {code, table: Array.from({length: SHADES}, (_, s) => shade(s / (SHADES - 1))), low, high};
  } else if (way.given) {
    const codes = once(way.given, () => decoded(way.given.codes));
    for (let i = 0; i < N; i++) code[i] = Math.min(codes[i], hues.length);
    paint = {code, table: [...hues, rgb(NONE)]};
  } else {
    for (let i = 0; i < N; i++) code[i] = fit.region[fit.labels[i]];
    paint = {code, table: hues};
  }
}

function light() {
  const fit = fitNow();
  state.lit = null;
  if (state.item === null && state.region === null) return;
  const j = state.item === null ? -1 : fit.labels[state.item];
  state.lit = new Uint8Array(N);
  for (let i = 0; i < N; i++) state.lit[i] = j < 0 ? fit.region[fit.labels[i]] === state.region : fit.labels[i] === j;
  if (j >= 0) for (const neighbour of nearestTo(state.item)) state.lit[neighbour] = 1;
}

function showLegend() {
  const fit = fitNow();
  const way = ways[state.colouring];
  const swatch = ([r, g, b]) => {
    const dot = make("span", {className: "dot"});
    dot.style.background = `rgb(${r} ${g} ${b})`;
    return dot;
  };
  let parts;
  if (way.of) {
    const bar = make("span", {className: "bar"});
    bar.style.background = `linear-gradient(90deg, ${ramp().join(", ")})`;
    parts = [make("span", {}, said(paint.low)), bar, make("span", {}, said(paint.high)), make("span", {}, way.name)];
  } else if (way.given) {
    const kinds = way.given.categories;
    parts = kinds.slice(0, 12).map((kind, c) => make("span", {}, swatch(paint.table[c]), make("bdi", {}, kind)));
    if (kinds.length > 12) parts.push(make("span", {}, swatch(rgb(NONE)), `${kinds.length - 12} more`));
  } else {
    parts = [...fit.inRegion].map(([colour, items]) => {
      const button = make("button", {title: counted(items, "item")}, swatch(paint.table[colour]), named(fit.heads[colour]));
      button.setAttribute("aria-pressed", String(state.region === colour));
      button.addEventListener("click", () => choose(null, state.region === colour ? null : colour));
      return button;
    });
    parts.unshift(make("span", {className: "quiet"}, "regions, named after one exemplar each"));
  }
  $("legend").replaceChildren(...parts);
}

function showTab(name) {
  for (const each of ["card", "list", "read"]) {
    $(each).hidden = each !== name;
    $(`tab-${each}`).setAttribute("aria-selected", String(each === name));
    $(`tab-${each}`).tabIndex = each === name ? 0 : -1;
  }
  if (name === "list") {
    showTable();
    showCurrent();
  }
}

function refresh() {
  recolour();
  light();
  showLegend();
  if (!DATA.framed) {
    showCard();
    if (!$("list").hidden) {
      showTable();
      showCurrent();
    }
  }
  redraw();
}

function choose(item, region) {
  const other = item !== state.item || region !== state.region;
  Object.assign(state, {item, region});
  if (other && window === top) history.pushState({item, region, i: state.i}, ""); // in a frame, Back is not ours
  shown();
}

// The browser's Back and Forward go through what was selected.
function back({state: was}) {
  const {item, region} = was || {item: null, region: null};
  if (region !== null) showK(was.i);
  Object.assign(state, {item, region});
  shown();
  if (item !== null && !inSight(item)) goTo(item);
}

function shown() {
  const {item, region} = state;
  $("search").value = item === null ? "" : NAMES[item];
  if (DATA.framed) tell(item);
  else if (item !== null || region !== null) showTab("card");
  else leaveCard();
  refresh();
  if ($("list").hidden) document.querySelector("aside").scrollTop = 0;
}

// Nothing is selected any more: the card gives way to the list.
function leaveCard() {
  if (!$("card").hidden) showTab("list");
}

function select(item, go = false) {
  choose(item, null);
  if (go) goTo(item);
}

function showK(i) {
  const next = Math.min(DATA.fits.length - 1, Math.max(0, i));
  if (next !== state.i && state.region !== null) { // each k has regions of its own
    state.region = null;
    leaveCard();
  }
  state.i = next;
  const k = DATA.fits[state.i].k;
  $("k").value = state.i;
  $("k").setAttribute("aria-valuetext", `${k} clusters`);
  $("shown").textContent = `k = ${count(k)}`;
  $("fewer").disabled = state.i === 0;
  $("more").disabled = state.i === DATA.fits.length - 1;
  canvas.setAttribute("aria-label", `map of ${count(N)} items in ${count(k)} clusters`);
  refresh();
}

function setTheme(dark) {
  state.dark = dark;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  $("theme").textContent = dark ? "light" : "dark";
  if (paint) refresh();
}

function hideTip() {
  $("tip").hidden = true;
}

function showTip(item, x, y) {
  const tip = $("tip");
  const fit = fitNow();
  const exemplar = fit.medoids[fit.labels[item]];
  const lines = [make("b", {}, ...[thumbnail(item, 32), named(item)].filter(Boolean))];
  if (exemplar === item) lines.push(make("div", {}, `exemplar of ${count(fit.size(fit.labels[item]))}`));
  else lines.push(make("div", {}, "cluster of ", named(exemplar), `, ${DATA.entry} ${said(fit.entries[item])}`));
  if (sure()) lines.push(make("div", {}, `${HOW_SURE}: ${said2(sure()[item])}`));
  const way = ways[state.colouring];
  if (way.given) lines.push(make("div", {}, `${way.name}: `, make("bdi", {}, way.given.categories[once(way.given, () => decoded(way.given.codes))[item]])));
  else if (way.of && state.colouring > 1) lines.push(make("div", {}, `${way.name}: ${said(way.of(fit)[item])}`));
  tip.replaceChildren(...lines);
  tip.hidden = false;
  const [width, height] = [tip.offsetWidth, tip.offsetHeight];
  tip.style.left = `${Math.max(2, x + 14 + width > size.width ? x - 14 - width : x + 14)}px`;
  tip.style.top = `${Math.max(2, y + 14 + height > size.height ? y - 14 - height : y + 14)}px`;
}

function listenToMap() {
  const fingers = new Map(); // pointers that are down -> where
  let [moved, gap] = [0, 0];
  const place = event => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const spread = () => {
    const [[ax, ay], [bx, by]] = [...fingers.values()];
    return [Math.hypot(ax - bx, ay - by), (ax + bx) / 2, (ay + by) / 2];
  };
  canvas.addEventListener("pointerdown", event => {
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, place(event));
    if (fingers.size === 1) moved = 0;
    if (fingers.size === 2) [gap] = spread();
  });
  canvas.addEventListener("pointermove", event => {
    const [x, y] = place(event);
    const before = fingers.get(event.pointerId);
    if (!before) {
      const item = itemAt(x, y, 12);
      if (item === null) hideTip(); else showTip(item, x, y);
      canvas.classList.toggle("over", item !== null);
      return;
    }
    fingers.set(event.pointerId, [x, y]);
    moved += Math.hypot(x - before[0], y - before[1]);
    if (fingers.size === 1 && moved > 4) moveBy(x - before[0], y - before[1]);
    if (fingers.size === 2) {
      const [now, middleX, middleY] = spread();
      if (gap) zoomBy(now / gap, middleX, middleY);
      moveBy((x - before[0]) / 2, (y - before[1]) / 2);
      gap = now;
    }
  });
  const up = event => {
    const alone = fingers.size === 1;
    fingers.delete(event.pointerId);
    if (event.type === "pointercancel" || !alone || moved > 4) return;
    const [x, y] = place(event);
    const item = itemAt(x, y, event.pointerType === "mouse" ? 12 : 22);
    choose(item, null);
    if (DATA.framed && item !== null && event.pointerType !== "mouse") say(NAMES[item]);
  };
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", up);
  canvas.addEventListener("pointerleave", hideTip);
  canvas.addEventListener("dblclick", event => zoomBy(2, ...place(event)));
  canvas.addEventListener("wheel", event => {
    event.preventDefault();
    zoomBy(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), ...place(event));
  }, {passive: false});
  canvas.addEventListener("keydown", event => {
    const [across, down] = [size.width / 8, size.height / 8];
    const moves = {ArrowLeft: [across, 0], ArrowRight: [-across, 0], ArrowUp: [0, down], ArrowDown: [0, -down]};
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (moves[event.key]) moveBy(...moves[event.key]);
    else if (event.key === "+" || event.key === "=") zoomBy(1.4);
    else if (event.key === "-") zoomBy(1 / 1.4);
    else if (event.key === "0") { showWhole(); redraw(); }
    else if (event.key === "Enter") choose(itemAt(size.width / 2, size.height / 2, Math.max(size.width, size.height)), null);
    else return;
    event.preventDefault();
  });
}

function listenToControls() {
  $("k").addEventListener("input", () => showK(Number($("k").value)));
  $("fewer").addEventListener("click", () => showK(state.i - 1));
  $("more").addEventListener("click", () => showK(state.i + 1));
  $("colour").addEventListener("change", () => { state.colouring = Number($("colour").value); refresh(); });
  $("theme").addEventListener("click", () => setTheme(!state.dark));
  $("closer").addEventListener("click", () => zoomBy(1.6));
  $("farther").addEventListener("click", () => zoomBy(1 / 1.6));
  for (const id of ["whole", "empty"]) $(id).addEventListener("click", () => { showWhole(); redraw(); });
  $("filter").addEventListener("input", () => showTable());
  $("save-all").addEventListener("click", () => saveRows([...NAMES.keys()], "all items"));
  const tabs = ["list", "card", "read"];
  for (const [at, name] of tabs.entries()) {
    $(`tab-${name}`).addEventListener("click", () => showTab(name));
    $(`tab-${name}`).addEventListener("keydown", event => {
      const by = {ArrowLeft: 2, ArrowRight: 1}[event.key];
      if (!by) return;
      const next = tabs[(at + by) % 3];
      showTab(next);
      $(`tab-${next}`).focus();
    });
  }
  document.addEventListener("keydown", event => {
    const typing = event.target.matches("input[type=search], select");
    if (event.key === "Escape" && !typing) choose(null, null);
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "[") showK(state.i - 1);
    else if (event.key === "]") showK(state.i + 1);
    else if (event.key === "/") { $("search").focus(); $("search").select(); event.preventDefault(); }
  });
}

// In a frame the map stands alone. The page around it hands over a port of a channel when both are ready.
let tell = () => {};

function listenToTheFrame() {
  document.body.classList.add("framed");
  addEventListener("message", event => {
    const port = event.ports[0];
    if (event.source !== parent || !port) return;
    tell = item => port.postMessage(item);
    port.onmessage = ({data}) => {
      const [k, row] = data;
      const item = row.trim() === "" ? null : Number(row);
      Object.assign(state, {item, region: item === null ? state.region : null});
      showK(DATA.fits.findIndex(fit => fit.k === Number(k)));
    };
  });
}

// What "how to read" says of this map and of its numbers.
function explain() {
  const share = PER_ITEM ? kept().reduce((sum, part) => sum + part, 0) / N : 1;
  const about = share > 0.6 ? "most" : `about one in ${Math.round(1 / Math.max(share, 0.001))}`;
  const near = `Of an item's ${PER_ITEM} nearest, ${about} ${share > 0.6 ? "are" : "is"} among its ${PER_ITEM} nearest here.`;
  for (const place of document.querySelectorAll(".share")) place.textContent = PER_ITEM ? near : DATA.caption;
  $("caption").textContent = DATA.caption.replaceAll(" %", "\u00a0%"); // on one line
  const scale = DATA.distances ? "Distance is 0 between an item and itself; the smaller it is, the more two items are alike."
    : "Similarity is greatest between an item and itself. For cosines that is 1, and −1 is the opposite.";
  $("numbers").textContent = `${scale} The mean of a cluster is over its members without its exemplar.`;
  if (TOUCH) $("hint").textContent = "Tap a point, a name or a line; two fingers zoom.";
}

function begin() {
  $("title").textContent = document.title = DATA.title;
  explain();
  $("k").max = DATA.fits.length - 1;
  $("slider").hidden = DATA.fits.length < 2;
  const narrow = matchMedia("(max-width: 800px)");
  const nameWays = () => {
    $("colour").replaceChildren(...ways.map((way, at) => make("option", {value: at}, narrow.matches && way.short || way.name)));
    $("colour").value = state.colouring;
  };
  nameWays();
  narrow.addEventListener("change", nameWays);
  const preferred = matchMedia("(prefers-color-scheme: dark)");
  setTheme(preferred.matches);
  preferred.addEventListener("change", () => setTheme(preferred.matches));
  listenToSearch();
  listenToMap();
  listenToControls();
  addEventListener("popstate", back);
  if (DATA.framed) listenToTheFrame();
  else showTab("list");
  measure();
  showK(Math.floor(DATA.fits.length / 2));
  new ResizeObserver(measure).observe(canvas);
  if (DATA.thumbnails) {
    const image = new Image();
    image.src = DATA.thumbnails.source;
    image.decode().then(() => { sheetImage = image; refresh(); });
  }
}

begin();
