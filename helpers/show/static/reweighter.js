(strip, box, { make, range }) => {
  // Turns the strip of pictures into two, without and with the edit, and a slider for each word.
  const axes = JSON.parse(strip.querySelector("script").textContent);
  const [source, ...mixes] = [...strip.querySelectorAll("figure")].map((figure) => ({
    src: figure.querySelector("img").src,
    alt: figure.querySelector("img").alt,
    label: figure.querySelector("figcaption").textContent,
  }));
  const pair = make("div", "display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:12px");
  const [before, after] = [source, mixes[0]].map((shown) => {
    const figure = make("figure", "margin:0;min-width:0");
    const picture = make("img", "width:100%;display:block;margin:0", { src: shown.src, alt: shown.alt, draggable: "false" });
    const caption = make("figcaption", "line-height:1.4;margin:4px 0 0;overflow-wrap:anywhere;min-height:2.8em");
    caption.textContent = shown.label;
    figure.append(picture, caption);
    pair.append(figure);
    return { picture, caption };
  });
  after.caption.setAttribute("role", "status");
  const told = (weight) => `\u00d7\u00a0${String(weight).replace("-", "\u2212")}`;
  const table = make("div", "display:grid;grid-template-columns:max-content minmax(60px,1fr) 3.5em;gap:0 12px;align-items:center;margin:8px 0 0");
  const sliders = axes.map(([word, weights]) => {
    const slider = range({ max: weights.length - 1, "aria-label": `weight of \u201c${word}\u201d` });
    const [name, value] = [make("span", "overflow-wrap:anywhere;max-width:12em"), make("span", "")];
    name.textContent = word;
    table.append(name, slider, value);
    return { slider, weights, value };
  });
  const nearest = (weights) => weights.reduce((best, weight, i) => (Math.abs(weight - 1) < Math.abs(weights[best] - 1) ? i : best), 0);
  const show = () => {
    let index = 0;
    for (const { slider, weights, value } of sliders) {
      index = index * weights.length + +slider.value;
      value.textContent = told(weights[slider.value]);
      slider.setAttribute("aria-valuetext", String(weights[slider.value]));
    }
    after.picture.src = mixes[index].src;
    after.picture.alt = mixes[index].alt;
    after.caption.textContent = mixes[index].label;
  };
  const back = make("button", "font:inherit;margin:4px 0 0", { type: "button", "aria-label": "put all weights back to 1, or nearest to it" });
  back.textContent = "reset";
  const reset = () => {
    for (const { slider, weights } of sliders) slider.value = nearest(weights);
    show();
  };
  for (const { slider } of sliders) slider.addEventListener("input", show);
  back.addEventListener("click", reset);
  box.append(pair, table, back);
  reset();
}
