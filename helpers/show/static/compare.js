(pair, box, { make, range, dragged }) => {
  // Lays the second picture over the first and shows it to the right of a line that the slider moves.
  const [before, after] = [...pair.querySelectorAll("img")].map((img) =>
    make("img", "width:100%;display:block;margin:0", { src: img.src, alt: img.alt, draggable: "false" }));
  const [left, right] = [...pair.querySelectorAll("figcaption")].map((caption) => caption.textContent);
  const stage = make("div", "position:relative;overflow:hidden;touch-action:pan-y;cursor:ew-resize");
  const line = make("div", "position:absolute;top:0;bottom:0;width:2px;margin-left:-1px;background:#fff;" +
    "box-shadow:0 0 0 1px #000;pointer-events:none");
  const slider = range({ max: 100, value: 50, "aria-label": `line between "${left}" on its left and "${right}" on its right` });
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
  after.style.cssText += ";position:absolute;inset:0";
  slider.addEventListener("input", () => show(+slider.value));
  dragged(stage, slider, (share) => show(100 * share));
  stage.append(before, after, line);
  box.append(stage, slider, words);
  show(50);
}
