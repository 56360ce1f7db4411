/** Listings with everything below: order, concurrency and what is requested in advance; without a network. */

import { assert, assertEquals, assertRejects } from "../assert.ts";
import { Drives } from "../../lib/drive/drives.ts";
import { listItems } from "../../lib/drive/listing.ts";
import { GraphClient } from "../../lib/graph/client.ts";
import { HttpClient } from "../../lib/http/client.ts";

const DRIVE = { id: `b!${"x".repeat(64)}`, name: "Documents", driveType: "documentLibrary" };
const PAGE = 2;

/** Folders by path, with the names in each; a slash marks a folder. */
type Tree = Readonly<Record<string, readonly string[]>>;

/** A service that lists this tree in pages of two, each response after `delay` milliseconds. */
function serviceOf(tree: Tree, delay: () => number = () => 0) {
  const asked: string[] = [];
  let running = 0;
  let maxRunning = 0;
  const respond = (url: URL) => {
    if (url.pathname.endsWith("/me/drive")) return DRIVE;
    if (/\/drives\/[^/]+\/root\/children$/.test(url.pathname)) return { value: [] }; // so that it is listed by id
    const [, id] = /\/items\/([^/]+)\/children$/.exec(url.pathname) ?? [];
    if (id === undefined) return { id: "root", name: "root", root: {}, folder: {} };
    const folder = id === "root" ? "" : decodeURIComponent(id);
    const start = Number(url.searchParams.get("$skiptoken") ?? 0);
    asked.push(start === 0 ? folder : `${folder} ${start}`);
    const names = tree[folder];
    if (!names) return {}; // not a list
    const next = new URL(url);
    next.searchParams.set("$skiptoken", String(start + PAGE));
    return {
      value: names.slice(start, start + PAGE).map((name) => ({
        id: folder + name,
        name: name.replace("/", ""),
        ...(name.endsWith("/") ? { folder: {} } : { file: {} }),
      })),
      ...(start + PAGE < names.length ? { "@odata.nextLink": next.href } : {}),
    };
  };
  const http = new HttpClient({
    fetch: async (input) => {
      maxRunning = Math.max(maxRunning, ++running);
      await new Promise((resolve) => setTimeout(resolve, delay()));
      running--;
      return Response.json(respond(new URL(String(input))));
    },
    sleep: () => Promise.resolve(),
  });
  const graph = new GraphClient(http, "https://graph.example", { token: () => Promise.resolve("t") });
  const drives = new Drives({ graph, settings: { site: undefined, siteHost: undefined, drive: undefined } });
  const list = listItems({ graph, drives, settings: { siteHost: undefined } }, "", { recursive: true });
  return { asked, list, maxRunning: () => maxRunning };
}

async function pathsOf(list: ReturnType<typeof serviceOf>["list"]): Promise<string[]> {
  return await Array.fromAsync(list, ({ path, type }) => type === "folder" ? `${path}/` : path);
}

/** A tree with this many folders in each folder, and one file. */
function branching(folders: number, depth: number, path = ""): Tree {
  if (depth === 0) return { [path]: ["f"] };
  const names = Array.from({ length: folders }, (_, index) => `${index}/`);
  return Object.assign(
    { [path]: [...names, "f"] },
    ...names.map((name) => branching(folders, depth - 1, path + name)),
  );
}

Deno.test("listItems() lists each folder after the one it is in, subfolders of later pages as well", async () => {
  const tree = {
    "": ["a", "b", "c/", "d", "e/"],
    "c/": ["1/", "2", "3/"],
    "c/1/": ["x"],
    "c/3/": [],
    "e/": ["y"],
  };
  assertEquals(await pathsOf(serviceOf(tree).list), [
    ...["a", "b", "c/", "d", "e/"],
    ...["c/1/", "c/2", "c/3/"],
    "c/1/x",
    "e/y",
  ]);
});

Deno.test("listItems() keeps its order whichever response comes first, with at most eight requests at once", async () => {
  const tree = branching(3, 4);
  const expected = await pathsOf(serviceOf(tree).list);
  assertEquals(expected.length, 3 + 9 + 27 + 81 + 121);

  for (let round = 0; round < 3; round++) {
    const { list, asked, maxRunning } = serviceOf(tree, () => Math.random() * 4);
    assertEquals(await pathsOf(list), expected);
    assertEquals(maxRunning(), 8);
    assertEquals(asked.length, new Set(asked).size, "a page was requested twice");
  }
});

Deno.test("listItems() requests deep folders in advance, not only siblings", async () => {
  const chains = Array.from({ length: 8 }, (_, index) => `${index}/`);
  const tree: Record<string, string[]> = { "": chains };
  for (const chain of chains) {
    for (let depth = 0; depth < 6; depth++) tree[chain + "n/".repeat(depth)] = depth < 5 ? ["n/"] : [];
  }
  const { list } = serviceOf(tree, () => 20);
  const started = performance.now();
  await pathsOf(list);
  const requests = 48 + 6; // one after another they take over a second
  assert(performance.now() - started < requests * 20 / 2, "folders were listed one after another");
});

Deno.test("listItems() yields a page before the next one is requested, and requests nothing after its end", async () => {
  const wide = Array.from({ length: 100 }, (_, index) => `${index}/`);
  const tree = { "": wide, ...Object.fromEntries(wide.map((name) => [name, ["f"]])) };
  const { list, asked } = serviceOf(tree);

  const first = await list.next();
  assertEquals(first.value?.path, "0");
  assert(!asked.includes(" 2"), "the second page was requested before it was needed");
  await list.return(undefined);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert(asked.length <= 3, asked.join());
});

Deno.test("listItems() holds few pages in advance while its consumer is slow", async () => {
  const { list, asked } = serviceOf(branching(5, 4));
  await list.next();
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert(asked.length <= 1 + 32, `${asked.length} requests`);
  await list.return(undefined);
});

Deno.test("listItems() throws the failure of a folder when its turn comes", async () => {
  const { list } = serviceOf({ "": ["a/", "b/"], "a/": ["x"] }); // b is not there
  const seen: string[] = [];
  await assertRejects(async () => {
    for await (const { path } of list) seen.push(path);
  });
  assertEquals(seen, ["a", "b", "a/x"]);
});
