/** Monitors of copies (PROTOCOL 14b). */

import { jsonResponse, type ServiceRequest, type ServiceResponse } from "../messages.ts";
import { itemNotFound, ServiceError } from "../service_error.ts";
import type { State } from "../state.ts";
import type { Site } from "../tenant/directory.ts";
import type { Item } from "../tenant/item.ts";

interface Copy {
  result: Promise<Item>;
  /** How many more requests find it in progress. */
  pending: number;
}

export class Copies {
  /** How many requests of a monitor find its copy in progress; tests change it. */
  pendingReports = 1;
  readonly #copies = new Map<string, Copy>();

  /** The pre-authenticated URL that reports a copy. */
  monitor(state: State, site: Site, result: Promise<Item>): string {
    result.catch(() => {}); // reported by the monitor
    const id = crypto.randomUUID();
    this.#copies.set(id, { result, pending: this.pendingReports });
    const path = `${site.path}/_api/v2.0/monitor/${id}`;
    const grant = { use: "monitor", driveId: "", subject: id } as const;
    return state.signer.sign(state.origins.storage(site), path, "tempauth=", grant, 3600);
  }

  async report(state: State, request: ServiceRequest): Promise<ServiceResponse> {
    const copy = this.#copies.get(state.signer.check(request, "monitor").subject);
    if (!copy) throw itemNotFound();
    if (copy.pending-- > 0) {
      return jsonResponse(202, { operation: "ItemCopy", percentageComplete: 27.8, status: "inProgress" });
    }
    try {
      const { id: resourceId } = await copy.result;
      return jsonResponse(200, { percentageComplete: 100, resourceId, status: "completed" });
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      const { code, message } = error;
      return jsonResponse(200, { percentageComplete: 0, status: "failed", error: { code, message } });
    }
  }
}
