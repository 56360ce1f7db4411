/** The frame of the overview page: its styles, and the script that keeps its sections up to date. */

import { createHash } from "node:crypto";
import { escapeHtml, htmlResponse } from "../login/html.ts";
import type { ServiceResponse } from "../messages.ts";

/** A part of the page with a heading of its own; its id is its address within the page. */
export interface Section {
  readonly id: string;
  readonly title: string;
  readonly html: string;
}

const STYLE = `
:root { color-scheme: light dark; --line: #8886; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --bad: #ff897d; } }
body { font: 1rem/1.45 system-ui, sans-serif; margin: 0 auto; padding: 1rem; max-width: 110rem; }
header { display: flex; flex-wrap: wrap; gap: 0 1.5rem; align-items: baseline; }
nav a { margin-right: 1rem; }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.1rem; margin: 1.2rem 0 .4rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; padding: .15rem .6rem .15rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number, th.number { text-align: right; }
td code { overflow-wrap: anywhere; }
.scroll { max-height: 60vh; overflow: auto; }
.bad { color: var(--bad); font-weight: 600; }
.quiet { opacity: .75; }
ul { list-style: none; margin: 0; padding-left: 1.2rem; } section > ul { padding: 0; }
summary { cursor: pointer; }
progress { width: 8rem; }
:focus-visible { outline: 3px solid #5c9dff; outline-offset: 2px; }
@media (min-width: 70rem) {
  main { display: grid; grid-template-columns: 2fr 3fr; gap: 0 2rem; }
  #drives { grid-row: 1 / span 3; }
}`;

/**
 * Fetches the page each second and replaces the sections that have changed; folders stay open, and the focus and the
 * scroll position stay where they are.
 */
const SCRIPT = `
const shown = new Map();
for (const section of document.querySelectorAll("section")) shown.set(section.id, section.innerHTML);

function replace(section, fresh) {
  if (shown.get(section.id) === fresh.innerHTML) return;
  shown.set(section.id, fresh.innerHTML);
  const open = new Map([...section.querySelectorAll("details")].map(({ id, open }) => [id, open]));
  const scroll = section.querySelector(".scroll")?.scrollTop ?? 0;
  const focused = section.contains(document.activeElement) ? document.activeElement.id : "";
  section.replaceChildren(...fresh.childNodes);
  for (const details of section.querySelectorAll("details")) details.open = open.get(details.id) ?? details.open;
  section.querySelector(".scroll")?.scrollTo(0, scroll);
  if (focused !== "") document.getElementById(focused)?.focus({ preventScroll: true });
}

async function update() {
  const response = await fetch(location.pathname, { cache: "no-store" });
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const section of document.querySelectorAll("section")) {
    replace(section, fresh.getElementById(section.id));
  }
}

async function keepUpdating() {
  let state = "updates automatically";
  try {
    if (!document.hidden) await update();
  } catch {
    state = "the sandbox does not respond";
  }
  const status = document.getElementById("status");
  if (status.textContent !== state) status.textContent = state;
  setTimeout(keepUpdating, 1000);
}
keepUpdating();
`;
const SCRIPT_HASH = createHash("sha256").update(SCRIPT).digest("base64");

/** The whole page. */
export function overviewResponse(
  title: string,
  introduction: string,
  sections: readonly Section[],
): ServiceResponse {
  const links = sections.map(({ id, title }) => `<a href="#${id}">${title}</a>`).join(" ");
  const parts = sections.map(({ id, title, html }) =>
    `<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>${html}</section>`
  );
  const body = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<header><h1>${escapeHtml(title)}</h1><nav aria-label="Sections">${links}</nav>
<span id="status" role="status" class="quiet">does not update without scripts</span></header>
${introduction}
<main>
${parts.join("\n")}
</main>
<script>${SCRIPT}</script>
</body>
</html>
`;
  return htmlResponse(200, body, { script: `'sha256-${SCRIPT_HASH}'`, connect: "'self'" });
}

/** A table that scrolls when it is long; cells are HTML. */
export function table(
  id: string,
  label: string,
  columns: readonly { readonly title: string; readonly number?: true }[],
  rows: readonly (readonly string[])[],
): string {
  const kind = (index: number) => columns[index]!.number ? ' class="number"' : "";
  const head = columns.map(({ title }, index) => `<th scope="col"${kind(index)}>${title}</th>`).join("");
  const body = rows.map((cells) =>
    `<tr>${cells.map((cell, index) => `<td${kind(index)}>${cell}</td>`).join("")}</tr>`
  );
  return `<div class="scroll" id="${id}" tabindex="0" role="region" aria-label="${label}">
<table><thead><tr>${head}</tr></thead><tbody>
${body.join("\n")}
</tbody></table></div>`;
}

/** A number of bytes for people, in binary units. */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** The time of day in UTC. */
export function formatTime(time: Date): string {
  return time.toISOString().slice(11, 19);
}
