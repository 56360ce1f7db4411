/** Listings with unusual pages and items, and tokens that expire during one (PROTOCOL 4.1, 9.1). */

import type { FaultRule } from "../faults.ts";
import type { ServiceRequest, ServiceResponse } from "../messages.ts";
import { GET_CHILDREN, type KnownFault } from "./known_fault.ts";

const scripts = ["ls"] as const;
const NEXT_PAGE: FaultRule = { ...GET_CHILDREN, path: "skiptoken" };

type Page = { value: Record<string, unknown>[]; "@odata.nextLink"?: string };

function onPages(change: (page: Page, request: ServiceRequest) => Page): FaultRule {
  return {
    ...GET_CHILDREN,
    times: "always",
    rewrite: (response: ServiceResponse, request: ServiceRequest) =>
      response.status === 200 && typeof response.body === "string"
        ? { ...response, body: JSON.stringify(change(JSON.parse(response.body), request)) }
        : response,
  };
}

function looped(page: Page, { headers, target }: ServiceRequest): Page {
  return { ...page, "@odata.nextLink": `http://${headers["host"]}${target}` };
}

/** Each page after the first repeats the last item of the previous page. */
function repeating(): FaultRule {
  let last: Page["value"][number] | undefined;
  return onPages((page, { target }) => {
    const repeated = /skiptoken/i.test(target) && last ? [last] : [];
    last = page.value.at(-1);
    return { ...page, value: [...repeated, ...page.value] };
  });
}

/** Changes the first file of every listing. */
function firstFile(change: (item: Record<string, unknown>) => Record<string, unknown>): FaultRule {
  return onPages((page) => {
    const index = page.value.findIndex((item) => "file" in item);
    return { ...page, value: page.value.map((item, at) => at === index ? change(item) : item) };
  });
}

function asShortcut({ file: _, ...item }: Record<string, unknown>): Record<string, unknown> {
  const parentReference = { driveId: "b!elsewhere", id: "01ELSEWHERE", driveType: "business" };
  return {
    ...item,
    remoteItem: { id: "01REMOTE", name: item["name"], size: 0, folder: {}, parentReference },
  };
}

export const LISTINGS = {
  "new-folder-not-yet-there": {
    what: "the first two requests in a newly created folder fail with 404",
    item: 15,
    traps: ["E3"],
    scripts: ["put"],
    behavior: { missesOfNewFolders: 2 },
  },
  "next-link-loop": {
    what: "each page links to itself as the next page",
    item: 15,
    traps: ["L7"],
    scripts,
    rules: (): FaultRule[] => [onPages(looped)],
  },
  "page-repeats-item": {
    what: "each page repeats the last item of the previous page",
    item: 15,
    traps: ["L7"],
    scripts,
    rules: (): FaultRule[] => [repeating()],
  },
  "empty-page": {
    what: "the first page is empty and links to the next",
    item: 15,
    traps: ["4.1"],
    scripts,
    behavior: { emptyFirstPage: true },
  },
  "item-without-facet": {
    what: "the first file has no facet: neither file nor folder",
    item: 15,
    traps: ["4.1"],
    scripts,
    rules: (): FaultRule[] => [firstFile(({ file: _, ...item }) => item)],
  },
  "package": {
    what: "the first file is a OneNote notebook",
    item: 15,
    traps: ["E7"],
    scripts,
    rules:
      (): FaultRule[] => [firstFile(({ file: _, ...item }) => ({ ...item, package: { type: "oneNote" } }))],
  },
  "remote-item": {
    what: "the first file is a shortcut to a folder of another drive",
    item: 15,
    traps: ["4.1"],
    scripts,
    rules: (): FaultRule[] => [firstFile(asShortcut)],
  },
  "token-expires-in-listing": {
    what: "all access tokens expire before the third page",
    item: 11,
    traps: ["9"],
    scripts,
    rules: () => [{ ...NEXT_PAGE, nth: 2, sideEffect: "tokens-expire" }],
  },
  "claims-challenge": {
    what: "a listing gets a claims challenge; refreshing the token with these claims resolves it",
    item: 12,
    traps: ["A10", "9.1"],
    scripts,
    rules: () => [{ ...GET_CHILDREN, sideEffect: "claims-required" }],
  },
  "claims-challenge-needs-person": {
    what: "a listing gets a claims challenge, and the refresh fails with interaction_required",
    item: 12,
    traps: ["A10", "9.1"],
    scripts,
    rules: () => [{ ...GET_CHILDREN, sideEffect: "interaction-required" }],
  },
} satisfies Record<string, KnownFault>;
