/** Which responses are accepted, and how often others are requested again; without a network. */

import { assert, assertEquals, assertRejects } from "../assert.ts";
import { GraphError } from "../../lib/errors.ts";
import { isDriveItem, isExpectedItem, itemKey, sameItemId } from "../../lib/drive/drive_item.ts";
import { Drives } from "../../lib/drive/drives.ts";
import { GraphClient } from "../../lib/graph/client.ts";
import { HttpClient } from "../../lib/http/client.ts";
import { getItem, listItems } from "../../lib/drive/items.ts";
import { getMe } from "../../lib/drive/me.ts";

const DRIVE = { id: `b!${"x".repeat(64)}`, name: "Documents", driveType: "documentLibrary" };
const ROOT = { id: "01ROOT", name: "root", root: {}, folder: {} };

/** A client whose responses come from `respond`; waits take no time. */
function service(respond: (path: string) => unknown) {
  const asked: string[] = [];
  const http = new HttpClient({
    fetch: (url) => {
      const { pathname, search } = new URL(String(url));
      asked.push(pathname + search);
      return Promise.resolve(Response.json(respond(pathname + search)));
    },
    sleep: () => Promise.resolve(),
  });
  const graph = new GraphClient(http, "https://graph.example", { token: () => Promise.resolve("t") });
  const drives = new Drives({
    graph,
    settings: { site: undefined, siteHost: "h.example", drive: undefined },
  });
  return { asked, graph, drives, context: { graph, drives, settings: { siteHost: "h.example" } } };
}

async function invalid(work: () => Promise<unknown>): Promise<void> {
  const error = await assertRejects(work);
  assert(error instanceof GraphError, String(error));
  assertEquals([error.kind, error.code], ["failed", "invalidAnswer"]);
}

Deno.test("listings fail on a page that is not a list, and on drives and sites without an id", async () => {
  for (
    const odd of [{}, null, 5, [], { value: null }, { value: {} }, ROOT]
  ) {
    const { context, drives, asked } = service((path) => {
      if (path.endsWith("/me/drive")) return DRIVE;
      return path.endsWith("/root") ? ROOT : odd;
    });
    await invalid(() => drives.all());
    await invalid(() => Array.fromAsync(drives.searchSites("x")));
    await invalid(() => Array.fromAsync(listItems(context, "")));
    assertEquals(asked.filter((path) => path.includes("/children")).length, 6);
  }
  for (const entry of [null, 5, {}, { id: 5 }]) {
    const { context, drives } = service((path) => {
      if (path.endsWith("/me/drive")) return DRIVE;
      return path.endsWith("/root") ? ROOT : { value: [entry] };
    });
    await invalid(() => Array.fromAsync(listItems(context, "")));
    await invalid(() => drives.all());
    await invalid(() => Array.fromAsync(drives.searchSites("x")));
  }
});

Deno.test("responses with invalid drives, sites, users and items fail with invalidAnswer", async () => {
  for (const odd of [null, 5, "text", [], {}, { id: 5 }, { id: "" }]) {
    const { drives, graph, context } = service(() => odd);
    await invalid(() => drives.own());
    await invalid(() => drives.findSite({ host: "h.example", path: "sites/x" }));
    await invalid(() => getMe({ graph, settings: {} } as unknown as Parameters<typeof getMe>[0]));
    const known = service((path) => path.endsWith("/me/drive") ? DRIVE : odd);
    await invalid(() => getItem(known.context, "a.txt"));
    await invalid(() => getItem(context, "a.txt"));
  }
});

Deno.test("getItem() requests an item again that has another id or drive", async () => {
  const right = {
    id: "01A",
    name: "a.txt",
    file: {},
    parentReference: { driveId: DRIVE.id, path: "/root:" },
  };
  for (const wrong of [{ ...right, parentReference: { driveId: "b!other" } }, { ...right, id: "01B" }]) {
    let requests = 0;
    const { context } = service((path) =>
      path.includes("/items/") ? (++requests < 3 ? wrong : right) : DRIVE
    );
    const { item } = await getItem(context, `id:${DRIVE.id}/01A`);
    assertEquals([item.id, item.driveId, requests], ["01A", DRIVE.id, 3]);
  }
});

Deno.test("sameItemId() ignores case and leading zeros in personal drives only", () => {
  const same = [
    ["9a0b1c2d3e4f506!s1A", "09A0B1C2D3E4F506!S1a"],
    ["9A0B1C2D3E4F506!123", "09a0b1c2d3e4f506!123"],
    ["01ABC", "01ABC"],
    ["9A0B1C2D3E4F506!123", `9A0B1C2D3E4F506!s${"1a".repeat(16)}`],
  ] as const;
  for (const [a, b] of same) assert(sameItemId(a, b), a);
  for (
    const [a, b] of [["01ABC", "01abc"], ["A!1", "0A!1"], [
      "9a0b1c2d3e4f506!1",
      "9a0b1c2d3e4f506!01",
    ]] as const
  ) {
    assert(!sameItemId(a, b), a);
  }
  const item = { id: "9A0B1C2D3E4F506!123", name: "a", parentReference: { driveId: "09a0b1c2d3e4f506" } };
  assert(isExpectedItem(item, { driveId: "9A0B1C2D3E4F506", id: "09a0b1c2d3e4f506!123", name: "A" }));
  assert(!isExpectedItem(item, { driveId: "9A0B1C2D3E4F507", id: item.id }));
  assert(!isExpectedItem(item, { driveId: "9A0B1C2D3E4F506", name: "b" }));
  const inFolder = { id: "01A", name: "a", parentReference: { id: "01B" } };
  assert(isExpectedItem(inFolder, { driveId: "b!x", folderId: "01B" }));
  assert(!isExpectedItem(inFolder, { driveId: "b!x", folderId: "01C" }));
});

Deno.test("itemKey() distinguishes roots of two libraries with the same id", () => {
  assert(itemKey({ driveId: "b!one", id: "01ROOT" }) !== itemKey({ driveId: "b!two", id: "01ROOT" }));
});

Deno.test("isDriveItem() accepts items at the limits of the service", () => {
  for (
    const item of [
      { id: "x", name: "a".repeat(400), size: 250 * 1024 ** 3, file: { hashes: {} } },
      { id: "x", name: "Library", size: 25 * 1024 ** 4, folder: {} },
      { id: "x", root: {}, size: 25 * 1024 ** 4, parentReference: { driveId: "b!x" } },
      { id: "x", name: "n", package: { type: "oneNote" }, file: null, eTag: null },
      { id: "x", name: "link", remoteItem: { id: "y", parentReference: { driveId: "b!y" } } },
      { id: "x", name: "👩‍🚀.txt", file: { hashes: { quickXorHash: null } }, fileSystemInfo: null },
    ]
  ) assert(isDriveItem(item), JSON.stringify(item));
  assert(!isDriveItem({ id: "x", name: "f", size: -1, file: {} }));
});

Deno.test("a connection looks a drive up again after a failure, and only then", async () => {
  let isBroken = true;
  const { drives, asked } = service(() => isBroken ? {} : DRIVE);
  await invalid(() => drives.own());
  isBroken = false;
  const requests = asked.length;

  await drives.own();
  await drives.own();

  assertEquals(asked.length, requests + 1);
});
