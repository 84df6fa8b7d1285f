// What the page was given, decoded when it is first asked for. Items and clusters are numbers from 0 on.
const DATA = JSON.parse(document.getElementById("data").textContent);
const WHOLE = {1: Uint8Array, 2: Uint16Array, 4: Uint32Array};

function decoded(packed) {
  const text = atob(packed.data);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const steps = new WHOLE[packed.bytes](bytes.buffer);
  if (packed.step === undefined) return steps;
  const numbers = new Float64Array(steps.length);
  for (let i = 0; i < steps.length; i++) numbers[i] = packed.low + packed.step * steps[i];
  return numbers;
}

const NAMES = DATA.names;
const N = NAMES.length;
const X = decoded(DATA.x);
const Y = decoded(DATA.y);
const PER_ITEM = DATA.perItem; // neighbours of each item

const later = new Map(); // what was decoded so far
function once(key, make) {
  if (!later.has(key)) later.set(key, make());
  return later.get(key);
}
const near = () => once("near", () => decoded(DATA.near));
const nearness = () => once("nearness", () => decoded(DATA.nearness));
const kept = () => once("kept", () => decoded(DATA.kept));
const sure = () => once("sure", () => DATA.sure && decoded(DATA.sure.values));
const HOW_SURE = DATA.sure ? `how sure at k = ${DATA.sure.k}` : ""; // 1: the same companions in every end

// One clustering: who belongs where, members by cluster with the closest first, sizes and mean entries.
function clustering(i) {
  return once("fit" + i, () => {
    const given = DATA.fits[i];
    const fit = {k: given.k, heads: given.heads, perCluster: given.perCluster};
    for (const name of ["medoids", "labels", "entries", "near", "region"]) fit[name] = decoded(given[name]);
    fit.first = new Uint32Array(fit.k + 1);
    for (const j of fit.labels) fit.first[j + 1]++;
    for (let j = 0; j < fit.k; j++) fit.first[j + 1] += fit.first[j];
    fit.size = j => fit.first[j + 1] - fit.first[j];
    fit.mean = new Float64Array(fit.k);
    for (let item = 0; item < N; item++) fit.mean[fit.labels[item]] += fit.entries[item];
    for (let j = 0; j < fit.k; j++) {
      fit.mean[j] = fit.size(j) > 1 ? (fit.mean[j] - fit.entries[fit.medoids[j]]) / (fit.size(j) - 1) : NaN;
    }
    fit.bySize = [...fit.medoids.keys()].sort((a, b) => fit.size(b) - fit.size(a) || a - b);
    fit.exemplar = item => fit.medoids[fit.labels[item]] === item;
    fit.inRegion = new Map(); // colour -> items, the largest region first
    for (let j = 0; j < fit.k; j++) fit.inRegion.set(fit.region[j], (fit.inRegion.get(fit.region[j]) || 0) + fit.size(j));
    fit.inRegion = new Map([...fit.inRegion].sort((a, b) => b[1] - a[1] || a[0] - b[0]));
    return fit;
  });
}

// The items that are no exemplars, the closest to theirs first.
function byCloseness(fit) {
  if (!fit.ordinary) {
    const sign = DATA.distances ? 1 : -1;
    fit.ordinary = Uint32Array.from(NAMES.keys()).filter(item => !fit.exemplar(item))
      .sort((a, b) => sign * (fit.entries[a] - fit.entries[b]) || a - b);
  }
  return fit.ordinary;
}

// The neighbours of an item, the nearest first.
const nearestTo = item => near().subarray(item * PER_ITEM, (item + 1) * PER_ITEM);

// The members of a cluster, its exemplar first, then the closest first.
function members(fit, j) {
  if (!fit.sorted) {
    const next = fit.first.slice(0, fit.k);
    fit.sorted = new Uint32Array(N);
    for (let item = 0; item < N; item++) fit.sorted[next[fit.labels[item]]++] = item;
  }
  const own = fit.sorted.subarray(fit.first[j], fit.first[j + 1]);
  const sign = DATA.distances ? 1 : -1;
  const exemplar = fit.medoids[j];
  return [...own].sort((a, b) =>
    (b === exemplar) - (a === exemplar) || sign * (fit.entries[a] - fit.entries[b]) || a - b);
}

const threeFigures = number => number.toPrecision(3).includes("e") ? String(Number(number.toPrecision(3))) : number.toPrecision(3);
const said = number => Number.isNaN(number) ? "–" : DATA.distances ? threeFigures(number)
  : (Math.round(number * 100) / 100 + 0).toFixed(2);
const count = number => number.toLocaleString("en");
const counted = (number, word) => `${count(number)} ${word}${number === 1 ? "" : "s"}`;

// An element with classes, properties and children; a text is always text.
function make(tag, settings = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(settings)) {
    if (name in element) element[name] = value; else element.setAttribute(name, value);
  }
  element.append(...children.filter(child => child !== null));
  return element;
}
const named = item => make("bdi", {}, NAMES[item]);
const TOUCH = matchMedia("(pointer: coarse)").matches;
const $ = id => document.getElementById(id);
