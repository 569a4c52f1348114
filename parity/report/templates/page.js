"use strict";
// Tables that can be filtered and sorted, drawn from the JSON in the page; and the switch of the theme.
const DATA = JSON.parse(document.getElementById("data").textContent);
const PAGE = 12, MORE = 50;

document.getElementById("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});

const NUMERIC = new Set(["float64", "int64"]);
const LOGICAL = new Set(["bool", "boolean"]);

function value(column, row) {
  const v = column.values[row];
  return column.names ? column.names[v] ?? "" : v;
}

function shown(column, row) {
  const v = value(column, row);
  if (v === null || v === "") return "";
  if (LOGICAL.has(column.type)) return column.name === "ok" ? (v ? "ok" : "FAIL") : v ? "yes" : "no";
  if (column.type === "int64") return v.toLocaleString("en-US");
  if (column.type !== "float64") return String(v);
  const size = Math.abs(v);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return v.toExponential(1);
  return size >= 1000 ? Math.round(v).toLocaleString("en-US") : String(Number(v.toPrecision(3)));
}

// "phase=forward|backward layer!=" -> a test of a row
function condition(table, text) {
  const tests = text.split(" ").filter(Boolean).map((part) => {
    const [, name, not, wanted] = part.match(/^(\w+)(!?)=(.*)$/);
    const column = table.columns.find((c) => c.name === name), allowed = wanted.split("|");
    return (row) => allowed.includes(String(value(column, row))) !== Boolean(not);
  });
  return (row) => tests.every((test) => test(row));
}

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

class Table {
  constructor(place) {
    const table = DATA[place.dataset.table], keep = place.dataset.keep.split(" ").filter(Boolean);
    this.place = place;
    this.columns = keep.length ? keep.map((name) => table.columns.find((c) => c.name === name)).filter(Boolean) : table.columns;
    const test = condition(table, place.dataset.where);
    this.rows = Array.from({ length: table.rows }, (_, row) => row).filter(test);
    this.columns = this.columns.filter((c) => this.rows.some((row) => shown(c, row) !== ""));
    const sort = place.dataset.sort;
    this.sort = sort ? { name: sort.replace("-", ""), down: sort.startsWith("-") } : null;
    this.text = "";
    this.chosen = {};
    this.limit = PAGE;
    this.build();
    this.draw();
  }

  build() {
    const name = this.place.dataset.name;
    const search = element("input", { type: "search", placeholder: "Filter" });
    search.setAttribute("aria-label", `Filter the table of ${name}`);
    search.addEventListener("input", () => { this.text = search.value.toLowerCase(); this.limit = PAGE; this.draw(); });
    const controls = element("div", { className: "controls" }, search);
    for (const column of this.columns.filter((c) => c.names || LOGICAL.has(c.type))) {
      const found = [...new Set(this.rows.map((row) => shown(column, row)))].filter((v) => v !== "");
      if (found.length < 2 || found.length > 30) continue;
      const select = element("select", {}, element("option", { value: "", textContent: `${column.name}: all` }));
      select.setAttribute("aria-label", `${column.name} in the table of ${name}`);
      select.append(...found.map((v) => element("option", { value: v, textContent: `${column.name}: ${v}` })));
      select.addEventListener("change", () => { this.chosen[column.name] = select.value; this.limit = PAGE; this.draw(); });
      controls.append(select);
    }
    this.count = element("span", { className: "count" });
    this.count.setAttribute("aria-live", "polite");
    controls.append(this.count);
    this.head = element("tr");
    for (const column of this.columns) {
      const button = element("button", { type: "button", title: column.title });
      button.append(...column.name.split(/(?<=_)/).flatMap((part, i) => (i ? [element("wbr"), part] : [part])));
      button.addEventListener("click", () => {
        const down = this.sort && this.sort.name === column.name ? !this.sort.down : NUMERIC.has(column.type);
        this.sort = { name: column.name, down };
        this.draw();
      });
      const cell = element("th", { scope: "col", className: NUMERIC.has(column.type) ? "number" : "" }, button);
      cell.dataset.name = column.name;
      this.head.append(cell);
    }
    this.body = element("tbody");
    const table = element("table", {}, element("thead", {}, this.head), this.body);
    this.more = element("button", { type: "button", className: "more", textContent: `Show ${MORE} more` });
    this.more.addEventListener("click", () => { this.limit += MORE; this.draw(); });
    const scroll = element("div", { className: "scroll", tabIndex: 0 }, table);
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", `Table: ${name}`);
    this.place.append(controls, scroll, this.more);
  }

  found() {
    const words = this.text.split(/\s+/).filter(Boolean);
    const rows = this.rows.filter((row) => {
      for (const [name, wanted] of Object.entries(this.chosen)) {
        if (wanted && shown(this.columns.find((c) => c.name === name), row) !== wanted) return false;
      }
      if (!words.length) return true;
      const text = this.columns.map((c) => shown(c, row)).join(" ").toLowerCase();
      return words.every((word) => text.includes(word));
    });
    if (this.sort) {
      const column = this.columns.find((c) => c.name === this.sort.name), sign = this.sort.down ? -1 : 1;
      if (column) rows.sort((a, b) => {
        const x = value(column, a), y = value(column, b);
        const emptyX = x === null || x === "", emptyY = y === null || y === "";
        if (emptyX || emptyY) return emptyX - emptyY; // what is missing comes last
        return sign * (typeof x === "string" ? x.localeCompare(y) : x - y);
      });
    }
    return rows;
  }

  draw() {
    const rows = this.found();
    for (const cell of this.head.children) {
      cell.removeAttribute("aria-sort");
      if (this.sort && cell.dataset.name === this.sort.name) cell.setAttribute("aria-sort", this.sort.down ? "descending" : "ascending");
    }
    this.body.replaceChildren(...rows.slice(0, this.limit).map((row) => element("tr", {}, ...this.columns.map((c) => {
      const text = shown(c, row);
      const css = NUMERIC.has(c.type) ? "number" : text === "FAIL" ? "bad" : text === "ok" ? "good" : text.length > 60 ? "text" : "";
      return element("td", { className: css, textContent: text });
    }))));
    this.count.textContent = `${rows.length.toLocaleString("en-US")} of ${this.rows.length.toLocaleString("en-US")} rows`;
    this.more.hidden = rows.length <= this.limit;
  }
}

// The tick under the pointer: which tensor it stands for, and the share of the allowance that it uses.
function nearestTick(track, place) {
  const { low, high, ...where } = JSON.parse(track.dataset.ticks), table = DATA.accuracy;
  const column = Object.fromEntries(table.columns.map((c) => [c.name, c]));
  const at = (v) => Math.min(1, Math.max(0, (Math.log10(Math.max(v, low)) - Math.log10(low)) / (Math.log10(high) - Math.log10(low))));
  let best = null;
  for (let row = 0; row < table.rows; row++) {
    if (value(column.exact, row) || Object.entries(where).some(([name, wanted]) => String(value(column[name], row)) !== wanted)) continue;
    const away = Math.abs(at(value(column.margin, row)) - place);
    if (!best || away < best.away) best = { row, away };
  }
  if (!best || best.away > 0.02) return "";
  const names = ["layer", "case", "phase", "tensor"].map((name) => shown(column[name], best.row)).filter(Boolean);
  return `${names.join(" ")}: ${Number((100 * value(column.margin, best.row)).toPrecision(2))} % of what is allowed`;
}

const tip = document.body.appendChild(element("div", { className: "tip", hidden: true }));
for (const track of document.querySelectorAll("[data-ticks]")) {
  track.addEventListener("pointermove", (event) => {
    const box = track.getBoundingClientRect();
    tip.textContent = nearestTick(track, (event.clientX - box.left) / box.width);
    tip.hidden = !tip.textContent;
    tip.style.left = `${Math.min(event.clientX, innerWidth - 260)}px`;
    tip.style.top = `${box.bottom + 6}px`;
  });
  track.addEventListener("pointerleave", () => { tip.hidden = true; });
}

// On paper every layer stands open; afterwards those that were closed are closed again.
const closed = new Set();
addEventListener("beforeprint", () => {
  for (const layer of document.querySelectorAll("details.layer:not([open])")) { closed.add(layer); layer.open = true; }
});
addEventListener("afterprint", () => {
  for (const layer of closed) layer.open = false;
  closed.clear();
});

// A table is built when its details are opened first.
for (const details of document.querySelectorAll("details.numbers")) {
  const build = () => {
    const place = details.querySelector(".data");
    if (details.open && !place.childElementCount) new Table(place);
  };
  details.addEventListener("toggle", build);
  build();
}
