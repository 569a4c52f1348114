// Python in a web worker: loaded with the first message, then one task per message.
let python;

async function load({ pyodide, archive }) {
  postMessage({ progress: 0 });
  importScripts(pyodide + "pyodide.js");
  const found = await loadPyodide({ indexURL: pyodide });
  postMessage({ progress: 1 });
  await found.loadPackage("numpy", { messageCallback: () => {} });
  postMessage({ progress: 2 });
  found.unpackArchive(archive, "zip", { extractDir: "/course" });
  found.runPython("import sys; sys.path.insert(0, '/course')");
  const browser = found.pyimport("scratchcnn.learn.browser");
  browser.prepare();
  postMessage({ progress: 3 });
  return browser;
}

onmessage = async ({ data }) => {
  try {
    python = python || load(data);
    const browser = await python;
    postMessage({ limit: "run" });
    if (data.task === "run") return postMessage({ printed: browser.run(data.code) });
    browser.rehearse(data.lesson, data.code);
    postMessage({ limit: "check" });
    postMessage({ verdict: JSON.parse(browser.check(data.lesson, data.code, data.language)) });
  } catch (error) {
    postMessage({ failed: String(error) });
  }
};
