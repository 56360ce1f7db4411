/** Sites (PROTOCOL 1 and 2). */

import { seconds } from "../drive_item_json.ts";
import type { ServiceResponse } from "../messages.ts";
import { notImplemented, ServiceError } from "../service_error.ts";
import type { State } from "../state.ts";
import { type Site, siteId, siteUrl } from "../tenant/directory.ts";
import * as may from "./authorization.ts";
import { pageOf } from "./paging.ts";
import { allowOptions, pick, selected } from "./query.ts";
import { collectionResponse, entityResponse, type GraphRequest } from "./request.ts";

/** `/sites/{id}` and by path. */
export function getSite(state: State, request: GraphRequest, site: Site): ServiceResponse {
  may.mayReadSite(request.caller, site);
  allowOptions(request.query, "$select");
  const json = siteJson(site);
  const names = selected(request.query, SITE_PROPERTIES, "microsoft.graph.site");
  return entityResponse(state, 200, "sites", pick(json, names));
}

const SITE_PROPERTIES = new Set([
  ...[
    "createdDateTime",
    "description",
    "displayName",
    "eTag",
    "id",
    "isPersonalSite",
    "lastModifiedDateTime",
    "name",
  ],
  ...["root", "sharepointIds", "siteCollection", "webUrl"],
]);

/** `/sites?search=`: searches the index, which excludes personal sites (docs#14387). */
export function searchSites(state: State, request: GraphRequest): ServiceResponse {
  may.mayReadSites(request.caller);
  allowOptions(request.query, "$select", "$top", "$skiptoken", "$skipToken");
  const text = (request.query.get("search") ?? "").trim().toLowerCase();
  // Only applications may list all sites (msgraph-sdk-powershell#544).
  const listsAll = !request.query.has("search");
  if (listsAll && request.caller.user) throw new ServiceError(403, "accessDenied", "Access denied");
  if (text === "" && !listsAll) throw notImplemented("a search for an empty text", "api/site-search");
  const { sites } = state.tenant.directory;
  const found = sites.filter((site) =>
    !site.personal && may.canOpen(site, request.caller) &&
    (listsAll || text === "*" ||
      [site.displayName, site.description, site.path].some((field) => field.toLowerCase().includes(text)))
  );
  const names = selected(request.query, SITE_PROPERTIES, "microsoft.graph.site");
  const { page, links } = pageOf(state, request, found.map(siteJson));
  return collectionResponse(state, "sites", page.map((site) => pick(site, names)), links);
}

function siteJson(site: Site) {
  return {
    createdDateTime: site.created.toISOString(),
    description: site.description,
    id: siteId(site),
    lastModifiedDateTime: seconds(site.drives[0]!.root.modified),
    name: site.name,
    webUrl: siteUrl(site),
    displayName: site.displayName,
    root: {},
    siteCollection: { hostname: site.hostname },
  };
}
