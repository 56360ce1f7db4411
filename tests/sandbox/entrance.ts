/** Where the three services listen, and the addresses that they give out. */

import { namedOrigins, serviceNamed } from "./host_names.ts";
import { Listener, type Respond } from "./http/listener.ts";
import { type ShapedLine, startShapedLine } from "./http/shaped_line.ts";
import type { Service } from "./messages.ts";
import type { SandboxOptions } from "./options.ts";
import type { Origins } from "./state.ts";

const SERVICES: readonly Service[] = ["login", "graph", "storage"];

/** Open ports. */
export interface Entrance {
  readonly origins: Origins;
  readonly ports: Readonly<Record<Service, number>>;
  close(): Promise<void>;
}

/** Opens all ports or none. @throws {Deno.errors.AddrInUse} */
export function openEntrance(options: SandboxOptions, respond: Respond): Entrance {
  const { tls, port, line } = options;
  const listeners: Listener[] = [];
  const lines: ShapedLine[] = [];
  const close = async () => {
    await Promise.all(lines.map((line) => line[Symbol.asyncDispose]()));
    await Promise.all(listeners.map((listener) => listener.close()));
  };
  /** @returns the port for clients */
  const open = (serviceAt: (host: string) => Service | undefined, wanted: number): number => {
    const listener = new Listener(serviceAt, line === undefined ? wanted : 0, respond, tls);
    listeners.push(listener);
    if (line === undefined) return listener.port;
    const shaped = startShapedLine(listener.port, line, wanted);
    lines.push(shaped);
    return shaped.port;
  };
  try {
    if (tls?.hostNames) {
      const all = open(serviceNamed, port ?? 0);
      const ports = { login: all, graph: all, storage: all };
      return { origins: namedOrigins(tls.publicPort ?? all), ports, close };
    }
    const [login, graph, storage] = SERVICES.map((service, index) =>
      open(() => service, port === undefined ? 0 : port + index)
    ) as [number, number, number];
    const origin = (port: number) => `${tls ? "https://localhost" : "http://127.0.0.1"}:${port}`;
    const origins = { login: origin(login), graph: origin(graph), storage: () => origin(storage) };
    return { origins, ports: { login, graph, storage }, close };
  } catch (error) {
    void close();
    throw error;
  }
}
