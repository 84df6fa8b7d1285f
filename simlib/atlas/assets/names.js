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
  const taken = [];
  written = [];
  pen.lineJoin = "round";
  pen.textBaseline = "middle";
  if (state.item !== null) drawRing(state.item, taken);
  const most = Math.max(10, Math.round(size.width * size.height / 8000));
  let placed = 0;
  candidates(fit).some((j, rank) => {
    const large = rank < 12 && state.item === null;
    if (drawExemplar(fit.medoids[j], large, taken)) placed++;
    return placed >= most;
  });
  drawItems(fit, taken, most);
}

// A ring around the selected item, with its name.
function drawRing(item, taken) {
  const [x, y] = [screenX(item), screenY(item)];
  pen.strokeStyle = themed("--ink");
  pen.lineWidth = 2.5;
  pen.beginPath();
  pen.arc(x, y, Math.max(10, radius() + 5), 0, 7);
  pen.stroke();
  if (!fitNow().exemplar(item)) drawName(item, x, y, 11, `600 14px ${FONT}`, themed("--ink"), taken);
}

function drawExemplar(item, large, taken) {
  const [x, y] = [screenX(item), screenY(item)];
  if (x < 0 || y < 0 || x > size.width || y > size.height) return false;
  const half = sheetImage ? 13 : 6.5;
  const mark = [x - half, y - half, x + half, y + half];
  if (item !== state.item && !clear(mark, taken)) return false;
  const font = large ? `600 15px ${FONT}` : `500 12.5px ${FONT}`;
  taken.push(mark);
  if (!drawName(item, x, y, half + 2, font, themed("--ink"), taken)) {
    if (!sheetImage) {
      taken.pop();
      return false;
    }
  }
  if (sheetImage) drawThumbnail(item, x, y, half, 2); else drawStar(x, y, half);
  return true;
}

// Write a name on a side of (x, y) where it covers no other; whether there was room.
function drawName(item, x, y, away, font, colour, taken) {
  const text = shortened(NAMES[item]);
  const [width, height] = [widthOf(text, font), parseFloat(font.slice(4)) * 1.25];
  for (const [right, down] of SIDES) {
    const gap = away / Math.hypot(right, down) + 1;
    const left = x + right * gap + (right - 1) / 2 * width;
    const top = y + down * gap + (down - 1) / 2 * height;
    const box = [left - 2, top, left + width + 2, top + height];
    const others = taken.filter(other => !(other[0] < x && x < other[2] && other[1] < y && y < other[3]));
    if (!inside(box) || !clear(box, others)) continue;
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

function drawThumbnail(item, x, y, half, border) {
  const {width, height, columns} = DATA.thumbnails;
  const shrink = 2 * half / Math.max(width, height);
  const [w, h] = [width * shrink, height * shrink];
  const [r, g, b] = paint.table[paint.code[item]];
  pen.fillStyle = `rgb(${r} ${g} ${b})`;
  pen.fillRect(x - w / 2 - border, y - h / 2 - border, w + 2 * border, h + 2 * border);
  pen.imageSmoothingEnabled = shrink < 1;
  pen.drawImage(sheetImage, item % columns * width, Math.floor(item / columns) * height, width, height,
    x - w / 2, y - h / 2, w, h);
  written.push({box: [x - w / 2, y - h / 2, x + w / 2, y + h / 2], item});
}

// Where few items are in sight, they have names, or thumbnails, as well.
function drawItems(fit, taken, most) {
  const seen = [];
  for (const item of within(0, 0, size.width, size.height)) {
    if (fit.exemplar(item) || (state.lit && !state.lit[item])) continue;
    seen.push(item);
    if (seen.length > (sheetImage ? 12 : 3) * most) return;
  }
  const font = `400 11.5px ${FONT}`;
  let placed = 0;
  for (const item of seen.sort((a, b) => a - b)) {
    const [x, y] = [screenX(item), screenY(item)];
    if (sheetImage) {
      const half = 10;
      const box = [x - half - 2, y - half - 2, x + half + 2, y + half + 2];
      if (!clear(box, taken)) continue;
      taken.push(box);
      drawThumbnail(item, x, y, half, 1.5);
    } else if (placed < 2 * most && drawName(item, x, y, radius() + 1, font, themed("--soft"), taken)) {
      placed++;
    }
  }
}
