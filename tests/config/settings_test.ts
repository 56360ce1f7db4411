import { assertEquals, assertMatch, assertRejects } from "../assert.ts";
import type { GraphError } from "../../lib/errors.ts";
import { readSettings } from "../../lib/settings.ts";

const CLIENT = "b1a7e2c4-5d3f-4e86-9a0b-c7d8e9f01234";
const ENV: Record<string, string> = {
  GRAPH_SCRIPTS_HOME: "/nonexistent",
  GRAPH_CLIENT_ID: CLIENT,
  GRAPH_SITE: "env",
};

const read = (flags: Parameters<typeof readSettings>[0], more: Record<string, string> = {}) =>
  readSettings(flags, (name) => ({ ...ENV, ...more })[name]);

Deno.test("readSettings() prefers flags to environment variables", async () => {
  assertEquals((await read({ site: "flag" })).site, "flag");
  assertEquals((await read({})).site, "env");
});

Deno.test("readSettings() gives each cloud and sign-in origin a token cache of its own", async () => {
  const services: Record<string, string>[] = [
    {},
    { GRAPH_CLOUD: "usgov" },
    { GRAPH_CLOUD: "usdod" },
    { GRAPH_CLOUD: "china" },
    { GRAPH_LOGIN_ORIGIN: "http://127.0.0.1:1" },
    { GRAPH_LOGIN_ORIGIN: "http://127.0.0.1:2" },
  ];

  const paths = await Promise.all(services.map(async (more) => (await read({}, more)).tokenCache));

  assertEquals(new Set(paths).size, services.length);
});

Deno.test("readSettings() rejects invalid settings and names them", async () => {
  const cases: [Record<string, string>, RegExp][] = [
    [{ GRAPH_CLIENT_ID: "app" }, /invalid application \(client\) id: "app"/],
    [{ GRAPH_TENANT_ID: "no tenant" }, /invalid directory \(tenant\) id: "no tenant"/],
    [{ GRAPH_CLOUD: "mars" }, /unknown cloud "mars"/],
    [{ GRAPH_SIGN_IN: "magic" }, /unknown sign-in method "magic"/],
    [{ GRAPH_SITE_HOST: "a/b" }, /GRAPH_SITE_HOST=a\/b is not a host/],
    [{ GRAPH_API_ORIGIN: "https://user:secret@example.com" }, /GRAPH_API_ORIGIN is not an https origin/],
    [{ GRAPH_LOGIN_ORIGIN: "http://example.com" }, /GRAPH_LOGIN_ORIGIN is not an https origin/],
    [{ GRAPH_TOKEN_CACHE_KEY: "" }, /GRAPH_TOKEN_CACHE_KEY is set, but empty/],
  ];
  for (const [more, message] of cases) {
    const error = await assertRejects(() => read({}, more));
    assertEquals([(error as GraphError).kind, (error as GraphError).code], ["usage", "invalidSetting"]);
    assertMatch(String(error), message);
  }
});

Deno.test("readSettings() fails without a home folder", async () => {
  const error = await assertRejects(() => readSettings({}, () => undefined)) as GraphError;
  assertEquals(error.kind, "usage");
  assertMatch(error.message, /no home folder/);
});
