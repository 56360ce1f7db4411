import { assertEquals } from "../assert.ts";
import {
  type CachedAccount,
  findAppToken,
  findToken,
  parseCacheContent,
  withoutAccounts,
} from "../../lib/auth/cache_content.ts";

const NOW = 1_800_000_000;
const account: CachedAccount = {
  homeAccountId: "u.t",
  realm: "t",
  username: "a@b.c",
  name: undefined,
};
const query = {
  clientId: "c",
  environment: "login.windows.net",
  apiOrigin: "https://graph.microsoft.us",
  account,
  scopes: ["Files.Read.All"],
};
const token = {
  client_id: "c",
  environment: "login.windows.net",
  home_account_id: "u.t",
  realm: "t",
  secret: "s",
  target: "Files.Read.All",
  cached_at: `${NOW}`,
  expires_on: `${NOW + 301}`,
};

function found(changes: Record<string, unknown>): boolean {
  const content = parseCacheContent({ AccessToken: { x: { ...token, ...changes } } });
  return findToken(content ?? {}, query, NOW * 1000) !== undefined;
}

Deno.test("findToken() returns a token with more than five minutes left", () => {
  assertEquals(found({}), true);
  assertEquals(found({ expires_on: `${NOW + 300}` }), false);
});

Deno.test("findToken() accepts the rounded-up time of a token that MSAL has just stored", () => {
  assertEquals(found({ cached_at: `${NOW + 1}` }), true);
  assertEquals(found({ cached_at: `${NOW + 60}` }), false);
});

Deno.test("findToken() accepts a token with wider permissions only", () => {
  for (
    const target of [
      "Files.ReadWrite.All",
      "https://graph.microsoft.us/files.read.all",
      "User.Read Files.Read.All",
    ]
  ) {
    assertEquals(found({ target }), true, target);
  }
  const other = "https://dod-graph.microsoft.us/Files.Read.All";
  for (const target of [other, "Files.Read", "Files.ReadWrite", "Sites.Read.All", ""]) {
    assertEquals(found({ target }), false, target);
  }
});

Deno.test("findToken() ignores unusual entries, which MSAL handles", () => {
  const odd = [
    { secret: "" },
    { client_id: "d" },
    { realm: "other" },
    { home_account_id: "v.t" },
    { environment: "x" },
    { refresh_on: `${NOW - 1}` },
    { requestedClaims: "{}" },
    { expires_on: "soon" },
    { cached_at: undefined },
  ];
  for (const changes of odd) assertEquals(found(changes), false, JSON.stringify(changes));
});

Deno.test("parseCacheContent() rejects entries whose fields have the wrong type", () => {
  const mistyped = [
    { AccessToken: { x: { ...token, secret: 5 } } },
    { AccessToken: { x: { ...token, target: ["Files.Read.All"] } } },
    { AccessToken: { x: { ...token, expires_on: {} } } },
    { RefreshToken: { x: { secret: "s", environment: 1 } } },
    { Account: { x: { username: true } } },
    { IdToken: { x: { realm: {} } } },
    { AppMetadata: { x: { client_id: [] } } },
    { Account: { x: null } },
  ];
  for (const value of mistyped) assertEquals(parseCacheContent(value), undefined, JSON.stringify(value));
  const odd = { AccessToken: { x: { ...token, expires_on: NOW, refresh_on: null, of_another_version: {} } } };
  assertEquals(parseCacheContent(odd), odd);
});

Deno.test("findAppToken() matches tenant, ignoring case, and cloud", () => {
  const target = "https://graph.microsoft.us/.default";
  const content = parseCacheContent({ AccessToken: { x: { ...token, home_account_id: "", target } } })!;
  const known = (tenantId: string, apiOrigin = query.apiOrigin) =>
    findAppToken(content, { ...query, apiOrigin, tenantId }, NOW * 1000) !== undefined;
  assertEquals([known("t"), known("T"), known("other")], [true, true, false]);
  assertEquals(known("t", "https://dod-graph.microsoft.us"), false);
});

Deno.test("withoutAccounts() removes all entries of a client, app-only ones too, and no others", () => {
  const other = { ...token, client_id: "d" };
  const mine = { app: { ...token, home_account_id: "" }, orphan: token };
  const Account = { a: { home_account_id: "u.t", environment: query.environment, realm: "t" } };
  const content = { Account, AccessToken: { ...mine, other }, RefreshToken: { other }, IdToken: { ...mine } };
  const left = { Account, AccessToken: { other }, RefreshToken: { other }, IdToken: {} };
  assertEquals(withoutAccounts(content, query, "all"), left);
  const alone = withoutAccounts({ ...content, RefreshToken: {} }, query, "all");
  assertEquals(alone.Account, {});
});
