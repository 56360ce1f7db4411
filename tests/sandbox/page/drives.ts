/** The tenant's drives with their folders and files, as trees. */

import { escapeHtml } from "../login/html.ts";
import type { Drive } from "../tenant/drive.ts";
import type { Item } from "../tenant/item.ts";
import { formatBytes, type Section } from "./layout.ts";

/** The page is fetched each second: what is beyond is counted, not shown. */
const MAX_ITEMS_PER_FOLDER = 200;
const MAX_ITEMS_PER_DRIVE = 2000;

export function drivesSection(drives: readonly Drive[]): Section {
  return { id: "drives", title: "Drives", html: `<ul>${drives.map(driveTree).join("\n")}</ul>` };
}

function driveTree(drive: Drive): string {
  const { info, root } = drive;
  const where = info.owner === undefined ? info.site.displayName : `OneDrive of ${info.owner.displayName}`;
  const title = `<strong>${escapeHtml(where)}</strong>: ${escapeHtml(info.name)}`;
  return `<li>${branch(root, title, { items: MAX_ITEMS_PER_DRIVE })}</li>`;
}

/** A folder that can be opened. */
function branch(folder: Item, title: string, left: { items: number }): string {
  const id = escapeHtml(`item-${folder.drive.id}-${folder.id}`);
  const size = quiet(`${counted(folder.children.size)}, ${formatBytes(folder.size)}`);
  return `<details id="${id}"><summary id="${id}-name">${title} ${size}</summary>${
    list(folder, left)
  }</details>`;
}

/** The children of a folder, by name. */
function list(folder: Item, left: { items: number }): string {
  const children = [...folder.children.values()].sort((a, b) => a.name.localeCompare(b.name, "en"));
  const shown = children.slice(0, Math.min(MAX_ITEMS_PER_FOLDER, left.items));
  left.items -= shown.length;
  const rows = shown.map((child) =>
    `<li>${child.children.size === 0 ? leaf(child) : branch(child, `${escapeHtml(child.name)}/`, left)}</li>`
  );
  const more = children.length - shown.length;
  if (more > 0) rows.push(`<li>${quiet(`and ${counted(more)} more`)}</li>`);
  return `<ul>${rows.join("\n")}</ul>`;
}

function leaf(item: Item): string {
  const name = escapeHtml(item.name);
  switch (item.kind) {
    case "folder":
      return `${name}/ ${quiet("empty")}`;
    case "link":
      return `${name} ${quiet(`shortcut to ${item.target!.name}`)}`;
    default: {
      const versions = item.versions === 1 ? "" : `, ${item.versions} versions`;
      const changed = item.modified.toISOString().replace("T", " ").slice(0, 19);
      return `${name} ${quiet(`${formatBytes(item.size)}, ${changed}${versions}`)}`;
    }
  }
}

function counted(items: number): string {
  return items === 1 ? "1 item" : `${items} items`;
}

function quiet(text: string): string {
  return `<small class="quiet">${escapeHtml(text)}</small>`;
}
