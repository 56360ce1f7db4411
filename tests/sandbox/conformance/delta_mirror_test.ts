/** A client that mirrors a drive by delta alone sees each change of it (PROTOCOL 4.2). */

import { assert, assertEquals } from "../../assert.ts";
import { type Sandbox, startSandbox } from "../mod.ts";
import { isWithin, type Item } from "../tenant/item.ts";
import { type Graph, graphOf, type Reply, tenantOf } from "./testing.ts";

/** What a mirror knows of an item. */
interface Entry {
  name: string;
  parent: string | undefined;
  size: number;
}

/** Local state that is changed only by what delta reports. */
class Mirror {
  readonly entries = new Map<string, Entry>();
  readonly #graph: Graph;
  #link: string;

  constructor(graph: Graph, start: string) {
    this.#graph = graph;
    this.#link = start;
  }

  async update(betweenPages: () => void): Promise<void> {
    for (;;) {
      const { status, json, text } = await this.#graph("GET", this.#link);
      assertEquals(status, 200, text);
      for (const item of json.value) this.#apply(item);
      this.#link = json["@odata.nextLink"] ?? json["@odata.deltaLink"];
      if (json["@odata.deltaLink"]) return;
      betweenPages();
    }
  }

  #apply({ id, name, deleted, parentReference, size }: Reply["json"]): void {
    const isPlaced = this.entries.size === 0 || this.entries.has(id) || this.entries.has(parentReference?.id);
    assert(deleted || isPlaced || parentReference?.id === undefined, `${name} comes before its folder`);
    if (deleted) this.entries.delete(id);
    else this.entries.set(id, { name, parent: parentReference?.id, size });
  }
}

/** Reproducible choices. */
function randomizer(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** One random change of the drive; `kept` is not deleted. */
function change(sandbox: Sandbox, random: (below: number) => number, kept: Item): void {
  const drive = tenantOf(sandbox).drive("Archive");
  const author = { user: tenantOf(sandbox).directory.users[0]! };
  const items = [...below(drive.root)];
  const folders = items.filter(({ kind }) => kind === "folder");
  const item = items[random(items.length)]!;
  const folder = folders[random(folders.length)]!;
  const name = `n${random(1_000_000)}`;
  try {
    switch (random(6)) {
      case 0:
        return void drive.createFolder(folder, name, { conflict: "fail", author });
      case 1:
      case 2:
        return void drive.placeFile(folder, name, tenantOf(sandbox).store.put(new Uint8Array(random(9))), {
          conflict: "replace",
          author,
        });
      case 3:
        return drive.update(item, { name }, author);
      case 4:
        return drive.update(item, { parent: folder }, author);
      case 5:
        return isWithin(kept, item) ? undefined : drive.remove(item);
    }
  } catch (error) {
    // Some choices are impossible: the root cannot go, nor a folder into itself.
    if ((error as Error).name !== "ServiceError") throw error;
  }
}

function* below(folder: Item): Generator<Item> {
  yield folder;
  for (const child of folder.children.values()) yield* below(child);
}

function compare(mirror: Mirror, folder: Item, what: string): void {
  const actual = [...below(folder)].map(({ id, name, parent, size }) =>
    [id, { name, parent: parent?.id, size }] as const
  );
  const known = [...mirror.entries].map(([id, { name, parent, size }]) =>
    [id, { name: id === folder.id ? folder.name : name, parent, size }] as const
  );
  const byId = (a: readonly [string, unknown], b: readonly [string, unknown]) => a[0] < b[0] ? -1 : 1;
  assertEquals(known.sort(byId), actual.sort(byId), what);
}

Deno.test("mirrors of a drive and of a folder in it equal them after random changes", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const random = randomizer(20_261_125);
  const drive = tenantOf(sandbox).drive("Archive");
  const folder = drive.item(sandbox.tenant.addFolder("Archive", "Tree/Branch").id)!.parent!;
  const some = (most: number) => {
    for (let n = random(most); n > 0; n--) change(sandbox, random, folder);
  };
  some(80);
  const whole = new Mirror(graph, `/drives/${drive.id}/root/delta?$top=7`);
  const part = new Mirror(graph, `/drives/${drive.id}/items/${folder.id}/delta?$top=5`);

  for (let round = 0; round < 60; round++) {
    for (const mirror of [whole, part]) await mirror.update(() => some(3));
    // Without changes in between, the mirrors are complete.
    for (const mirror of [whole, part]) await mirror.update(() => {});
    compare(whole, drive.root, `drive in round ${round}`);
    compare(part, folder, `folder in round ${round}`);
    some(20);
  }
  assert(whole.entries.size > 20 && part.entries.size > 5, `${whole.entries.size}, ${part.entries.size}`);
});
