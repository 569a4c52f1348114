// Convolution's backward, one step at a time: the numbers were computed when the page was built.
{
  const { steps, parts, count } = JSON.parse($("steps-data").textContent);
  const buttons = [...document.querySelectorAll("#steps [data-part]")];
  let at = 0;

  function showStep(k) {
    at = Math.min(Math.max(k, 0), steps.length - 1);
    const { part, grids, lit, says } = steps[at];
    for (const figure of document.querySelectorAll("#steps figure")) {
      const id = figure.querySelector("svg").id, rows = grids[id.slice("step-".length)];
      figure.hidden = !rows;
      if (!rows) continue;
      grid(id, rows.length, rows[0].length, (i, j) => rows[i][j] ?? "·");
      mark(id, new Set((lit[id.slice("step-".length)] || []).map((cell) => cell.join(","))));
    }
    $("step-part").textContent = parts[part];
    $("step-says").textContent = says;
    $("step-count").textContent = count.replace("{step}", at + 1).replace("{steps}", steps.length);
    $("step-back").disabled = at === 0;
    $("step-next").disabled = at === steps.length - 1;
    for (const button of buttons) button.setAttribute("aria-pressed", button.dataset.part === part);
  }

  $("step-back").addEventListener("click", () => showStep(at - 1));
  $("step-next").addEventListener("click", () => showStep(at + 1));
  for (const button of buttons) {
    button.addEventListener("click", () => showStep(steps.findIndex(({ part }) => part === button.dataset.part)));
  }
  $("steps").addEventListener("keydown", (event) => {
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: steps.length - 1 }[event.key];
    if (to === undefined) return;
    showStep(to);
    event.preventDefault();
  });
  showStep(0);
}
