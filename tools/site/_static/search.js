/* Each hit of the search says what kind of page it is and shows a piece of it, with the words that were looked for.
   The texts come from search_texts.js, since a page on disk may not read the others. */
const KINDS = { lessons: "Lesson", notebooks: "Notebook", api: "Package" };
const AROUND = 110;  // letters before and after

function wanted() {
  const words = new URLSearchParams(location.search).get("q")?.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [];
  const stemmer = new Stemmer();
  return words.filter((word) => !stopwords.has(word)).flatMap((word) => [word, stemmer.stemWord(word)]);
}

function firstOf(text, words) {
  const lower = text.toLowerCase();
  for (const word of words) {
    const at = lower.search(new RegExp(`(?<![\\p{L}\\p{N}])${word}`, "u"));
    if (at >= 0) return [at, word.length];
  }
  return null;
}

function excerpt(text, [at, length]) {
  const start = at <= AROUND ? 0 : text.indexOf(" ", at - AROUND) + 1, shown = document.createElement("p");
  const far = at + length + AROUND, end = far >= text.length ? far : Math.max(text.lastIndexOf(" ", far), at + length);
  const mark = document.createElement("mark");
  mark.textContent = text.slice(at, at + length);
  shown.append(start ? "... " : "", text.slice(start, at), mark, text.slice(at + length, end), end < text.length ? " ..." : "");
  shown.className = "context";
  return shown;
}

function explain(hit) {
  const link = hit.querySelector("a");
  if (!link || hit.dataset.kind) return;
  const [address, anchor] = link.getAttribute("href").split("#"), page = address.replace(/\.html$/, "");
  const kind = document.createElement("span");
  kind.textContent = hit.dataset.kind = KINDS[page.split("/")[0]] ?? "Page";
  kind.className = "kind";
  link.before(kind, " ");
  const parts = (SEARCH_TEXTS[page] ?? []).filter(([id]) => !anchor || id === anchor), words = wanted();
  for (const [id, heading, text] of [...parts, ...parts.map(([id, heading, , code]) => [id, heading, code])]) {
    const found = firstOf(text, words);
    if (!found) continue;
    if (!anchor && id) {
      link.href = `${address}#${id}`;
      if (heading && heading !== link.textContent) link.append(` > ${heading}`);
    }
    return hit.append(excerpt(text, found));
  }
  if (parts.length) hit.append(excerpt(parts[0][2], [0, 0]));
}

const texts = document.createElement("script");
texts.src = `${document.documentElement.dataset.content_root}_static/search_texts.js`;
texts.onload = () => {
  const results = document.querySelector("#search-results"), all = () => results.querySelectorAll("li").forEach(explain);
  new MutationObserver(all).observe(results, { childList: true, subtree: true });
  all();
};
window.addEventListener("DOMContentLoaded", () => document.head.append(texts));
