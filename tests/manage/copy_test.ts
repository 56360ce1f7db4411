/** Copies on the server. */

import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { copy, stat } from "../../lib/mod.ts";
import type { GraphError } from "../../lib/errors.ts";
import { startManageEnv } from "./manage_env.ts";

Deno.test("copy() means what cp means, between drives and sites too", async () => {
  const cases: [source: string, target: string, options: Parameters<typeof copy>[3], result: string][] = [
    ["General/Agenda.md", "General/Minutes", {}, "Documents:General/Minutes/Agenda.md"],
    ["General/Agenda.md", "me:Documents/Plan.md", {}, "me:Documents/Plan.md"],
    ["General/Minutes", "site:contoso.sharepoint.com/sites/TestTeam-Leads", {}, "Leads:Minutes"],
    ["General/Agenda.md", "site:contoso.sharepoint.com/sites/Marketing", {}, "refused accessDenied"],
    ["General/Agenda.md", "", {}, "Documents:Agenda.md"],
    ["General/Agenda.md", "General/Logo.png", {}, "conflict nameAlreadyExists"],
    ["General/Agenda.md", "General/Logo.png", { conflict: "replace" }, "Documents:General/Logo.png"],
    ["General/Agenda.md", "General/Logo.png", { conflict: "rename" }, "Documents:General/Logo 1.png"],
    ["General/Agenda.md", "General", {}, "conflict nameAlreadyExists"],
    ["General/Missing.md", "General/Plan.md", {}, "notFound itemNotFound"],
    ["General/Agenda.md", "Nowhere/", {}, "notFound folderNotFound"],
    ["General", "General/Minutes", {}, "failed invalidRequest"],
  ];
  for (const [source, target, options, expected] of cases) {
    await using env = await startManageEnv();
    const { tenant } = env.sandbox;

    const result = await copy(env.connection, source, target, options)
      .then(({ id, driveId, path }) => {
        const [drive] = ["Documents", "me", "Leads"].filter((name) => tenant.drive(name).id === driveId);
        assertEquals(tenant.find(drive!, path)?.id, id);
        return `${drive}:${path}`;
      }, (error: GraphError) => `${error.kind} ${error.code}`);

    assertEquals(result, expected, `${source} to ${target}`);
    if (!expected.includes(":")) continue;
    const original = tenant.find("Documents", source)!;
    const [drive, path] = expected.split(":") as [string, string];
    assertEquals(tenant.find(drive, path)!.quickXorHash, original.quickXorHash);
    assertEquals(tenant.find(drive, path)!.size, original.size);
  }
});

Deno.test("copy() follows the monitor without a token, and through a busy service", async () => {
  await using env = await startManageEnv();
  env.sandbox.addFault({ service: "storage", path: "/monitor/", times: 2, status: 503 });

  await copy(env.connection, "General/Agenda.md", "me:Documents/");

  const monitored = env.sandbox.requests.filter(({ path }) => path.includes("/monitor/"));
  assertEquals(monitored.map(({ status }) => status), [503, 503, 202, 200]);
  assert(monitored.every(({ headers }) => headers.authorization === undefined));
});

Deno.test("copy() does not follow a monitor that redirects to the copy (PROTOCOL 14c)", async () => {
  await using env = await startManageEnv();
  const { storageOrigin, tenant } = env.sandbox;
  const found = () => tenant.find("me", "Documents/Agenda.md")!;
  const location = () => `${storageOrigin}/_api/v2.0/drives/x/items/${found().id}?tempauth=x`;
  const headers = () => ({ location: location() });
  env.sandbox.addFault({ service: "storage", path: "/monitor/", status: 303, headers, body: "" });

  const copied = await copy(env.connection, "General/Agenda.md", "me:Documents/");

  assertEquals([copied.id, copied.path], [found().id, "Documents/Agenda.md"]);
  assertEquals(env.requests().filter((request) => request.includes("/drives/x/")), []);
});

Deno.test("copy() fails when the drive is full, the monitor is elsewhere, or nothing can be understood", async () => {
  const cases: [name: string, arrange: Record<string, unknown> | number, expected: string, text: string][] = [
    ["full", 0, "noSpace quotaLimitReached", "the drive is full"],
    [
      "failed without a reason",
      { service: "storage", path: "/monitor/", status: 200, body: '{"status":"failed"}' },
      "failed invalidAnswer",
      "copy of General/Agenda.md",
    ],
    [
      "an unexpected response",
      { service: "storage", path: "/monitor/", status: 200, body: "{}" },
      "failed invalidAnswer",
      "copy of General/Agenda.md",
    ],
    [
      "another host",
      { service: "graph", path: "/copy", status: 202, headers: { location: "https://example.com/m" } },
      "refused foreignStorage",
      "example.com",
    ],
    ["no monitor", { service: "graph", path: "/copy", status: 202 }, "failed invalidAnswer", "copy of"],
  ];
  for (const [name, arrange, expected, text] of cases) {
    await using env = await startManageEnv();
    if (typeof arrange === "number") env.sandbox.tenant.drive("me").quotaBytes = arrange;
    else env.sandbox.addFault(arrange as never);

    const error = await copy(env.connection, "General/Agenda.md", "me:Documents/")
      .then(() => undefined, (error: GraphError) => error);

    assertEquals(`${error?.kind} ${error?.code}`, expected, name);
    assertStringIncludes(error!.message, text);
  }
});

Deno.test("copy() gives up on a copy that makes no progress", async () => {
  await using env = await startManageEnv();
  env.sandbox.addFault({
    service: "storage",
    path: "/monitor/",
    times: "always",
    status: 202,
    body: '{"status":"inProgress","percentageComplete":5}',
  });

  const error = await copy(env.connection, "General/Agenda.md", "me:Documents/")
    .then(() => undefined, (error: GraphError) => error);

  assertEquals([error?.kind, error?.exitCode], ["unavailable", 8]);
});

Deno.test("copy() returns an item that can be used at once", async () => {
  await using env = await startManageEnv();

  const copied = await copy(env.connection, await stat(env.connection, "General/Agenda.md"), "me:Documents/");

  assertEquals((await stat(env.connection, copied)).eTag, copied.eTag);
});
