/**
 * Clients with a list of responses in place of a network; pauses take no time.
 *
 * @module
 */
import { GraphClient } from "../../lib/graph/client.ts";
import { HttpClient, type HttpOptions } from "../../lib/http/client.ts";

/** A client, the pauses that it made (in milliseconds), and the requests that it sent. */
export interface ScriptedHttp {
  http: HttpClient;
  waits: number[];
  sent: Request[];
}

/** A client that gets these responses in turn. */
export function scripted(responses: (Response | Error)[], options: HttpOptions = {}): ScriptedHttp {
  const waits: number[] = [];
  const sent: Request[] = [];
  let now = Date.parse("2026-01-01T00:00:00Z");
  const http = new HttpClient({
    fetch: (input, init) => {
      sent.push(new Request(input, init));
      const response = responses.shift();
      if (response === undefined) throw new Error("one request too many");
      return response instanceof Error ? Promise.reject(response) : Promise.resolve(response);
    },
    sleep: (ms) => {
      waits.push(ms);
      now += ms;
      return Promise.resolve();
    },
    random: () => 0.999999,
    now: () => now,
    ...options,
  });
  return { http, waits, sent };
}

/** A Graph client that gets these responses in turn. */
export function scriptedGraph(
  ...responses: (Response | Error)[]
): Omit<ScriptedHttp, "http"> & { graph: GraphClient } {
  const { http, waits, sent } = scripted(responses);
  const tokens = { token: () => Promise.resolve("token") };
  return { graph: new GraphClient(http, "https://graph.microsoft.com", tokens), waits, sent };
}

/** An empty response. */
export function status(code: number, headers: Record<string, string> = {}): Response {
  return new Response("", { status: code, headers });
}
