import { assertEquals } from "../assert.ts";
import {
  type CachedAccount,
  findAppToken,
  findToken,
  parseCacheContent,
  withoutAccount,
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
  for (const target of ["Files.Read", "Files.ReadWrite", "Sites.Read.All", ""]) {
    assertEquals(found({ target }), false, target);
  }
});

Deno.test("findToken() ignores entries of others and unusual ones", () => {
  const odd = [
    { secret: "" },
    { client_id: "d" },
    { realm: "other" },
    { home_account_id: "v.t" },
    { environment: "x" },
    { expires_on: "soon" },
  ];
  for (const changes of odd) assertEquals(found(changes), false, JSON.stringify(changes));
});

Deno.test("parseCacheContent() rejects what is no token cache", () => {
  const wrong = [{ Account: { x: null } }, { AccessToken: [] }, { RefreshToken: { x: "s" } }, { other: {} }];
  for (const value of wrong) assertEquals(parseCacheContent(value), undefined, JSON.stringify(value));
  const odd = { AccessToken: { x: { ...token, expires_on: NOW, of_another_version: {} } } };
  assertEquals(parseCacheContent(odd), odd);
});

Deno.test("findAppToken() matches the tenant, ignoring case", () => {
  const target = "https://graph.microsoft.us/.default";
  const content = parseCacheContent({ AccessToken: { x: { ...token, home_account_id: "", target } } })!;
  const known = (tenantId: string) => findAppToken(content, { ...query, tenantId }, NOW * 1000) !== undefined;
  assertEquals([known("t"), known("T"), known("other")], [true, true, false]);
});

Deno.test("withoutAccount() removes all entries of an account, and no others", () => {
  const other = { ...token, home_account_id: "v.t" };
  const of = (entry: Record<string, unknown>) => ({
    Account: { entry },
    RefreshToken: { entry },
    IdToken: { entry },
  });
  const content = { ...of(token), AccessToken: { other, token } };
  const left = { Account: {}, IdToken: {}, AccessToken: { other }, RefreshToken: {}, AppMetadata: {} };
  assertEquals(withoutAccount(content, account), left);
});
