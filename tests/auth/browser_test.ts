import { assert, assertEquals, assertMatch, assertRejects } from "../assert.ts";
import { connect } from "../../lib/connect.ts";
import { GraphError } from "../../lib/errors.ts";
import { startTestEnv } from "../test_env.ts";
import { browse } from "../sandbox/conformance/testing_msal.ts";

/** Starts a browser sign-in and returns the URL that it shows. */
async function addressShown(child: Deno.ChildProcess): Promise<{ address: string; rest: Promise<string> }> {
  const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!/\nhttp\S+\n/.test(text)) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`no address: ${text}`);
    text += value;
  }
  const rest = (async () => {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return text;
      text += value;
    }
  })();
  return { address: /\n(http\S+)\n/.exec(text)![1]!, rest };
}

Deno.test("whoami --sign-in browser signs in once and keeps the account", async () => {
  await using env = await startTestEnv({ signIn: false });
  const child = env.spawn("whoami", "--sign-in", "browser", "--prompt");
  const { address, rest } = await addressShown(child);
  const url = new URL(address);
  assertEquals(url.searchParams.get("code_challenge_method"), "S256");
  assertMatch(url.searchParams.get("redirect_uri")!, /^http:\/\/localhost:\d+/);
  await browse(address);
  const [status, out, err] = await Promise.all([child.status, new Response(child.stdout).text(), rest]);
  assertEquals(status.code, 0, err);
  assertMatch(out, /^Adele Vance </);
  const again = await env.run("whoami", "--no-prompt");
  assertEquals([again.code, again.stderr], [0, ""]);
});

Deno.test("whoami --sign-in browser reports a blocked or interrupted sign-in and stores nothing", async () => {
  await using env = await startTestEnv({ signIn: false });
  env.sandbox.user.stopAt(53003);
  const blocked = env.spawn("whoami", "--sign-in", "browser", "--prompt");
  const first = await addressShown(blocked);
  await browse(first.address);
  const [status, , err] = await Promise.all([
    blocked.status,
    new Response(blocked.stdout).text(),
    first.rest,
  ]);
  assertEquals(status.code, 5, err);
  assertMatch(err, /Conditional Access.*AADSTS53003/);
  env.sandbox.user.stopAt(undefined);
  if (Deno.build.os === "windows") return;
  const interrupted = env.spawn("whoami", "--sign-in", "browser", "--prompt");
  const second = await addressShown(interrupted);
  interrupted.kill("SIGINT");
  const [ended, , text] = await Promise.all([
    interrupted.status,
    new Response(interrupted.stdout).text(),
    second.rest,
  ]);
  assertEquals(ended.code, 130, text);
  assertEquals((await env.run("whoami", "--no-prompt")).code, 4);
});

/** Sends raw bytes to a port and reads the start of the response. */
async function raw(port: number, text: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(text));
  const bytes = new Uint8Array(64);
  return new TextDecoder().decode(bytes.subarray(0, await connection.read(bytes) ?? 0));
}

Deno.test("whoami --sign-in browser ignores other requests to its port", async () => {
  await using env = await startTestEnv({ signIn: false });
  const child = env.spawn("whoami", "--sign-in", "browser", "--prompt");
  const { address, rest } = await addressShown(child);
  const shown = new URL(address).searchParams;
  const port = Number(new URL(shown.get("redirect_uri")!).port);
  const state = shown.get("state")!;
  const post = (body: string, host = `localhost:${port}`) =>
    `POST / HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\ncontent-type: application/x-www-form-urlencoded\r\n` +
    `content-length: ${body.length}\r\n\r\n${body}`;
  for (
    const text of [
      `GET // HTTP/1.1\r\nhost: localhost:${port}\r\nconnection: close\r\n\r\n`,
      `GET /?code=x&state=${state} HTTP/1.1\r\nhost: localhost:${port}\r\nconnection: close\r\n\r\n`,
      post("error=access_denied&state=wrong"),
      post(`error=access_denied&state=wrong&state=${state}`),
      post(`state=${state}`),
      post("code=%E0%A4%A&state=%"),
      post(`error=access_denied&state=${state}`, "evil.example"),
      post(`error=access_denied&state=${state}`).replace(/(content-length: )\d+/, "$19999999"),
    ]
  ) assertMatch(await raw(port, text), /^HTTP\/1.1 400 /, text);
  using _silent = await Deno.connect({ hostname: "127.0.0.1", port });
  assertMatch(await browse(address), /You can close this page/);
  const [status, out, err] = await Promise.all([child.status, new Response(child.stdout).text(), rest]);
  assertEquals(status.code, 0, err);
  assertMatch(out, /^Adele Vance </);
});

Deno.test("browser sign-in closes its port when it is aborted", async () => {
  await using env = await startTestEnv({ signIn: false });
  const shown = Promise.withResolvers<string>();
  const stop = new AbortController();
  const { session } = await connect({
    settings: { signIn: "browser" },
    env: (name) => env.sandbox.env[name],
    showDeviceCode: () => {},
    showAddress: shown.resolve,
    notice: () => {},
    signal: stop.signal,
  });
  const ended = assertRejects(() => session.token());
  const port = Number(new URL(new URL(await shown.promise).searchParams.get("redirect_uri")!).port);
  stop.abort();
  const error = await ended;
  assert(error instanceof GraphError && error.kind === "interrupted");
  await assertRejects(() => Deno.connect({ hostname: "127.0.0.1", port }));
});

Deno.test("scripts reject an unknown sign-in method, and use no browser without a terminal", async () => {
  await using env = await startTestEnv({ signIn: false });
  assertMatch(
    (await env.run("whoami", "--sign-in", "magic")).stderr,
    /unknown sign-in method "magic"; use one of: device, browser/,
  );
  const { code, stderr } = await env.run("whoami", "--sign-in", "browser");
  assertEquals(code, 4);
  assertMatch(stderr, /not signed in/);
});
