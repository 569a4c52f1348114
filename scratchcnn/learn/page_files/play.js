// The exercises: an editor each. Nothing is fetched before Run or Check is pressed for the first time.
{
  const play = JSON.parse($("play-data").textContent), word = play.words;
  let worker = null, archive = null, timer = 0, busy = null;

  const say = (text, part = busy) => { part.querySelector("output").textContent = text; };
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  // The code that lies beside the page, as bytes.
  function fetchArchive() {
    return archive = archive || new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = play.bundle;
      script.onload = () => resolve(Uint8Array.from(atob(SCRATCHCNN), (c) => c.charCodeAt(0)));
      script.onerror = () => { archive = null; reject(new Error(play.bundle)); };
      document.head.append(script);
    });
  }

  function stop() {
    worker.terminate();
    worker = null;
  }

  function done(text, state = "") {
    clearTimeout(timer);
    say(text);
    busy.dataset.state = state;
    for (const button of document.querySelectorAll(".play button[data-task]")) button.disabled = false;
    busy.querySelector("progress").hidden = true;
    busy = null;
  }

  function hints(verdict) {
    busy.querySelector(".hints").replaceChildren(...verdict.hints.map((text, k) => {
      const details = document.createElement("details"), summary = document.createElement("summary");
      summary.textContent = word.hints[k];
      details.append(summary, text);
      return details;
    }));
  }

  function answered({ data }) {
    if (!busy) return;
    if ("progress" in data) {
      busy.querySelector("progress").value = data.progress;
      say(word.loading[data.progress]);
    } else if (data.limit) {
      const seconds = play.limits[data.limit];
      clearTimeout(timer);
      say(word.running);
      timer = setTimeout(() => { stop(); done(fill(word.endless, { seconds }), "wrong"); }, 1000 * seconds);
    } else if (data.verdict) {
      hints(data.verdict);
      done(data.verdict.text, data.verdict.right ? "right" : "wrong");
    } else if ("printed" in data) {
      done(data.printed || word.nothing);
    } else {
      failed(data.failed);
    }
  }

  function failed(why) {
    if (worker) stop();
    done(fill(word.failed, { why }), "wrong");
  }

  async function start(part, task) {
    busy = part;
    part.dataset.state = "";
    part.querySelector(".hints").replaceChildren();
    for (const button of document.querySelectorAll(".play button[data-task]")) button.disabled = true;
    try {
      const bytes = await fetchArchive();
      if (!worker) {
        part.querySelector("progress").hidden = false;
        worker = new Worker(URL.createObjectURL(new Blob([$("worker-source").textContent], { type: "text/javascript" })));
        worker.onmessage = answered;
        worker.onerror = (event) => { event.preventDefault(); failed(event.message); };
      }
      const code = part.querySelector("textarea").value, lesson = Number(part.dataset.lesson);
      worker.postMessage({ task, code, lesson, language: document.documentElement.lang, pyodide: play.pyodide, archive: bytes });
    } catch (error) {
      failed(error.message);
    }
  }

  for (const part of document.querySelectorAll(".play")) {
    const editor = part.querySelector("textarea"), given = editor.value;
    for (const button of part.querySelectorAll("[data-task]")) {
      button.addEventListener("click", () => start(part, button.dataset.task));
    }
    part.querySelector("[data-reset]").addEventListener("click", () => { editor.value = given; });
    editor.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault();
      if (event.ctrlKey || event.metaKey) return busy || start(part, "run");
      const line = editor.value.slice(0, editor.selectionStart).split("\n").pop();
      const indent = line.match(/^ */)[0] + (line.trimEnd().endsWith(":") ? "    " : "");
      editor.setRangeText("\n" + indent, editor.selectionStart, editor.selectionEnd, "end");
    });
  }
}
