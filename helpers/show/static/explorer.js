(plain, box, { make, range }) => {
  // Turns pictures and packed maps into words to point at, a slider over the steps and a list of grids and layers.
  const data = JSON.parse(plain.querySelector("script").textContent);
  const [pictures, prompts] = ["img", "figcaption"].map((tag) => [...plain.querySelectorAll(tag)].slice(0, data.prompts.length));
  const unpacked = new Blob([Uint8Array.from(atob(data.maps), (c) => c.charCodeAt(0))]).stream()
    .pipeThrough(new DecompressionStream("deflate"));
  const shares = Float32Array.from({ length: 256 }, (_, byte) => {
    const u = (byte - data.zero) / data.span;
    return Math.sign(u) * u * u * data.top;
  });
  const steps = data.steps.length, last = data.steps[steps - 1][1];
  let offset = 0;
  const parts = data.parts.map(([layer, h, w]) => {
    const start = offset;
    offset += data.rows.length * steps * h * w;
    return { layer, h, w, start };
  });
  let maps = null;

  // ---- what there is to choose
  const shorter = (share) => `${(100 * share).toFixed(Math.abs(share) < 0.0995 ? 1 : 0)}\u00a0%`;
  const size = (part) => `${part.h} \u00d7 ${part.w}`;
  const choices = [];
  const list = make("select", "font:inherit;flex:0 1 auto;min-width:0;max-width:100%;padding:2px", {
    "aria-label": "resolution and layer", "data-lm-suppress-shortcuts": "true",
  });
  for (const grid of [...new Set(parts.map(size))]) {
    const same = parts.filter((part) => size(part) === grid);
    const group = make("optgroup", "", { label: grid });
    const offered = same.length > 1 ? [same, ...same.map((part) => [part])] : [same];
    for (const chosen of offered) {
      const option = make("option", "", { value: choices.length });
      const layer = chosen.length === 1 && chosen[0].layer;
      option.textContent = `${grid}, ${layer ? `layer ${layer}` : "mean of its layers"}`;
      option.selected = chosen.includes(parts[data.start]) && chosen === same;
      choices.push(chosen);
      group.append(option);
    }
    list.append(group);
  }
  const slider = range({ max: steps, value: 0, "aria-label": "step, or all steps at the left end" });
  const at = make("div", "overflow-wrap:anywhere;min-height:1.4em");

  // ---- the words
  const lines = make("div", "margin:0 0 8px;line-height:2;overflow-wrap:anywhere");
  const buttons = [];
  let pinned = null, shown = null;
  data.prompts.forEach((pieces, prompt) => {
    const line = make("div", "", { role: "group", "aria-label": prompt ? "words of the target" : "words of the source" });
    const head = make("span", "display:inline-block;min-width:4em;opacity:.75");
    head.textContent = data.prompts.length > 1 ? (prompt ? "target" : "source") : "prompt";
    line.append(head);
    for (const [text, word, answer] of pieces) {
      if (word === null) {
        line.append(text);
        continue;
      }
      const button = make("button", "font:inherit;line-height:1.3;color:inherit;background:transparent;margin:0;" +
        "padding:1px 4px;border:1px solid currentColor;border-radius:4px;cursor:pointer", {
        type: "button", "aria-pressed": "false", "data-lm-suppress-shortcuts": "true",
      });
      button.textContent = text;
      const pair = prompt ? [answer, word] : [word, answer];
      const choice = { button, pair, prompt };
      button.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && look(choice));
      button.addEventListener("pointerleave", () => look(pinned));
      for (const event of ["focus", "click"]) button.addEventListener(event, () => look(pinned = choice));
      buttons.push(choice);
      line.append(button);
    }
    lines.append(line);
  });

  // ---- the pictures
  const row = make("div", `display:grid;grid-template-columns:repeat(${data.views.length},minmax(0,1fr));gap:12px`);
  const alone = data.views.length === 1;
  const panels = data.views.map((view, i) => {
    const figure = make("figure", "margin:0;min-width:0;display:flex;flex-direction:column;justify-content:flex-end");
    const stage = make("div", "position:relative;touch-action:pan-y;cursor:crosshair;line-height:0");
    const source = pictures[Math.min(i, 1)];
    const picture = make("img", "width:100%;display:block;margin:0;filter:grayscale(1)", { src: source.src, alt: "", draggable: "false" });
    const over = "position:absolute;inset:0;width:100%;height:100%;margin:0";
    const canvas = make("canvas", `${over};image-rendering:pixelated;opacity:${data.opacity}`, { role: "img" });
    const spot = make("div", "position:absolute;box-sizing:border-box;border:2px solid #fff;outline:1px solid #000;" +
      "pointer-events:none;display:none");
    stage.append(picture, canvas, spot);
    const head = make("div", "font-weight:600;line-height:1.3;margin:0 0 4px;display:flex;align-items:flex-end");
    head.textContent = alone ? "" : view;
    const told = make("figcaption", `line-height:1.4;margin:4px 0 0;overflow-wrap:anywhere;min-height:${alone ? 2.8 : 4.2}em`);
    figure.append(head, stage, told);
    if (alone) figure.style.maxWidth = `${data.width}px`;
    stage.addEventListener("pointermove", (event) => {
      const edge = stage.getBoundingClientRect();
      point([(event.clientX - edge.left) / edge.width, (event.clientY - edge.top) / edge.height]);
    });
    stage.addEventListener("pointerleave", () => point(null));
    row.append(figure);
    return { view: i, picture, canvas, spot, told, map: null };
  });

  // ---- the scale
  const scale = make("div", "display:flex;gap:8px;align-items:center;margin:8px 0 0");
  const [low, high] = ["span", "span"].map((tag) => make(tag, "white-space:nowrap"));
  const bar = make("span", "flex:0 1 160px;height:12px;border:1px solid currentColor;background:linear-gradient(to right," +
    `${data.colors.map((color) => `rgb(${color})`).join(",")})`, { "aria-hidden": "true" });
  low.textContent = "share of attention: 0";
  scale.append(low, bar, high);
  const status = make("div", "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)", {
    role: "status", "aria-live": "polite",
  });

  // ---- maps
  const mean = (view, word) => {  // null where the prompt has no such word
    const index = data.rows.findIndex(([v, w]) => v === view && w === word);
    if (!maps || index < 0) return null;
    const chosen = choices[list.value], { h, w } = chosen[0];
    const times = +slider.value ? [+slider.value - 1] : data.steps.map((_, i) => i);
    const weights = times.map((time) => data.steps[time][1] - data.steps[time][0] + 1);
    const total = chosen.length * weights.reduce((a, b) => a + b, 0);
    const sum = new Float32Array(h * w);
    for (const part of chosen) {
      times.forEach((time, i) => {
        const start = part.start + (index * steps + time) * h * w;
        for (let pixel = 0; pixel < h * w; pixel++) sum[pixel] += weights[i] * shares[maps[start + pixel]] / total;
      });
    }
    return { h, w, values: sum, most: Math.max(...sum), mean: sum.reduce((a, b) => a + b, 0) / (h * w) };
  };
  const paint = (canvas, map, top) => {
    canvas.style.display = map ? "" : "none";
    if (!map) return;
    [canvas.width, canvas.height] = [map.w, map.h];
    const context = canvas.getContext("2d"), image = context.createImageData(map.w, map.h), end = data.colors.length - 1;
    map.values.forEach((value, pixel) => {
      const place = Math.max(0, Math.min(1, value / top)) * end, i = Math.min(end - 1, Math.floor(place));
      for (let c = 0; c < 3; c++) {
        image.data[4 * pixel + c] = data.colors[i][c] + (place - i) * (data.colors[i + 1][c] - data.colors[i][c]);
      }
      image.data[4 * pixel + 3] = 255;
    });
    context.putImageData(image, 0, 0);
  };
  const where = ({ h, w, values, most }) => {
    const pixel = values.indexOf(most);
    const third = (share, names) => names[Math.min(2, Math.floor(3 * share))];
    const [y, x] = [third(Math.floor(pixel / w) / h, ["top", "middle", "bottom"]), third((pixel % w) / w, ["left", "middle", "right"])];
    return y === x ? "middle" : `${y} ${x}`;
  };
  const point = (place) => {
    for (const { map, spot, told, words } of panels) {
      spot.style.display = place && map ? "block" : "none";
      told.textContent = words;
      if (!place || !map) continue;
      const [x, y] = [map.w, map.h].map((side, i) => Math.max(0, Math.min(side - 1, Math.floor(place[i] * side))));
      spot.style.cssText += `;left:${100 * x / map.w}%;top:${100 * y / map.h}%;width:${100 / map.w}%;height:${100 / map.h}%`;
      told.append(make("br", ""), `here ${shorter(map.values[y * map.w + x])}`);
    }
  };
  const look = (choice) => {
    shown = choice;
    for (const { button, prompt, pair } of buttons) {
      const chosen = choice && pair[prompt] === choice.pair[prompt];
      button.setAttribute("aria-pressed", String(Boolean(pinned && pair[prompt] === pinned.pair[prompt])));
      button.style.background = chosen ? "#0072B2" : "transparent";
      button.style.color = chosen ? "#fff" : "inherit";
    }
    const time = +slider.value && data.steps[slider.value - 1];
    const of = `of ${last}${time && time[0] === 1 ? ", the noisiest" : ""}`;
    at.textContent = !time ? `mean of all ${last} steps` :
      time[0] === time[1] ? `step ${time[0]} ${of}` : `steps ${time[0]} to ${time[1]} ${of}`;
    slider.setAttribute("aria-valuetext", at.textContent);
    for (const panel of panels) panel.map = choice && mean(panel.view, choice.pair[panel.view ? 1 : 0]);
    const top = Math.max(1e-9, ...panels.map(({ map }) => (map ? map.most : 0)));
    for (const panel of panels) {
      const word = choice && data.words[choice.pair[panel.view ? 1 : 0]];
      paint(panel.canvas, panel.map, top);
      panel.picture.style.filter = panel.map ? "grayscale(1)" : "none";
      panel.words = !word ? (choice ? "no map: the prompt has no such word" : "") : !panel.map ? "" :
        `\u201c${word}\u201d: mean ${shorter(panel.map.mean)}, most ${shorter(panel.map.most)} (${where(panel.map)})`;
      panel.canvas.setAttribute("aria-label", `${data.views[panel.view]}, ${panel.words}`);
    }
    high.textContent = shorter(top);
    status.textContent = `${at.textContent}. ${panels.map(({ view, words }) => `${data.views[view]}, ${words}`).join(". ")}`;
    point(null);
  };
  for (const control of [slider, list]) control.addEventListener("input", () => look(shown));
  const chooser = make("label", "display:flex;flex-wrap:wrap;gap:8px;align-items:center;margin:8px 0 0");
  chooser.append("maps of", list);
  box.style.position = "relative";
  box.append(lines, row, scale, slider, at, chooser, status);
  new Response(unpacked).arrayBuffer().then((buffer) => {
    maps = new Uint8Array(buffer);
    box.dataset.ready = "yes";
    const swapped = ({ pair: [a, b] }) => a !== b && a !== null && b !== null;
    look(pinned = buttons.find(swapped) || buttons.find(({ button }) => button.textContent.length > 3) || buttons[0]);
  });
}
