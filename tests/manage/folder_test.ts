/** New folders, and transfers of folders and streams. */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import {
  createFolder,
  createLink,
  downloadFolder,
  move,
  stat,
  uploadFile,
  uploadFolder,
  uploadStream,
} from "../../lib/mod.ts";
import type { GraphError } from "../../lib/errors.ts";
import { join } from "../../lib/std.ts";
import { connect } from "../../lib/connect.ts";
import { startTestEnv } from "../test_env.ts";
import { startManageEnv } from "./manage_env.ts";

Deno.test("createFolder() creates one folder, and with parents those above it", async () => {
  const cases: [location: string, parents: boolean, result: string][] = [
    ["General/New", false, "General/New"],
    ["General/Newer/", false, "General/Newer"],
    ["site:contoso.sharepoint.com/sites/TestTeam/Archive/2025", false, "2025"],
    ["General/A/B/C", true, "General/A/B/C"],
    ["General/A/B/C", false, "notFound folderNotFound"],
    ["General/minutes", false, "conflict nameAlreadyExists"],
    ["General/Minutes", true, "General/Minutes"],
    ["General/Agenda.md", true, "usage notAFolder"],
    ["General/Agenda.md", false, "conflict nameAlreadyExists"],
    ["General/*", true, "usage illegalName"],
    ["", true, ""],
    ["", false, "conflict nameAlreadyExists"],
    ["General/CON", false, "usage illegalName"],
    ["General/Agenda.md/New", true, "usage notAFolder"],
  ];
  await using env = await startManageEnv();
  for (const [location, parents, expected] of cases) {
    const result = await createFolder(env.connection, location, { parents })
      .then(({ path }) => path, (error: GraphError) => `${error.kind} ${error.code}`);

    assertEquals(result, expected, `${location} ${parents}`);
    if (location === "General/A/B/C" && parents) env.sandbox.tenant.remove("Documents", "General/A");
  }
});

Deno.test("createFolder() with parents waits for a service that does not see new folders yet", async () => {
  await using env = await startManageEnv();
  env.sandbox.tenant.behavior.missesOfNewFolders = 2;

  const { path } = await createFolder(env.connection, "General/A/B/C", { parents: true });

  assertEquals(path, "General/A/B/C");
  assert(env.sandbox.tenant.find("Documents", "General/A/B/C"));
});

Deno.test("uploadFolder() and downloadFolder() transfer a folder, and skip what is there already", async () => {
  await using env = await startManageEnv();
  const source = join(env.folder, "source");
  await Deno.mkdir(join(source, "below", "empty"), { recursive: true });
  await env.file("source/a.txt", "a");
  await env.file("source/below/b.txt", "b");

  const results = async (transfers: Promise<{ path: string; result: string }[]>) =>
    (await transfers).map(({ path, result }) => `${result} ${path}`).toSorted();
  const upload = () => results(uploadFolder(env.connection, source, "General/copy"));
  assertEquals(await upload(), ["created General/copy/a.txt", "created General/copy/below/b.txt"]);
  assertEquals(await upload(), ["unchanged General/copy/a.txt", "unchanged General/copy/below/b.txt"]);
  assert(env.sandbox.tenant.find("Documents", "General/copy/below/empty"));

  const target = join(env.folder, "target");
  const folder = await stat(env.connection, "General/copy");
  const download = () => results(downloadFolder(env.connection, folder, target));
  assertEquals(await download(), ["downloaded General/copy/a.txt", "downloaded General/copy/below/b.txt"]);
  assertEquals(await download(), ["unchanged General/copy/a.txt", "unchanged General/copy/below/b.txt"]);
  assertEquals(await Deno.readTextFile(join(target, "below", "b.txt")), "b");
});

Deno.test("uploadFolder() and downloadFolder() try all files, and fail with the first failure", async () => {
  await using env = await startManageEnv();
  const source = join(env.folder, "source");
  await Deno.mkdir(source);
  for (const name of ["a.txt", "b.txt", "c.txt"]) {
    await env.file(`source/${name}`, name);
    if (name === "b.txt") continue;
    env.sandbox.tenant.addFile("Documents", `General/copy/${name}`, "another");
    await Deno.mkdir(join(env.folder, "target", name), { recursive: true });
  }

  const uploaded = await uploadFolder(env.connection, source, "General/copy", { jobs: 1 })
    .then(() => undefined, (error: GraphError) => error);
  assertEquals([uploaded?.kind, uploaded?.code], ["conflict", "nameAlreadyExists"]);
  assertMatch(uploaded!.message, /a\.txt/);
  assertEquals(env.notices.length, 1);
  assertMatch(env.notices[0]!, /c\.txt/);
  assert(env.sandbox.tenant.find("Documents", "General/copy/b.txt"));

  const target = join(env.folder, "target");
  const downloaded = await downloadFolder(env.connection, "General/copy", target, { jobs: 1 })
    .then(() => undefined, (error: GraphError) => error);
  assert(downloaded);
  assertEquals(await Deno.readTextFile(join(target, "b.txt")), "b.txt");
});

Deno.test("uploadFolder() sends nothing if the service forbids a name", async () => {
  await using env = await startManageEnv();
  await Deno.mkdir(join(env.folder, "source"));
  await env.file("source/CON", "x");

  const error = await uploadFolder(env.connection, join(env.folder, "source"), "General/")
    .then(() => undefined, (error: GraphError) => error);

  assertEquals([error?.kind, error?.code, env.requests()], ["usage", "illegalName", []]);
});

Deno.test("uploads replace nothing by default, and results are locations", async () => {
  await using env = await startManageEnv();
  const path = await env.file("Agenda.md", "# Another agenda\n");
  const upload = (conflict?: "replace") =>
    uploadFile(env.connection, path, "General/", conflict ? { conflict } : {})
      .then(({ result }) => result, (error: GraphError) => `${error.kind} ${error.code}`);

  assertEquals(await upload(), "conflict nameAlreadyExists");
  assertEquals(await upload("replace"), "replaced");
  const input = new Blob(["from a stream"]).stream();
  const result = await uploadStream(env.connection, input, "General/Stream.txt");
  assertEquals([result.result, result.bytes], ["created", 13]);
  assertEquals((await stat(env.connection, result)).name, "Stream.txt");
  assertEquals((await move(env.connection, result, "General/Moved.txt")).path, "General/Moved.txt");
  const planned = await uploadFile(env.connection, path, "General/New.md", { dryRun: true });
  const error = await stat(env.connection, planned).then(() => undefined, (error: GraphError) => error);
  assertEquals([error?.kind, error?.message], ["usage", "General/New.md was not made"]);
});

Deno.test("a personal OneDrive has folders, moves and links for anybody", async () => {
  await using env = await startTestEnv({
    signIn: false,
    signInAudience: "AzureADandPersonalMicrosoftAccount",
  });
  env.sandbox.user.signIn("robin");
  const variables: Record<string, string> = {
    ...env.sandbox.env,
    GRAPH_TENANT_ID: "consumers",
    GRAPH_SITE: "",
  };
  const connection = await connect({
    access: "write",
    env: (name) => variables[name],
    showDeviceCode: () => {},
  });

  await createFolder(connection, "Pictures/2026");
  const moved = await move(connection, "Pictures/Holiday.png", "Pictures/2026");
  assertEquals(moved.path, "Pictures/2026/Holiday.png");
  const refused = await createLink(connection, moved).then(() => undefined, (error: GraphError) => error);
  assertEquals([refused?.kind, refused?.code], ["usage", "noOrganization"]);
  const link = await createLink(connection, moved, { scope: "anonymous" });
  assertEquals([link.type, link.scope], ["view", "anonymous"]);
});
