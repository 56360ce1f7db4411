/** The steps that each client goes through, and how they are checked on the side of the service. */

import { assert, assertEquals } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { pseudoRandomBytes } from "../test_env.ts";
import type { Actions, Client, Workplace } from "./client.ts";

/** A client at work. */
export interface Rehearsal {
  readonly client: Client;
  readonly actions: Actions;
  readonly workplace: Workplace;
}

type Step = (rehearsal: Rehearsal) => Promise<void>;

/** The folder in the drive in which all steps take place. */
const FOLDER = "Rehearsal";
const MEBIBYTE = 1024 * 1024;

/** Whether a client can do a step at all. */
export function isPossible(name: StepName, { client, actions }: Rehearsal): boolean {
  switch (name) {
    case "list":
      return actions.list !== undefined;
    case "200 files":
      return actions.uploadFolder !== undefined;
    case "resume":
      return client.resumes;
    case "move":
      return actions.move !== undefined;
    case "delete":
      return actions.remove !== undefined;
    case "delta sync":
      return actions.changes !== undefined;
    default:
      return true;
  }
}

/** The steps in order. */
export const STEPS = {
  "sign-in": ({ client, actions, workplace: { sandbox } }) => {
    sandbox.tenant.addFile(client.drive, `${FOLDER}/Räksmörgås & 100%.txt`, "of another user");
    return actions.signIn();
  },
  "list": async ({ actions }) => {
    const names = await actions.list!(FOLDER);
    assertEquals(names, ["Räksmörgås & 100%.txt"]);
  },
  "up": async (rehearsal) => {
    for (const size of [0, 1, 5000, 5 * MEBIBYTE]) await upload(rehearsal, `up-${size}.bin`, size);
  },
  "down": async ({ actions, client, workplace: { sandbox, folder } }) => {
    const expected = pseudoRandomBytes(3 * MEBIBYTE, 7);
    sandbox.tenant.addFile(client.drive, `${FOLDER}/down ä.bin`, expected);
    const local = join(folder, "down.bin");
    await actions.download(`${FOLDER}/down ä.bin`, local);
    assertSame(await Deno.readFile(local), expected);
  },
  "200 files": async ({ actions, client, workplace: { sandbox, folder } }) => {
    const local = join(folder, "many");
    await Deno.mkdir(local);
    const names = Array.from({ length: 200 }, (_, index) => `file ${index}.txt`);
    for (const name of names) await Deno.writeTextFile(join(local, name), `content of ${name}`);
    await actions.uploadFolder!(local, `${FOLDER}/many`);
    assertEquals(sandbox.tenant.find(client.drive, `${FOLDER}/many`)?.children?.length, 200);
    const last = await sandbox.tenant.bytes(client.drive, `${FOLDER}/many/file 199.txt`);
    assertEquals(new TextDecoder().decode(last), "content of file 199.txt");
  },
  "overwrite": async (rehearsal) => {
    for (const size of [6000, 5 * MEBIBYTE + 1]) await upload(rehearsal, "up-5000.bin", size);
  },
  "resume": async (rehearsal) => {
    const { sandbox } = rehearsal.workplace;
    const before = sandbox.requests.length;
    sandbox.addFault({ service: "storage", method: "PUT", nth: 2, status: 503, body: "" });
    await upload(rehearsal, "resumed.bin", 25 * MEBIBYTE).catch(() => upload(rehearsal, "resumed.bin"));
    sandbox.clearFaults();
    const starts = sandbox.requests.slice(before).map(({ headers }) => headers["content-range"])
      .filter((range) => range?.startsWith("bytes 0-"));
    assertEquals(starts.length, 1, "it sends the first fragment once");
  },
  "move": async ({ actions, client, workplace: { sandbox } }) => {
    const expected = await sandbox.tenant.bytes(client.drive, `${FOLDER}/up-1.bin`);
    sandbox.tenant.addFolder(client.drive, `${FOLDER}/moved`);
    await actions.move!(`${FOLDER}/up-1.bin`, `${FOLDER}/moved/new name.bin`);
    assertEquals(sandbox.tenant.find(client.drive, `${FOLDER}/up-1.bin`), undefined);
    assertSame(await sandbox.tenant.bytes(client.drive, `${FOLDER}/moved/new name.bin`), expected);
  },
  "delete": async ({ actions, client, workplace: { sandbox } }) => {
    await actions.remove!(`${FOLDER}/up-0.bin`);
    assertEquals(sandbox.tenant.find(client.drive, `${FOLDER}/up-0.bin`), undefined);
  },
  "delta sync": async ({ actions, client, workplace: { sandbox } }) => {
    await actions.changes!();
    sandbox.tenant.addFile(client.drive, `${FOLDER}/appeared.txt`, "new");
    sandbox.tenant.remove(client.drive, `${FOLDER}/down ä.bin`);
    const names = (await actions.changes!()).filter((name) => /^(appeared|down)/.test(name)).toSorted();
    assertEquals(names, ["appeared.txt", "down ä.bin"]);
  },
} as const satisfies Record<string, Step>;

/** The name of a step. */
export type StepName = keyof typeof STEPS;

/** In order. */
export const STEP_NAMES = Object.keys(STEPS) as StepName[];

/** Uploads a file, or once more the one that is there, and compares what is stored. */
async function upload({ actions, client, workplace }: Rehearsal, name: string, size?: number): Promise<void> {
  const { sandbox, folder } = workplace;
  const local = join(folder, name);
  if (size !== undefined) await Deno.writeFile(local, pseudoRandomBytes(size, size));
  await actions.upload(local, `${FOLDER}/${name}`);
  assert(sandbox.tenant.find(client.drive, `${FOLDER}/${name}`), `${name} is there`);
  assertSame(await sandbox.tenant.bytes(client.drive, `${FOLDER}/${name}`), await Deno.readFile(local));
}

/** Compares without printing megabytes. */
function assertSame(actual: Uint8Array, expected: Uint8Array): void {
  assertEquals(actual.length, expected.length, "size in bytes");
  assert(actual.every((byte, index) => byte === expected[index]), "the content is the same");
}
