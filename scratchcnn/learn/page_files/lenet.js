// A digit of the reader's own through LeNet, layer by layer. A tensor is { C, H, W, data }.
function lenetWeights({ shapes, values }) {
  const bytes = Uint8Array.from(atob(values), (c) => c.charCodeAt(0)), all = new Float32Array(bytes.buffer);
  let start = 0;
  return Object.fromEntries(Object.entries(shapes).map(([name, shape]) => {
    const size = shape.reduce((a, b) => a * b, 1);
    start += size;
    return [name, { shape, data: all.subarray(start - size, start) }];
  }));
}

function lenetLayers(picture, weights) {
  const tensor = (C, H, W, value) => {
    const data = new Float64Array(C * H * W);
    for (let c = 0, k = 0; c < C; c++) for (let y = 0; y < H; y++) for (let x = 0; x < W; x++) data[k++] = value(c, y, x);
    return { C, H, W, data };
  };
  const at = (t, c, y, x) => (y < 0 || x < 0 || y >= t.H || x >= t.W ? 0 : t.data[(c * t.H + y) * t.W + x]);
  const conv = (t, name, pad) => {
    const { shape: [FN, C, FH, FW], data } = weights[`${name}.W`], b = weights[`${name}.b`].data;
    return tensor(FN, t.H + 2 * pad - FH + 1, t.W + 2 * pad - FW + 1, (f, y, x) => {
      let sum = b[f];
      for (let c = 0, k = f * C * FH * FW; c < C; c++) for (let i = 0; i < FH; i++) for (let j = 0; j < FW; j++) {
        sum += data[k++] * at(t, c, y + i - pad, x + j - pad);
      }
      return sum;
    });
  };
  const sigmoid = (t) => ({ ...t, data: t.data.map((v) => 1 / (1 + Math.exp(-v))) });
  const pool = (t) => tensor(t.C, t.H / 2, t.W / 2, (c, y, x) =>
    (at(t, c, 2 * y, 2 * x) + at(t, c, 2 * y, 2 * x + 1) + at(t, c, 2 * y + 1, 2 * x) + at(t, c, 2 * y + 1, 2 * x + 1)) / 4);
  const affine = (t, name) => {
    const { shape: [rows, columns], data } = weights[`${name}.W`], b = weights[`${name}.b`].data;
    return tensor(1, 1, columns, (c, y, x) => {
      let sum = b[x];
      for (let i = 0; i < rows; i++) sum += t.data[i] * data[i * columns + x];
      return sum;
    });
  };
  const found = { x: { C: 1, H: 28, W: 28, data: Float64Array.from(picture) } };
  found.sigmoid1 = sigmoid(conv(found.x, "conv1", 2));
  found.pool1 = pool(found.sigmoid1);
  found.sigmoid2 = sigmoid(conv(found.pool1, "conv2", 0));
  found.pool2 = pool(found.sigmoid2);
  found.affine3 = affine(sigmoid(affine(sigmoid(affine(found.pool2, "affine1")), "affine2")), "affine3");
  return found;
}

{
  const board = $("digit"), pen = board.getContext("2d", { willReadFrequently: true }), size = board.width;
  const word = JSON.parse($("lenet-data").textContent), MARGIN = 4, SIDE = 28, PEN = 22, STEP = 14;
  let weights = null, last = null, down = false, waiting = false;

  const loaded = () => weights = weights || new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = word.script;
    script.onload = () => resolve(lenetWeights(LENET));
    script.onerror = () => { weights = null; reject(new Error(word.script)); };
    document.head.append(script);
  });

  // As MNIST has it: the strokes' box scaled to 20 pixels on its longer side, in the middle of 28 x 28.
  function seen() {
    const { data } = pen.getImageData(0, 0, size, size), box = [size, size, -1, -1];
    for (let y = 0; y < size; y++) for (let x = 0; x < size; x++) if (data[4 * (y * size + x) + 3] > 40) {
      box[0] = Math.min(box[0], x); box[1] = Math.min(box[1], y); box[2] = Math.max(box[2], x); box[3] = Math.max(box[3], y);
    }
    if (box[2] < 0) return null;
    const [left, top, width, height] = [box[0], box[1], box[2] - box[0] + 1, box[3] - box[1] + 1];
    const scale = (SIDE - 2 * MARGIN) / Math.max(width, height), small = document.createElement("canvas");
    small.width = small.height = SIDE;
    const paint = small.getContext("2d", { willReadFrequently: true });
    paint.imageSmoothingQuality = "high";
    paint.drawImage(board, left, top, width, height, (SIDE - scale * width) / 2, (SIDE - scale * height) / 2, scale * width, scale * height);
    const pixels = paint.getImageData(0, 0, SIDE, SIDE).data;
    return Array.from({ length: SIDE * SIDE }, (_, k) => pixels[4 * k + 3] / 255);
  }

  // All maps of a layer in one picture, light where the value is large.
  function paintLayer(name, t) {
    const canvas = $(`lenet-${name}`), across = Math.min(t.C, 8), low = Math.min(...t.data), high = Math.max(...t.data);
    canvas.width = across * (t.W + 1) - 1;
    canvas.height = Math.ceil(t.C / across) * (t.H + 1) - 1;
    const paint = canvas.getContext("2d");
    t.data.forEach((value, k) => {
      const c = Math.floor(k / (t.H * t.W)), y = Math.floor(k / t.W) % t.H, x = k % t.W;
      const gray = Math.round(255 * (value - low) / (high - low || 1));
      paint.fillStyle = `rgb(${gray},${gray},${gray})`;
      paint.fillRect((c % across) * (t.W + 1) + x, Math.floor(c / across) * (t.H + 1) + y, 1, 1);
    });
  }

  function showLayers(picture, found) {
    const layers = lenetLayers(picture, found), scores = [...layers.affine3.data], top = Math.max(...scores);
    const powers = scores.map((s) => Math.exp(s - top)), total = powers.reduce((a, b) => a + b, 0);
    for (const name of ["x", "sigmoid1", "pool1", "sigmoid2", "pool2"]) paintLayer(name, layers[name]);
    powers.forEach((power, k) => { $(`score${k}`).value = power / total; });
    const best = scores.indexOf(top), percent = Math.round(100 * powers[best] / total);
    $("lenet-says").textContent = word.says.replace("{digit}", best).replace("{percent}", percent);
  }

  function changed() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(async () => {
      waiting = false;
      const picture = seen();
      if (!picture) return;
      try { showLayers(picture, await loaded()); } catch (error) { $("lenet-says").textContent = `${error.message}?`; }
    });
  }

  function stroke(x, y) {
    const [fromX, fromY] = last || [x, y];
    pen.lineWidth = PEN;
    pen.lineCap = pen.lineJoin = "round";
    pen.strokeStyle = "#fff";
    pen.beginPath();
    pen.moveTo(fromX, fromY);
    pen.lineTo(x, y);
    pen.stroke();
    last = [x, y];
    changed();
  }

  const place = (event) => {
    const box = board.getBoundingClientRect();
    return [(event.clientX - box.left) * size / box.width, (event.clientY - box.top) * size / box.height];
  };
  board.addEventListener("pointerdown", (event) => { board.setPointerCapture(event.pointerId); down = true; last = null; stroke(...place(event)); });
  board.addEventListener("pointermove", (event) => { if (down && event.buttons) stroke(...place(event)); });
  board.addEventListener("pointerup", () => { down = false; });

  // By keyboard: the space bar puts the pen down or lifts it, the arrow keys move it.
  let cursor = [size / 2, size / 2], lowered = false;
  board.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!move && event.key !== " ") return;
    event.preventDefault();
    if (move) cursor = cursor.map((v, k) => Math.min(size - PEN, Math.max(PEN, v + STEP * move[k])));
    else lowered = !lowered;
    if (!lowered) last = null; else { last = move ? last : null; stroke(...cursor); }
    $("lenet-pen").textContent = `${word[lowered ? "down" : "up"]} (${Math.round(cursor[0])}, ${Math.round(cursor[1])})`;
  });
  $("lenet-clear").addEventListener("click", () => {
    pen.clearRect(0, 0, size, size);
    last = null; lowered = false; cursor = [size / 2, size / 2];
    for (const id of ["lenet-says", "lenet-pen"]) $(id).textContent = "";
    for (const canvas of document.querySelectorAll("#lenet figure canvas")) canvas.width = canvas.height = 0;
    for (let k = 0; k < 10; k++) $(`score${k}`).value = 0;
  });
}
