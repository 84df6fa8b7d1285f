// The map: where it stands, its points, and which item lies under a place on it. Sizes are CSS pixels unless said.
const canvas = $("map");
const pen = canvas.getContext("2d", {alpha: false});
const view = {x: 0, y: 0, scale: 1, whole: 1}; // the middle of the canvas in units of X and Y; pixels a unit
const size = {width: 0, height: 0, dots: 1}; // dots: device pixels in a CSS pixel
const state = {i: 0, item: null, region: null, lit: null, colouring: 0, dark: false};
const fitNow = () => clustering(state.i);
const SPAN = 65536; // of X and of Y
const CLOSEST = 400; // times closer than the whole map
let pixels = null; // the picture of the points
let paint = null; // {code: of each item, table: [r, g, b] of each code}

function rgb(text) {
  return [1, 3, 5].map(at => parseInt(text.slice(at, at + 2), 16));
}

function themed(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// How large a point is: smaller where there are many, larger when one is close.
function radius() {
  const base = Math.min(4.5, Math.max(1.1, 130 / Math.sqrt(N)));
  return Math.min(9, base * Math.pow(view.scale / view.whole, 0.3));
}

function showWhole() {
  let [left, right, bottom, top] = [SPAN, 0, SPAN, 0];
  for (let i = 0; i < N; i++) {
    left = Math.min(left, X[i]); right = Math.max(right, X[i]);
    bottom = Math.min(bottom, Y[i]); top = Math.max(top, Y[i]);
  }
  const room = Math.min(40, size.width / 12);
  view.x = (left + right) / 2;
  view.y = (bottom + top) / 2;
  view.whole = Math.min((size.width - 2 * room) / Math.max(right - left, 1),
    (size.height - 2 * room) / Math.max(top - bottom, 1));
  view.scale = view.whole;
}

const screenX = item => size.width / 2 + (X[item] - view.x) * view.scale;
const screenY = item => size.height / 2 - (Y[item] - view.y) * view.scale;

function zoomBy(factor, x = size.width / 2, y = size.height / 2) {
  const scale = Math.min(view.whole * CLOSEST, Math.max(view.whole * 0.5, view.scale * factor));
  view.x += (x - size.width / 2) * (1 / view.scale - 1 / scale);
  view.y -= (y - size.height / 2) * (1 / view.scale - 1 / scale);
  view.scale = scale;
  redraw();
}

function moveBy(x, y) {
  view.x = Math.min(SPAN, Math.max(0, view.x - x / view.scale));
  view.y = Math.min(SPAN, Math.max(0, view.y + y / view.scale));
  redraw();
}

// Move so that an item lies in the middle, close enough to see what is around it: some 300 items, were they even.
function goTo(item) {
  view.x = X[item];
  view.y = Y[item];
  view.scale = Math.max(view.scale, view.whole * Math.min(8, Math.max(1, Math.sqrt(N / 300))));
  redraw();
}

// How much of each device pixel a point covers, row by row around its middle, 0 to 255.
function stamp() {
  const r = Math.max(0.7, radius() * size.dots);
  const reach = Math.ceil(r);
  const covered = [];
  for (let y = -reach; y <= reach; y++) {
    for (let x = -reach; x <= reach; x++) {
      const alpha = Math.round(255 * Math.min(1, Math.max(0, r + 0.5 - Math.hypot(x, y))));
      if (alpha > 0) covered.push([x, y, alpha]);
    }
  }
  return {reach, covered};
}

function drawPoints(wanted, colours) {
  const {width, height, data} = pixels;
  const {reach, covered} = stamp();
  let drawn = 0;
  const [scale, middleX, middleY] = [view.scale * size.dots, width / 2, height / 2];
  for (let i = 0; i < N; i++) {
    if (state.lit && state.lit[i] !== wanted) continue;
    const px = Math.round(middleX + (X[i] - view.x) * scale);
    const py = Math.round(middleY - (Y[i] - view.y) * scale);
    if (px < -reach || py < -reach || px >= width + reach || py >= height + reach) continue;
    const edge = px < reach || py < reach || px >= width - reach || py >= height - reach;
    drawn++;
    const [r, g, b] = colours(i);
    for (const [x, y, alpha] of covered) {
      const qx = px + x, qy = py + y;
      if (edge && (qx < 0 || qy < 0 || qx >= width || qy >= height)) continue;
      const at = 4 * (qy * width + qx);
      data[at] += (r - data[at]) * alpha / 255;
      data[at + 1] += (g - data[at + 1]) * alpha / 255;
      data[at + 2] += (b - data[at + 2]) * alpha / 255;
    }
  }
  return drawn;
}

function draw() {
  if (!size.width || !size.height) return;
  const [width, height] = [canvas.width, canvas.height];
  if (!pixels || pixels.width !== width || pixels.height !== height) pixels = pen.createImageData(width, height);
  const [r, g, b] = rgb(themed("--ground"));
  new Uint32Array(pixels.data.buffer).fill(((255 << 24) | (b << 16) | (g << 8) | r) >>> 0);
  let drawn = 0;
  if (state.lit) {
    const dim = rgb(themed("--dim"));
    drawn = drawPoints(0, () => dim);
  }
  drawn += drawPoints(1, i => paint.table[paint.code[i]]);
  $("empty").hidden = drawn > 0;
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.putImageData(pixels, 0, 0);
  pen.setTransform(size.dots, 0, 0, size.dots, 0, 0);
  drawNames();
}

let asked = false;
function redraw() {
  hideTip();
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => { asked = false; draw(); });
}

function measure() {
  const box = canvas.getBoundingClientRect();
  const first = !size.width;
  Object.assign(size, {width: box.width, height: box.height, dots: Math.min(window.devicePixelRatio || 1, 2)});
  canvas.width = Math.round(box.width * size.dots);
  canvas.height = Math.round(box.height * size.dots);
  const times = first ? 1 : view.scale / view.whole;
  const {x, y} = view;
  showWhole();
  if (!first) Object.assign(view, {x, y, scale: view.whole * times});
  if (paint) draw();
}

// The items by cells of a square grid, to find those near a place.
const grid = () => once("grid", () => {
  const side = Math.max(1, Math.ceil(Math.sqrt(N / 2)));
  const cell = SPAN / side;
  const at = i => Math.floor(Y[i] / cell) * side + Math.floor(X[i] / cell);
  const first = new Uint32Array(side * side + 1);
  for (let i = 0; i < N; i++) first[at(i) + 1]++;
  for (let c = 0; c < side * side; c++) first[c + 1] += first[c];
  const next = first.slice(), items = new Uint32Array(N);
  for (let i = 0; i < N; i++) items[next[at(i)]++] = i;
  return {side, cell, first, items};
});

// The items in a rectangle of the screen.
function* within(left, top, right, bottom) {
  const {side, cell, first, items} = grid();
  const clip = unit => Math.min(side - 1, Math.max(0, Math.floor(unit / cell)));
  const [x0, x1] = [left, right].map(x => clip(view.x + (x - size.width / 2) / view.scale));
  const [y0, y1] = [bottom, top].map(y => clip(view.y - (y - size.height / 2) / view.scale));
  for (let row = y0; row <= y1; row++) {
    for (let at = first[row * side + x0]; at < first[row * side + x1 + 1]; at++) yield items[at];
  }
}

// The item at a place of the screen, or null. A name counts as its item, and an exemplar is easier to hit.
function itemAt(x, y, reach) {
  for (const {box, item} of written) {
    if (x >= box[0] && x <= box[2] && y >= box[1] && y <= box[3]) return item;
  }
  const fit = fitNow();
  let [best, least] = [null, reach];
  for (const item of within(x - reach, y - reach, x + reach, y + reach)) {
    const far = Math.hypot(screenX(item) - x, screenY(item) - y) - (fit.exemplar(item) ? 3 : 0);
    if (far < least || (far === least && item < best)) [best, least] = [item, far];
  }
  return best;
}
