/* On the search page: each hit says whether it is a lesson, a notebook or the package, and shows an excerpt. The texts
 * come with the site (tools/search_texts.py): a page on disk may not read the others. */
"use strict";

var SearchTexts = {};  // filled by search_texts.js
const ROOM = 110;  // letters before and after the word that was found

/* The places in a text where one of the words begins, those with the most letters first. */
function places(text, words) {
  const low = text.toLowerCase();
  const starts = (word) => [...low.matchAll(new RegExp(`(?<![\\p{L}\\p{N}])${word}`, "gu"))];
  return words.flatMap((word) => starts(word).map((found) => [found.index, word.length])).sort((a, b) => b[1] - a[1]);
}

/* How many of the words a text has. */
function many(text, words) {
  return words.filter((word) => places(text, [word]).length).length;
}

/* An excerpt of a text around the first of the words, with every one of them marked. */
function excerpt(text, words) {
  const [middle] = places(text, words)[0] ?? [0];
  let start = Math.max(0, middle - ROOM), end = Math.min(text.length, middle + ROOM);
  if (start) start = text.indexOf(" ", start) + 1;
  if (end < text.length) end = Math.max(middle, text.lastIndexOf(" ", end));
  const piece = text.slice(start, end), shown = document.createElement("p");
  shown.className = "excerpt";
  let done = 0;
  for (const [from, length] of places(piece, words).sort((a, b) => a[0] - b[0])) {
    if (from < done) continue;
    const mark = document.createElement("mark");
    mark.textContent = piece.slice(from, from + length);
    shown.append(piece.slice(done, from), mark);
    done = from + length;
  }
  shown.append(piece.slice(done));
  if (start) shown.prepend("... ");
  if (end < text.length) shown.append(" ...");
  return shown;
}

/* What to look for: the words as they were typed, and their stems, which the index has. */
function words() {
  const typed = (new URLSearchParams(location.search).get("q") ?? "").toLowerCase();
  const found = typed.split(/[^\p{L}\p{N}_]+/u).filter((word) => word.length > 1);
  return [...new Set([...found, ...found.map((word) => new Stemmer().stemWord(word))])].filter((word) => word.length > 1);
}

function tell(hit) {
  const link = hit.querySelector("a"), page = SearchTexts[decodeURI(link.getAttribute("href").split(/\.html|#/)[0])];
  if (!page || hit.querySelector(".excerpt")) return;
  const asked = words(), section = decodeURIComponent(link.hash.slice(1));
  const best = [page.texts[section], ...Object.values(page.texts), page.code[section], ...Object.values(page.code)]
    .filter(Boolean).reduce((one, other) => many(other, asked) > many(one, asked) ? other : one, "");
  const kind = document.createElement("span");
  kind.className = "kind";
  kind.textContent = page.kind;
  link.before(kind, " ");
  hit.append(excerpt(best, asked));
}

if (DOCUMENTATION_OPTIONS.pagename === "search") {
  const script = document.createElement("script");
  script.src = `${document.documentElement.dataset.content_root}_static/search_texts.js`;
  script.onload = () => {
    const hits = () => document.querySelectorAll("#search-results li:has(> a)").forEach(tell);
    new MutationObserver(hits).observe(document.getElementById("search-results"), { childList: true, subtree: true });
    hits();
  };
  document.head.append(script);
}
