/** Other projects use the sandbox as a package: from JSR, from a URL and from a path, without packages of its own. */

import { assertEquals, assertMatch } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { CONFIG, ROOT, runProcess } from "../test_env.ts";

const FOLDER = join(ROOT, "tests", "sandbox");
const manifest = JSON.parse(await Deno.readTextFile(join(FOLDER, "deno.json")));
const { version, exports } = manifest;

/** A test of another project. */
const FOREIGN_TEST = `import { startSandbox } from "graph-sandbox";

Deno.test("my client finds the user", async () => {
  await using sandbox = await startSandbox();
  const headers = { authorization: \`Bearer \${sandbox.issueToken()}\` };
  const response = await fetch(\`\${sandbox.apiOrigin}/v1.0/me\`, { headers });
  const { displayName } = await response.json();
  if (displayName !== "Adele Vance") throw new Error(displayName);
});
`;

/** Runs, in another project, the test with the sandbox from \`specifier\`, with an empty cache and no JSR but this one. */
async function testElsewhere(
  specifier: string,
  jsrUrl = "http://127.0.0.1:9",
): Promise<{ code: number; stdout: string; stderr: string }> {
  const folder = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
  try {
    await Deno.writeTextFile(
      join(folder, "deno.json"),
      JSON.stringify({ imports: { "graph-sandbox": specifier } }),
    );
    await Deno.writeTextFile(join(folder, "client_test.ts"), FOREIGN_TEST);
    return await runProcess([Deno.execPath(), "test", "-q", "-A"], {
      cwd: folder,
      env: { JSR_URL: jsrUrl, DENO_DIR: join(folder, "cache"), NPM_CONFIG_REGISTRY: "http://127.0.0.1:9" },
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The files that \`deno publish\` would send, relative to the folder of the package. */
async function publishedFiles(): Promise<string[]> {
  const { code, stderr } = await runProcess([Deno.execPath(), "publish", "--dry-run", "--allow-dirty"], {
    cwd: FOLDER,
  });
  assertEquals(code, 0, stderr);
  return [...stderr.matchAll(/^ +file:\S+?\/tests\/sandbox\/(\S+) \(.*\)$/gm)].map(([, name]) => name!);
}

/** A loopback JSR with the published files, and the files by their paths. */
async function serve(): Promise<Deno.HttpServer<Deno.NetAddr>> {
  const files: Record<string, { size: number; checksum: string }> = {};
  for (const name of await publishedFiles()) {
    const bytes = await Deno.readFile(join(FOLDER, name));
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    files[`/${name}`] = { size: bytes.length, checksum: `sha256-${digest.toHex()}` };
  }
  const base = "/@graph-scripts/sandbox/";
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async ({ url }) => {
    const { pathname } = new URL(url);
    if (pathname === `${base}meta.json`) {
      return Response.json({
        scope: "graph-scripts",
        name: "sandbox",
        latest: version,
        versions: { [version]: {} },
      });
    }
    if (pathname === `${base}${version}_meta.json`) return Response.json({ manifest: files, exports });
    const name = pathname.replace(`${base}${version}`, "");
    if (!(name in files)) return new Response(null, { status: 404 });
    const text = await Deno.readTextFile(join(FOLDER, name));
    return new Response(text, { headers: { "content-type": "application/typescript" } });
  });
}

// Editors read only the nearest configuration.
Deno.test("the sandbox's manifest has the version and the style of the root", async () => {
  const root = JSON.parse(await Deno.readTextFile(CONFIG));
  for (const key of ["version", "license", "compilerOptions", "lint"]) assertEquals(manifest[key], root[key]);
  assertEquals(manifest.fmt.lineWidth, root.fmt.lineWidth);
});

Deno.test("the sandbox's package has no tests", async () => {
  const files = await publishedFiles();
  assertEquals(files.filter((name) => /test|README/.test(name)), ["README.md", "login/test_user.ts"]);
});

Deno.test("another project tests its client with the sandbox from JSR, a URL or a path, without other packages", async () => {
  await using server = await serve();
  const origin = `http://127.0.0.1:${server.addr.port}`;
  const fromJsr = await testElsewhere(`jsr:@graph-scripts/sandbox@${version}`, origin);
  assertEquals(fromJsr.code, 0, fromJsr.stderr + fromJsr.stdout);
  for (const specifier of [`${origin}/mod.ts`, join(FOLDER, "mod.ts")]) {
    const { code, stdout, stderr } = await testElsewhere(specifier);
    assertEquals(code, 0, stderr + stdout);
    assertMatch(stdout, /my client finds the user .*ok/);
  }
  const command = [Deno.execPath(), "run", "-q", "-A", `${origin}/main.ts`, "--help"];
  assertMatch((await runProcess(command, {})).stdout, /^Usage: /);
});
