/**
 * What is there: items, sites and drives, for snippets.
 *
 * @module
 */
import type { DriveInfo, SiteInfo } from "./drives.ts";
import { getItem, type Item, type ItemContext } from "./items.ts";
import { listItems } from "./listing.ts";
import { type LocationInput, parseSite } from "./location.ts";

/** Reads an item; of a shortcut, its target. */
export async function stat(context: ItemContext, location: LocationInput): Promise<Item> {
  return (await getItem(context, location)).item;
}

/** Lists a folder, or what matches a location with wildcards, page by page on demand; a file is listed itself. */
export function list(context: ItemContext, location: LocationInput): AsyncGenerator<Item> {
  return listItems(context, location);
}

/** Lists a folder with everything below it, folders before their contents. Shortcuts are not followed. */
export function walk(context: ItemContext, location: LocationInput): AsyncGenerator<Item> {
  return listItems(context, location, { recursive: true });
}

/** Finds sites in the search index, which may lack new ones. @param text @default all sites */
export function listSites(context: ItemContext, text = ""): AsyncGenerator<SiteInfo> {
  return context.drives.searchSites(text);
}

/** Lists the libraries of a site. @param site `HOST/sites/NAME`. @default that of the settings, else the user's own drives */
export async function listDrives(context: ItemContext, site?: string): Promise<DriveInfo[]> {
  return await context.drives.all(site === undefined ? site : parseSite(site, context.settings.siteHost));
}
