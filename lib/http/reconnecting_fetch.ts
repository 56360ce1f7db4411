/**
 * `fetch` that turns to another server after a refusal.
 *
 * @module
 */

/**
 * Makes a `fetch` whose requests after a 503 go over new connections: the old ones lead to the server that is overloaded,
 * a new one may be led to another (https://learn.microsoft.com/graph/best-practices-concept, PROTOCOL 8).
 * `connection: close` would not do: HTTP/2 knows no such header. Proxies and certificates are those of `fetch` itself.
 */
export function reconnectingFetch(): typeof fetch {
  let connections: Deno.HttpClient | undefined;
  return async (input, init) => {
    const used = connections;
    const response = await (used ? fetch(input, { ...init, client: used }) : fetch(input, init));
    // Of several requests that are refused at the same time the first one renews for all.
    if (response.status === 503 && used === connections) {
      connections = Deno.createHttpClient({});
      used?.close(); // what is under way on it goes on to its end
    }
    return response;
  };
}
