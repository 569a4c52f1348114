"use strict";
// One image, one filter, and everything that follows from them: the output, im2col, and which cells belong together.
const IMAGE = [[1,2,3,0,1],[0,1,2,3,0],[3,0,1,2,1],[2,3,0,1,0],[1,0,2,1,3]], FILTER = [[2,0,1],[0,1,2],[1,0,2]], CELL = 30;
const $ = (id) => document.getElementById(id), SVG = "http://www.w3.org/2000/svg";
let chosen = 0, pressed = false;

const number = (id) => Math.min(+$(id).max, Math.max(+$(id).min, Math.trunc(+$(id).value) || 0));

function geometry() {
  const H = IMAGE.length, F = FILTER.length, P = number("pad"), S = number("stride"), D = number("dilation");
  const span = D * (F - 1) + 1, O = H + 2 * P >= span ? Math.floor((H + 2 * P - span) / S) + 1 : 0;
  return { H, F, P, S, D, O };
}

// The cells of the padded image that output cell k sees, in the filter's order.
function windowOf(k, { F, S, D, O }) {
  const top = Math.floor(k / O) * S, left = (k % O) * S;
  return FILTER.flatMap((row, i) => row.map((w, j) => ({ y: top + i * D, x: left + j * D, w })));
}

function value(y, x, P) { return (IMAGE[y - P] || [])[x - P] ?? 0; }

function grid(id, rows, columns, text, options = {}) {
  const svg = $(id);
  svg.replaceChildren();
  svg.setAttribute("viewBox", `0 0 ${columns * CELL + 2} ${rows * CELL + 2}`);
  svg.setAttribute("width", columns * CELL + 2);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) {
    const g = document.createElementNS(SVG, "g"), rect = document.createElementNS(SVG, "rect");
    const label = document.createElementNS(SVG, "text");
    g.setAttribute("class", options.kind ? options.kind(i, j) : "");
    g.dataset.at = `${i},${j}`;
    for (const [key, v] of Object.entries({ x: j * CELL + 1, y: i * CELL + 1, width: CELL, height: CELL })) rect.setAttribute(key, v);
    label.setAttribute("x", j * CELL + 1 + CELL / 2);
    label.setAttribute("y", i * CELL + 1 + CELL / 2);
    label.textContent = text(i, j);
    g.append(rect, label);
    if (options.choose) {
      g.setAttribute("tabindex", "0");
      g.setAttribute("role", "button");
      g.setAttribute("aria-label", `${id} ${i}, ${j}: ${label.textContent}`);
      for (const event of ["pointerdown", "pointerenter", "focus"]) {
        g.addEventListener(event, () => (pressed && options.drag || options.choose)(i, j));
      }
    }
    svg.append(g);
  }
}

function mark(id, hits) {
  for (const g of $(id).children) g.classList.toggle("hit", hits.has(g.dataset.at));
}

function show(k) {
  const geo = geometry();
  chosen = Math.min(k, geo.O ** 2 - 1);
  const cells = windowOf(chosen, geo);
  mark("image", new Set(cells.map(({ y, x }) => `${y},${x}`)));
  mark("out", new Set([`${Math.floor(chosen / geo.O)},${chosen % geo.O}`]));
  mark("col", new Set(cells.map((_, j) => `${chosen},${j}`)));
  const sum = cells.reduce((total, { y, x, w }) => total + w * value(y, x, geo.P), 0);
  $("sum").textContent = cells.map(({ y, x, w }) => `${w}·${value(y, x, geo.P)}`).join(" + ") + ` = ${sum}`;
}

// A pixel: every row of im2col, and every output, in which it appears.
function showPixel(y, x) {
  const geo = geometry(), rows = new Set(), outs = new Set();
  for (let k = 0; k < geo.O ** 2; k++) windowOf(k, geo).forEach((cell, j) => {
    if (cell.y === y && cell.x === x) { rows.add(`${k},${j}`); outs.add(`${Math.floor(k / geo.O)},${k % geo.O}`); }
  });
  mark("image", new Set([`${y},${x}`]));
  mark("col", rows);
  mark("out", outs);
  $("sum").textContent = `${rows.size} ×`;
}

// The filter is dragged over the image: the window whose middle is nearest to the pixel.
function dragTo(y, x) {
  const { F, S, D, O } = geometry();
  const at = (pixel) => Math.min(O - 1, Math.max(0, Math.round((pixel - D * (F - 1) / 2) / S)));
  if (O) show(at(y) * O + at(x));
}

function draw() {
  const geo = geometry(), { H, F, P, S, D, O } = geo, size = H + 2 * P, at = (k) => windowOf(k, geo);
  $("formula").textContent = `(${H} + 2·${P} − ${D}·(${F} − 1) − 1) / ${S} + 1 → ${O}`;
  const inside = (i, j) => i >= P && j >= P && i < P + H && j < P + H;
  grid("image", size, size, (i, j) => value(i, j, P), { kind: (i, j) => (inside(i, j) ? "" : "padding"), choose: showPixel, drag: dragTo });
  grid("filter", F, F, (i, j) => FILTER[i][j]);
  const out = (k) => at(k).reduce((total, { y, x, w }) => total + w * value(y, x, P), 0);
  grid("out", O, O, (i, j) => out(i * O + j), { choose: (i, j) => show(i * O + j) });
  grid("col", O * O, F * F, (k, j) => value(at(k)[j].y, at(k)[j].x, P), { choose: (k) => show(k) });
  if (O) show(chosen); else $("sum").textContent = "";
}

// Pressed or not: a finger that was put down on one cell moves on to the others.
document.addEventListener("pointerdown", ({ target, pointerId }) => {
  pressed = true;
  if (target.hasPointerCapture(pointerId)) target.releasePointerCapture(pointerId);
}, true);
for (const event of ["pointerup", "pointercancel"]) document.addEventListener(event, () => { pressed = false; });

// The arrows move the focus inside a grid.
document.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  const g = document.activeElement;
  if (!step || !g || !g.dataset || !g.dataset.at) return;
  const [i, j] = g.dataset.at.split(",").map(Number);
  const next = g.parentNode.querySelector(`[data-at="${i + step[0]},${j + step[1]}"]`);
  if (next) { next.focus(); event.preventDefault(); }
});
for (const id of ["pad", "stride", "dilation"]) $(id).addEventListener("input", draw);
draw();
