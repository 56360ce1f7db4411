/**
 * What an access token says of itself: a hint for people, never a decision. Only Graph may rely on it.
 *
 * @module
 */

/** The claims of a token; none when it cannot be read, as with personal accounts, whose tokens are opaque. */
export function decodeClaims(token: string): Record<string, unknown> {
  try {
    const part = token.split(".")[1] ?? "";
    const value: unknown = JSON.parse(atob(part.replaceAll("-", "+").replaceAll("_", "/")));
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
