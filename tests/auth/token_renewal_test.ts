import { assertEquals, assertRejects } from "../assert.ts";
import type { CachedToken } from "../../lib/auth/cache_content.ts";
import { TokenCache, type TokenProvider, TokenRenewal } from "../../lib/auth/token_cache.ts";
import { HttpClient } from "../../lib/http/client.ts";
import { readSettings } from "../../lib/settings.ts";

const NOW = 1_800_000_000_000;
const MINUTE_MS = 60_000;

/** A renewal with a provider that counts its calls, and a token cache in a temporary folder. */
async function startRenewal(changes: Partial<TokenProvider> = {}) {
  const folder = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
  const clock = { now: NOW };
  let acquired = 0;
  const acquire = (): Promise<CachedToken> =>
    Promise.resolve({ secret: `token ${++acquired}`, scopes: [], expiresAt: clock.now + 60 * MINUTE_MS });
  const http = new HttpClient({ now: () => clock.now });
  const settings = await readSettings({ home: folder }, () => undefined);
  const cache = new TokenCache({ settings, http, notice: () => {} });
  const renewal = new TokenRenewal({
    cache,
    find: () => undefined,
    acquire,
    ...changes,
  });
  return {
    renewal,
    clock,
    acquired: () => acquired,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

Deno.test("TokenRenewal keeps a token until five minutes before it expires", async () => {
  await using env = await startRenewal();

  assertEquals((await env.renewal.get()).secret, "token 1");
  env.clock.now = NOW + 55 * MINUTE_MS - 1;
  assertEquals((await env.renewal.get()).secret, "token 1");
  env.clock.now = NOW + 55 * MINUTE_MS;
  assertEquals((await env.renewal.get()).secret, "token 2");
});

Deno.test("TokenRenewal shares one renewal between requests at the same time", async () => {
  await using env = await startRenewal();

  await Promise.all(Array.from({ length: 5 }, () => env.renewal.get()));

  assertEquals(env.acquired(), 1);
});

Deno.test("TokenRenewal replaces a rejected token only while it is the current one", async () => {
  await using env = await startRenewal();
  const { secret: refused } = await env.renewal.get();

  assertEquals((await env.renewal.get({ refused })).secret, "token 2");
  assertEquals((await env.renewal.get({ refused })).secret, "token 2");
});

Deno.test("TokenRenewal takes the token that another process renewed, except for claims", async () => {
  const other = { secret: "other", scopes: [], expiresAt: NOW + 60 * MINUTE_MS };
  await using env = await startRenewal({ find: () => other });

  assertEquals((await env.renewal.get({ refused: "old" })).secret, "other");
  assertEquals((await env.renewal.get({ refused: "other" })).secret, "token 1");
  assertEquals((await env.renewal.get({ refused: "token 1", claims: "{}" })).secret, "token 2");
});

Deno.test("TokenRenewal forgets a renewal in progress when it is reset", async () => {
  await using env = await startRenewal();
  const first = env.renewal.get();

  env.renewal.reset();
  const second = await env.renewal.get();

  assertEquals((await first).secret === second.secret, false);
  assertEquals((await env.renewal.get()).secret, second.secret);
});

Deno.test("TokenRenewal tries again after a failure", async () => {
  let failures = 1;
  const token = { secret: "token 1", scopes: [], expiresAt: NOW + 60 * MINUTE_MS };
  await using env = await startRenewal({
    acquire: () => failures-- > 0 ? Promise.reject(new Error("offline")) : Promise.resolve(token),
  });

  await assertRejects(() => env.renewal.get());

  assertEquals((await env.renewal.get()).secret, "token 1");
});
