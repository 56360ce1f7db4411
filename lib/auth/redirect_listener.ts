/**
 * A port of this machine to which a browser brings the answer of one sign-in. Whatever else comes there, from pages that try
 * all ports or from programs of other users, neither ends nor disturbs it.
 *
 * @module
 */

/** A code of the service with its state has some KiB. */
const MAX_BYTES = 64 * 1024;
/** How long a browser may take to read its last page. */
const LAST_PAGE_MS = 1_000;
const PAGE =
  "<!doctype html><meta charset=utf-8><title>graph-scripts</title><p>You can close this page and go back to the terminal.";

/** An open port; disposing of it closes it. */
export interface RedirectListener extends AsyncDisposable {
  /** As the registration names it; the service ignores its port. */
  redirectUri: string;
  /** The fields of the first answer with the right state. */
  answer: Promise<URLSearchParams>;
}

/**
 * Opens a port on loopback.
 *
 * @param state What only the service and the browser of the person are told: an answer without it is none.
 */
export function listenForRedirect(state: string): RedirectListener {
  const { promise: answer, resolve } = Promise.withResolvers<URLSearchParams>();
  const stop = new AbortController();
  const options = { hostname: "127.0.0.1", port: 0, signal: stop.signal, onListen: () => {} };
  const server = Deno.serve({ ...options, onError: () => plain(400) }, async (request) => {
    const { host, pathname } = new URL(request.url);
    // A name that leads here by a trick of its DNS is not one of ours.
    if (pathname !== "/" || !names.includes(host)) return plain(404);
    if (request.method !== "POST") return plain(405);
    if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(request.headers.get("content-type") ?? "")) {
      return plain(415);
    }
    const length = Number(request.headers.get("content-length") ?? NaN);
    if (!(length <= MAX_BYTES)) return plain(413);
    const fields = new URLSearchParams(await request.text());
    const states = fields.getAll("state");
    if (states.length !== 1 || states[0] !== state || !(fields.has("code") || fields.has("error"))) {
      return plain(400);
    }
    resolve(fields);
    return new Response(PAGE, { headers: { ...HEADERS, "content-type": "text/html; charset=utf-8" } });
  });
  const { port } = server.addr;
  const names = [`localhost:${port}`, `127.0.0.1:${port}`];
  return {
    redirectUri: `http://localhost:${port}`,
    answer,
    async [Symbol.asyncDispose]() {
      // A connection that nothing is sent on would keep the port, and the program, for as long as it likes.
      const timer = setTimeout(() => stop.abort(), LAST_PAGE_MS);
      await Promise.race([server.shutdown(), server.finished]);
      clearTimeout(timer);
    },
  };
}

const HEADERS = { connection: "close", "cache-control": "no-store", "referrer-policy": "no-referrer" };

function plain(status: number): Response {
  return new Response(null, { status, headers: HEADERS });
}
