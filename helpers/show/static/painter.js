// A canvas over a picture. Python holds the strokes (painting.py draws the same ones); this draws and makes them.
const make = (tag, style = "", attributes = {}) => {
  const node = document.createElement(tag);
  node.style.cssText = style;
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
};
const BUTTON = "min-width:32px;min-height:32px;padding:2px 8px;border:1px solid #767676;border-radius:4px;cursor:pointer;" +
  "font:inherit;color:#000;background:#fff";
const CHOSEN = ";outline:3px solid #0072B2;outline-offset:-3px;font-weight:bold";
const HATCH = "repeating-linear-gradient(45deg,#000 0 4px,rgba(0,0,0,.5) 4px 8px)";

// One stroke, or its part from point `from` on, in pixels of the picture.
function draw(pen, stroke, from = 0) {
  if (stroke.tool === "clear") return pen.clearRect(0, 0, 1e5, 1e5);
  const points = stroke.points;
  pen.globalCompositeOperation = stroke.tool === "erase" ? "destination-out" : "source-over";
  pen.fillStyle = pen.strokeStyle = stroke.color;
  pen.lineWidth = stroke.size;
  pen.lineCap = pen.lineJoin = "round";
  pen.beginPath();
  pen.arc(points[from], points[from + 1], stroke.size / 2, 0, 2 * Math.PI);
  pen.fill();
  pen.beginPath();
  pen.moveTo(points[from], points[from + 1]);
  for (let i = from + 2; i < points.length; i += 2) pen.lineTo(points[i], points[i + 1]);
  if (points.length > from + 2) pen.stroke();
}

function render({ model, el }) {
  const [width, height] = model.get("size");
  const shown = model.get("shown");
  const mask = model.get("mode") === "mask";
  const palette = model.get("palette");
  const state = { tool: "paint", color: Object.values(palette)[0], size: model.get("brush"), x: width / 2, y: height / 2 };
  const most = Math.max(1, Math.min(Math.round(width / 2), model.get("largest")));  // pixels of the brush
  let current = null;  // the stroke under way

  const root = make("div", "font-family:inherit;max-width:100%", {
    "data-painter": model.get("name"), role: "group",
    "aria-label": `${mask ? "paint a mask" : "scribble"}: ${model.get("alt")}`,
  });
  const hide = make("style");  // of the plain picture that stands for the painter where nothing runs
  hide.textContent = `[data-show="${model.get("name")}"]{display:none}`;

  const stage = make("div", `position:relative;width:${shown}px;max-width:100%;overflow:hidden;line-height:0`);
  const picture = make("img", "width:100%;display:block;margin:0", { src: model.get("picture"), alt: model.get("alt"), draggable: "false" });
  const canvas = make("canvas", "position:absolute;inset:0;width:100%;height:100%;touch-action:none;cursor:crosshair;outline-offset:-3px" +
    (mask ? `;opacity:.8;filter:drop-shadow(0 0 1px #000) drop-shadow(0 0 1px #000);-webkit-mask-image:${HATCH};mask-image:${HATCH}` : ""));
  const keys = make("div", "position:absolute;inset:0;touch-action:none;cursor:crosshair", {
    tabindex: "0", role: "application", "aria-roledescription": "canvas",
    "aria-label": "canvas: arrow keys move the brush, Shift makes small steps, Space puts it down and lifts it, " +
      "[ and ] change its size, E erases, Z undoes, Delete clears",
  });
  const ring = make("div", "position:absolute;border:2px solid #fff;border-radius:50%;box-shadow:0 0 0 1px #000,inset 0 0 0 1px #000;" +
    "transform:translate(-50%,-50%);pointer-events:none;box-sizing:border-box;visibility:hidden");
  const scale = Math.max(1, Math.round((shown * (window.devicePixelRatio || 1)) / width));
  canvas.width = width * scale;
  canvas.height = height * scale;
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  const before = new Image();

  const status = make("div", "margin:4px 0", { role: "status", "aria-live": "polite" });
  const redraw = () => {
    pen.globalCompositeOperation = "source-over";
    pen.clearRect(0, 0, width, height);
    if (before.complete && before.naturalWidth) pen.drawImage(before, 0, 0, width, height);
    for (const stroke of model.get("strokes")) draw(pen, stroke);
    const count = model.get("strokes").length;
    const told = count ? `${count} ${count === 1 ? "stroke" : "strokes"}` : "nothing painted here yet";
    status.textContent = !model.get("given") ? told : count ? `what was given and ${told}` : `the ${mask ? "mask" : "scribble"} that was given`;
  };
  const keep = (strokes) => {
    model.set("strokes", strokes);
    model.save_changes();
    redraw();
  };
  const moveRing = () => {
    Object.assign(ring.style, {
      left: `${(100 * state.x) / width}%`, top: `${(100 * state.y) / height}%`,
      width: `${(100 * state.size) / width}%`, height: `${(100 * state.size) / height}%`,
      visibility: "visible", borderStyle: state.tool === "erase" ? "dashed" : "solid",
    });
  };
  const round = (value) => Math.round(value * 10) / 10;
  const begin = () => {
    current = { tool: state.tool, color: state.color, size: state.size, points: [round(state.x), round(state.y)] };
    draw(pen, current);
  };
  const extend = () => {
    const last = current.points.length - 2;
    if (Math.hypot(state.x - current.points[last], state.y - current.points[last + 1]) < 0.4) return;
    current.points.push(round(state.x), round(state.y));
    draw(pen, current, last);
  };
  const finish = () => {
    if (!current) return;
    const stroke = current;
    current = null;
    keep([...model.get("strokes"), stroke]);
  };
  const undo = () => keep(model.get("strokes").slice(0, -1));
  const clear = () => keep([...model.get("strokes"), { tool: "clear" }]);

  const place = (event) => {
    const edge = keys.getBoundingClientRect();
    state.x = ((event.clientX - edge.left) / edge.width) * width;
    state.y = ((event.clientY - edge.top) / edge.height) * height;
    moveRing();
  };
  keys.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    finish();
    keys.setPointerCapture(event.pointerId);
    keys.focus({ preventScroll: true });
    place(event);
    begin();
    event.preventDefault();
  });
  keys.addEventListener("pointermove", (event) => {
    if (current && !event.buttons) finish();  // a stroke of the keyboard, or a release outside the window
    place(event);
    if (current) extend();
  });
  keys.addEventListener("pointerup", finish);
  keys.addEventListener("pointercancel", finish);
  keys.addEventListener("pointerleave", () => { if (document.activeElement !== keys) ring.style.visibility = "hidden"; });
  keys.addEventListener("focus", moveRing);
  keys.addEventListener("blur", () => { finish(); ring.style.visibility = "hidden"; });

  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const runs = (event) => event.key === "Enter" && (event.shiftKey || event.ctrlKey || event.metaKey || event.altKey);
  const press = (event) => {
    if (runs(event)) return false;  // the notebook's: it runs the cell
    const arrow = ARROWS[event.key];
    if (arrow) {
      const step = event.shiftKey ? 1 : Math.max(1, state.size / 3);
      state.x = Math.min(width, Math.max(0, state.x + arrow[0] * step));
      state.y = Math.min(height, Math.max(0, state.y + arrow[1] * step));
      if (current) extend();
      moveRing();
    } else if (event.key === " " || event.key === "Enter") (current ? finish : begin)();
    else if (event.key === "[") resize(state.size / 1.25);
    else if (event.key === "]") resize(state.size * 1.25);
    else if (event.key === "e") choose(state.tool === "erase" ? "paint" : "erase");
    else if (event.key === "z") undo();
    else if (event.key === "Delete" || event.key === "Backspace") clear();
    else return false;
    return true;
  };
  keys.addEventListener("keydown", (event) => {
    if (event.altKey || ((event.ctrlKey || event.metaKey) && event.key !== "z")) return;
    if (!press(event)) return;
    event.preventDefault();
    event.stopPropagation();
  });

  const bar = () => make("div", `display:flex;flex-wrap:wrap;gap:6px;align-items:center;margin:6px 0;max-width:${Math.max(shown, 440)}px`);
  const button = (text, label, action, style = "") => {
    const node = make("button", BUTTON + style, { type: "button", "aria-label": label, title: label });
    node.textContent = text;
    node.addEventListener("click", action);
    return node;
  };
  const brushes = { paint: button("brush", "brush", () => choose("paint")), erase: button("eraser", "eraser (E)", () => choose("erase")) };
  const slider = make("input", "width:80px", { type: "range", min: 1, max: most, step: 0.5, "aria-label": "brush size in pixels of the picture" });
  const told = make("span", "min-width:3em;white-space:nowrap");
  function resize(size) {
    state.size = round(Math.min(most, Math.max(1, size)));
    slider.value = state.size;
    told.textContent = `${Math.round(state.size)} px`;
    if (document.activeElement === keys) moveRing();
  }
  slider.addEventListener("input", () => resize(+slider.value));
  const colors = Object.entries(palette).map(([name, color]) => {
    const dot = `;background:${color};width:32px;padding:0;font-weight:bold;text-shadow:0 0 3px #fff,0 0 3px #fff`;
    const node = button("", name, () => { state.color = color; choose("paint"); }, dot);
    node.dataset.color = color;
    return node;
  });
  const own = make("input", "width:36px;height:32px;padding:0", { type: "color", value: "#ff8800", "aria-label": "a colour of your own", title: "a colour of your own" });
  own.addEventListener("input", () => { state.color = own.value; choose("paint"); });
  function choose(tool) {
    finish();
    state.tool = tool;
    for (const [name, node] of Object.entries(brushes)) {
      node.setAttribute("aria-pressed", name === tool);
      node.style.cssText = BUTTON + (name === tool ? CHOSEN : "");
    }
    for (const node of colors) {
      const chosen = tool === "paint" && node.dataset.color === state.color;
      node.setAttribute("aria-pressed", chosen);
      node.textContent = chosen ? "\u2713" : "";
    }
    const ours = tool === "paint" && state.color === own.value;
    own.style.outline = ours ? "3px solid #0072B2" : "none";
    if (document.activeElement === keys) moveRing();
  }

  const tools = bar();
  const label = make("label", "display:flex;align-items:center;gap:4px");
  label.append("size", slider, told);
  tools.append(brushes.paint, brushes.erase, label, button("undo", "undo (Z)", undo), button("clear", "clear (Delete)", clear));
  root.append(hide, tools);
  if (!mask) {
    const dots = bar();
    dots.setAttribute("role", "group");
    dots.setAttribute("aria-label", "colours");
    dots.append(...colors, own);
    root.append(dots);
  }
  stage.append(picture, canvas, ring, keys);
  const help = make("div", `margin:4px 0;font-size:smaller;max-width:${Math.max(shown, 440)}px;line-height:1.4`);
  help.textContent = "Keys, once the picture is clicked: arrows move the brush (with Shift in small steps), Space puts it down " +
    "and lifts it, [ and ] change its size, E erases, Z undoes, Delete clears.";
  root.append(stage, status, help);
  // Keys pressed here are meant for the painter: without this, JupyterLab takes some for its cells.
  const ours = root.querySelectorAll("button,input,[tabindex]");
  const suppress = () => { for (const node of ours) node.dataset.lmSuppressShortcuts = "true"; };
  suppress();
  const letRun = (event) => {  // Shift+Enter runs the cell from here, too
    if (!runs(event) || !root.contains(event.target)) return;
    for (const node of ours) delete node.dataset.lmSuppressShortcuts;
    setTimeout(suppress);
  };
  window.addEventListener("keydown", letRun, true);
  el.append(root);

  before.addEventListener("load", redraw);
  before.src = model.get("painted_before");
  model.on("change:strokes", redraw);
  resize(state.size);
  choose("paint");
  redraw();
  return () => {
    model.off("change:strokes", redraw);
    window.removeEventListener("keydown", letRun, true);
  };
}

export default { render };
