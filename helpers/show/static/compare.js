((name) => {
  // Lays the second picture over the first and shows it to the right of a line that the slider moves.
  const make = (tag, style, attributes = {}) => {
    const node = document.createElement(tag);
    node.style.cssText = style;
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
  };
  for (const root of document.querySelectorAll(`[data-show="${name}"]:not([data-live])`)) {
    const width = name.split("-").pop();
    const pair = root.firstElementChild;
    const [before, after] = [...pair.querySelectorAll("img")].map((img) =>
      make("img", "width:100%;display:block;margin:0", { src: img.src, alt: img.alt, draggable: "false" }));
    const [left, right] = [...pair.querySelectorAll("figcaption")].map((caption) => caption.textContent);
    const box = make("div", `width:${width}px;max-width:100%`);
    const stage = make("div", "position:relative;overflow:hidden;touch-action:pan-y;cursor:ew-resize");
    const line = make("div", "position:absolute;top:0;bottom:0;width:2px;margin-left:-1px;background:#fff;" +
      "box-shadow:0 0 0 1px #000;pointer-events:none");
    const slider = make("input", "width:100%;margin:8px 0 4px;box-sizing:border-box", {
      "data-lm-suppress-shortcuts": "true",  // arrow keys move the slider, not JupyterLab's cells
      type: "range", min: 0, max: 100, step: 1, value: 50,
      "aria-label": `line between "${left}" on its left and "${right}" on its right`,
    });
    const words = make("div", "display:flex;justify-content:space-between;gap:16px;overflow-wrap:anywhere");
    const [start, end] = [make("span", ""), make("span", "text-align:right")];
    start.textContent = left;
    end.textContent = right;
    words.append(start, end);
    const show = (percent) => {
      const at = Math.max(0, Math.min(100, Math.round(percent)));
      slider.value = at;
      slider.setAttribute("aria-valuetext", `${at} % ${left}, ${100 - at} % ${right}`);
      after.style.clipPath = `inset(0 0 0 ${at}%)`;
      line.style.left = `${at}%`;
    };
    const drag = (event) => {
      const edge = stage.getBoundingClientRect();
      if (event.buttons) show(((event.clientX - edge.left) / edge.width) * 100);
    };
    after.style.cssText += ";position:absolute;inset:0";
    slider.addEventListener("input", () => show(+slider.value));
    stage.addEventListener("mousedown", (event) => {  // keeps the focus from going to what lies around
      slider.focus({ preventScroll: true });
      event.preventDefault();
    });
    stage.addEventListener("pointerdown", (event) => {
      stage.setPointerCapture(event.pointerId);
      drag(event);
    });
    stage.addEventListener("pointermove", drag);
    stage.append(before, after, line);
    box.append(stage, slider, words);
    pair.style.display = "none";
    root.dataset.live = "yes";
    root.append(box);
    show(50);
  }
})
