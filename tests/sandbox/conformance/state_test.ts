/** What a sandbox keeps between runs. */

import { assert, assertEquals, assertMatch, assertRejects } from "../../assert.ts";
import { join } from "node:path";
import { denoRun, freePort, ROOT, runProcess } from "../../test_env.ts";
import { startSandbox } from "../mod.ts";
import { createSession, graphOf, patternBytes, send, sendFragment } from "./testing.ts";
import { runAtHome } from "./testing_command.ts";

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const ROOT_OF_ME = "/me/drive/root";

Deno.test("a kept state has files, versions, ids, tags, links and tokens of the earlier run", async () => {
  await withFolder(async (folder) => {
    const options = { state: join(folder, "state"), home: join(folder, "home") };
    const path = `${ROOT_OF_ME}:/Documents/New`;
    let before, token, link;
    {
      await using sandbox = await startSandbox(options);
      token = sandbox.issueToken({ lifeSeconds: 1000 });
      const graph = graphOf(sandbox);
      for (const text of ["one", "two!"]) await graph("PUT", `${path}/a.txt:/content`, text);
      await graph("PATCH", `${path}/a.txt`, {
        description: "d",
        fileSystemInfo: { lastModifiedDateTime: "2020-02-03T04:05:06Z" },
      });
      await graph("PATCH", `${ROOT_OF_ME}:/Documents/Letter.docx`, { name: "Brief.docx" });
      await graph("DELETE", `${ROOT_OF_ME}:/Documents/Empty.txt`);
      link = (await graph("POST", `${path}/a.txt:/createLink`, { type: "view" })).json.link.webUrl;
      before = (await graph("GET", `${path}/a.txt`)).json;
    }
    {
      await using sandbox = await startSandbox(options);
      const graph = graphOf(sandbox);
      const { "@microsoft.graph.downloadUrl": url, "@odata.context": _, ...after } =
        (await graph("GET", `${path}/a.txt`)).json;
      const { "@microsoft.graph.downloadUrl": __, "@odata.context": ___, ...expected } = before;
      assertEquals(after, expected);
      assertEquals((await send(url)).text, "two!");
      const versions = (await graph("GET", `/me/drive/items/${after.id}/versions`)).json.value;
      assertEquals(versions.map(({ size }: { size: number }) => size), [4, 4, 3]);
      const names = (await graph("GET", `${ROOT_OF_ME}:/Documents:/children?$select=name`)).json.value
        .map(({ name }: { name: string }) => name);
      assertEquals(
        [names.includes("Brief.docx"), names.includes("Letter.docx"), names.includes("Empty.txt")],
        [true, false, false],
      );
      const children = (await graph("GET", `${ROOT_OF_ME}/children`)).json.value;
      const [shortcut] = children.filter((item: object) => "remoteItem" in item);
      assertEquals(shortcut.remoteItem.name, "Campaign 2026");
      const again = await graph("POST", `${path}/a.txt:/createLink`, { type: "view" });
      assertEquals([again.status, again.json.link.webUrl], [200, link]);
      const me = await send(`${sandbox.apiOrigin}/v1.0/me`, {
        headers: { authorization: `Bearer ${token}` },
      });
      assertEquals(me.status, 200);
      await graph("PUT", `${path}/b.txt:/content`, "three");
      assertEquals((await sandbox.tenant.bytes("me", "Documents/New/a.txt")).length, 4);
    }
  });
});

Deno.test("a kept state has no contents that no version needs", async () => {
  await withFolder(async (folder) => {
    const options = { state: join(folder, "state"), home: join(folder, "home") };
    const contents = () => [...Deno.readDirSync(join(options.state, "content"))].map(({ name }) => name);
    {
      await using sandbox = await startSandbox(options);
      const graph = graphOf(sandbox);
      await graph("PUT", `${ROOT_OF_ME}:/a.txt:/content`, "a");
      await graph("PUT", `${ROOT_OF_ME}:/b.txt:/content`, "b");
      await graph("DELETE", `${ROOT_OF_ME}:/a.txt`);
      const session = await createSession(graph, `${ROOT_OF_ME}:/part.bin`);
      assertEquals((await sendFragment(session, patternBytes(2000), 0, 1000)).status, 202);
    }
    assertEquals(contents().length, 2, "the seed and one file");
    await Deno.writeTextFile(join(options.state, "content", "77.bytes"), "of a run that was killed");
    {
      await using sandbox = await startSandbox(options);
      assertEquals(contents().length, 2);
      assertEquals(sandbox.tenant.find("me", "b.txt")?.size, 1);
    }
  });
});

Deno.test("a kept state is of one tenant, and a damaged one is refused", async () => {
  await withFolder(async (folder) => {
    const options = { state: join(folder, "state"), home: join(folder, "home") };
    await (await startSandbox(options)).close();
    const tenant = { people: { ada: { name: "Ada One" } } };
    const other = await assertRejects(() => startSandbox({ ...options, tenant }));
    assertMatch(String(other), /is of a tenant with other people, sites or teams/);
    await Deno.remove(options.home, { recursive: true });
    await assertRejects(() => startSandbox({ ...options, tenant }));
    await assertRejects(() => Deno.stat(options.home)); // it was not made
    await Deno.writeTextFile(join(options.state, "state.json"), "{");
    assertMatch(String(await assertRejects(() => startSandbox(options))), /is not the state of a sandbox/);
  });
});

Deno.test("sandbox command --state keeps the sign-in and the files, also after a kill", async () => {
  await withFolder(async (folder) => {
    const file = join(folder, "new.txt");
    await Deno.writeTextFile(file, "new");
    const args = ["--approve", "--state", join(folder, "state")];
    const script = (env: Record<string, string>, name: string, ...args: string[]) =>
      runProcess([...denoRun("-A", join(ROOT, "scripts", `${name}.ts`)), ...args], { env });
    const port = String(freePort());
    await runAtHome(folder, [...args, "--port", port], "SIGKILL", async (env) => {
      assertEquals((await script(env, "put", "--prompt", file, "General/")).code, 0);
      await new Promise((resolve) => setTimeout(resolve, 1_000)); // until it is saved
    });
    await runAtHome(folder, [...args, "--port", port], "SIGTERM", async (env) => {
      const { code, stdout, stderr } = await script(env, "ls", "--no-prompt", "General");
      assertEquals(code, 0, stderr);
      assert(stdout.split("\n").includes("new.txt"), stdout);
    });
  });
});
