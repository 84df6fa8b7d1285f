// The names on the map. None covers another; the largest clusters have theirs first, and there is more room closer up.
const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";
const SIDES = [[1, 0], [-1, 0], [0, -1], [0, 1], [1, -1], [-1, -1], [1, 1], [-1, 1]];
const LONGEST = 28; // characters of a name on the map
const widths = new Map();
let written = []; // {box, item} of every name and of every thumbnail on the map
let sheetImage = null; // the thumbnails, once they are decoded

function shortened(name) {
  const letters = [...name];
  return letters.length <= LONGEST ? name : letters.slice(0, LONGEST - 1).join("") + "…";
}

function widthOf(text, font) {
  const key = font + text;
  if (!widths.has(key)) {
    pen.font = font;
    widths.set(key, pen.measureText(text).width);
  }
  return widths.get(key);
}

const clear = (box, boxes) =>
  boxes.every(other => box[2] < other[0] || box[0] > other[2] || box[3] < other[1] || box[1] > other[3]);
const inSight = item => {
  const [x, y] = [screenX(item), screenY(item)];
  return x >= 0 && y >= 0 && x <= size.width && y <= size.height;
};
const inside = box => box[0] >= 2 && box[1] >= 2 && box[2] <= size.width - 2 && box[3] <= size.height - 2;

// Which exemplars may be named, in order: all, those of a region, or the selected cluster and its neighbours.
function candidates(fit) {
  if (state.item !== null) {
    const j = fit.labels[state.item];
    const near = [...fit.near.subarray(j * fit.perCluster, (j + 1) * fit.perCluster)];
    return [j, ...near, ...fit.bySize.filter(other => other !== j && !near.includes(other))];
  }
  return state.region === null ? fit.bySize : fit.bySize.filter(j => fit.region[j] === state.region);
}

function drawNames() {
  const fit = fitNow();
  const buttons = $("zoom");
  const taken = [[buttons.offsetLeft, 0, size.width, buttons.offsetTop + buttons.offsetHeight]]; // no name lies below them
  written = [];
  pen.lineJoin = "round";
  pen.textBaseline = "middle";
  if (state.item !== null) {
    drawSelected(fit, taken);
    drawNearest(fit, taken);
  }
  const most = Math.max(10, Math.round(size.width * size.height / 8000));
  let placed = 0;
  const done = new Set(state.item === null ? [] : [state.item, ...nearestTo(state.item)]);
  candidates(fit).some((j, rank) => {
    const large = rank < 12 && state.item === null;
    if (!done.has(fit.medoids[j]) && drawExemplar(fit.medoids[j], large, taken)) placed++;
    return placed >= most;
  });
  drawItems(fit, taken, Math.round(most * Math.min(sheetImage ? 12 : 2, 0.65 * Math.max(1, view.scale / view.whole))));
}

// The selected item in a ring, with its name before all others.
function drawSelected(fit, taken) {
  const item = state.item;
  const [x, y] = [screenX(item), screenY(item)];
  const half = Math.max(11, radius() + 5, sheetImage ? thumbnailHalf(26) * 1.4 + 2 : 0);
  const mark = [x - half, y - half, x + half, y + half];
  taken.push(mark);
  drawName(item, x, y, half, `600 15px ${FONT}`, themed("--ink"), taken, mark);
  if (sheetImage) drawThumbnail(item, x, y, thumbnailHalf(26), 2);
  else if (fit.exemplar(item)) drawStar(x, y, 6.5);
  pen.strokeStyle = themed("--strong");
  pen.lineWidth = 2.5;
  pen.beginPath();
  pen.arc(x, y, half, 0, 7);
  pen.stroke();
}

function drawExemplar(item, large, taken) {
  const [x, y] = [screenX(item), screenY(item)];
  if (!inSight(item)) return false;
  const half = sheetImage ? thumbnailHalf(26) : 6.5;
  const mark = [x - half, y - half, x + half, y + half];
  if (!clear(mark, taken)) return false;
  const font = large ? `600 15px ${FONT}` : `500 12.5px ${FONT}`;
  taken.push(mark);
  if (!drawName(item, x, y, half + 2, font, themed("--ink"), taken, mark) && !sheetImage) {
    taken.pop();
    return false;
  }
  if (sheetImage) drawThumbnail(item, x, y, half, 2); else drawStar(x, y, half);
  return true;
}

// Write a name on a side of (x, y) where it covers nothing but its own mark; whether there was room.
function drawName(item, x, y, away, font, colour, taken, mark) {
  const text = shortened(NAMES[item]);
  const [width, height] = [widthOf(text, font), parseFloat(font.slice(4)) * 1.25];
  for (const [right, down] of SIDES) {
    const gap = away / Math.hypot(right, down) + 1;
    const left = x + right * gap + (right - 1) / 2 * width;
    const top = y + down * gap + (down - 1) / 2 * height;
    const box = [left - 2, top, left + width + 2, top + height];
    if (!inside(box) || !taken.every(other => other === mark || clear(box, [other]))) continue;
    pen.font = font;
    pen.strokeStyle = themed("--ground");
    pen.lineWidth = 3.5;
    pen.strokeText(text, left, top + height / 2);
    pen.fillStyle = colour;
    pen.fillText(text, left, top + height / 2);
    taken.push(box);
    written.push({box, item});
    return true;
  }
  return false;
}

function drawStar(x, y, half) {
  pen.beginPath();
  pen.arc(x, y, half - 0.5, 0, 7);
  pen.fillStyle = "#ffffff";
  pen.fill();
  pen.strokeStyle = "#333333";
  pen.lineWidth = 0.9;
  pen.stroke();
  pen.beginPath();
  for (let point = 0; point < 10; point++) {
    const [turn, far] = [Math.PI * point / 5, (half - 1.5) * (point % 2 ? 0.42 : 1)];
    pen.lineTo(x + far * Math.sin(turn), y - far * Math.cos(turn));
  }
  pen.fillStyle = "#d55e00";
  pen.fill();
}

// Half of the longer side of a thumbnail that is about so long: small ones grow by a whole number, so they stay sharp.
function thumbnailHalf(about) {
  const longer = Math.max(DATA.thumbnails.width, DATA.thumbnails.height);
  return longer > about ? about / 2 : longer * Math.round(about / longer) / 2;
}

function drawThumbnail(item, x, y, half, border) {
  const {width, height, columns} = DATA.thumbnails;
  const shrink = 2 * half / Math.max(width, height);
  const [w, h] = [width * shrink, height * shrink];
  const [r, g, b] = paint.table[paint.code[item]];
  pen.fillStyle = `rgb(${r} ${g} ${b})`;
  const [left, top] = [Math.round(x - w / 2), Math.round(y - h / 2)];
  pen.fillRect(left - border, top - border, w + 2 * border, h + 2 * border);
  pen.imageSmoothingEnabled = shrink < 1;
  pen.drawImage(sheetImage, item % columns * width, Math.floor(item / columns) * height, width, height,
    left, top, w, h);
  written.push({box: [left, top, left + w, top + h], item});
}

// The selected item's neighbours, the nearest first, before any other name.
function drawNearest(fit, taken) {
  for (const item of nearestTo(state.item)) {
    if (fit.exemplar(item)) drawExemplar(item, false, taken); else drawItem(item, themed("--ink"), taken, true);
  }
}

// Ordinary items where there is room, the closest to their exemplars first: more of them have room closer up.
function drawItems(fit, taken, most) {
  const nearest = state.item === null ? [] : [...nearestTo(state.item)];
  const colour = themed("--soft");
  let [room, tries] = [most, 20 * most];
  for (const item of byCloseness(fit)) {
    if (item === state.item || (state.lit && !state.lit[item]) || nearest.includes(item) || !inSight(item)) continue;
    if (drawItem(item, colour, taken)) room--;
    if (!room || !--tries) return;
  }
}

// An ordinary item's name, or its thumbnail, unless it would cover something; whether there was room.
// A wanted name is written even where another name covers its point.
function drawItem(item, colour, taken, wanted = false) {
  if (!inSight(item)) return false;
  const [x, y] = [screenX(item), screenY(item)];
  const half = sheetImage ? thumbnailHalf(18) + 2 : 2;
  const mark = [x - half, y - half, x + half, y + half];
  if (!clear(mark, taken) && (sheetImage || !wanted)) return false;
  taken.push(mark);
  if (sheetImage) drawThumbnail(item, x, y, half - 2, 1.5);
  else if (!drawName(item, x, y, radius() + 1, `400 11.5px ${FONT}`, colour, taken, mark)) {
    taken.pop();
    return false;
  }
  return true;
}
