import { assert, assertEquals } from "../assert.ts";
import type { GraphError } from "../../lib/errors.ts";
import { scriptedGraph } from "./scripted_http.ts";

const brokenBody = () =>
  new Response(
    new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"id":'));
        controller.error(new Error("connection reset"));
      },
    }),
  );

Deno.test("GraphClient requests a GET again whose body breaks off, is cut, or is not JSON", async () => {
  const lost = [
    brokenBody(),
    new Response('{"id":'),
    new Response("<html>proxy</html>"),
    new Response("null"),
  ];
  const { graph, sent } = scriptedGraph(...lost, new Response('{"id":"me"}'));
  assertEquals(await graph.requestJson<{ id: string }>("/me", { what: "who" }), { id: "me" });
  assertEquals(sent.length, 5);
  const hopeless = scriptedGraph(...Array.from({ length: 6 }, () => new Response("secret")));
  const error = await hopeless.graph.requestJson<GraphError>("/me", { what: "who" }).catch((
    error: GraphError,
  ) => error);
  assertEquals([error.code, error.exitCode], ["invalidAnswer", 1]);
  assert(!String(error.message + error.hint).includes("secret"));
});

Deno.test("GraphClient does not repeat a POST whose response is cut, and does not quote it", async () => {
  const { graph, sent } = scriptedGraph(new Response('{"uploadUrl":"https://x.sharepoint.com/secret'));
  const error = await graph.requestJson<GraphError>("/x", { method: "POST", what: "x", json: {} }).catch((
    error: GraphError,
  ) => error);
  assertEquals([error.code, sent.length], ["invalidAnswer", 1]);
  assert(!String(error.message + error.hint).includes("secret"));
});

Deno.test("GraphClient requests a page again that is not a list, then fails", async () => {
  const pagesOf = async (...bodies: unknown[]) => {
    const { graph, sent } = scriptedGraph(...bodies.map((body) => new Response(JSON.stringify(body))));
    const names: string[] = [];
    try {
      for await (const page of graph.pages<string>("/list", "listing")) names.push(...page);
      return { names, requests: sent.length };
    } catch (error) {
      return { names, code: (error as GraphError).code, requests: sent.length };
    }
  };
  const next = { "@odata.nextLink": "https://graph.microsoft.com/v1.0/list?$skiptoken=2" };
  const invalid = [{}, null, { id: "item", name: "a" }, { value: {} }, [], "text"];
  for (const body of invalid) {
    assertEquals(await pagesOf(body, { value: ["a"] }), { names: ["a"], requests: 2 }, JSON.stringify(body));
    const again = Array.from({ length: 6 }, () => body);
    assertEquals(await pagesOf(...again), { names: [], code: "invalidAnswer", requests: 6 });
    assertEquals(await pagesOf({ value: ["a"], ...next }, ...again), {
      names: ["a"],
      code: "invalidAnswer",
      requests: 7,
    });
  }
});
