/** A cursor over the steps of an address. */

import { invalidRequest } from "../service_error.ts";
import type { AddressStep } from "./address_path.ts";
import { unknownSegment } from "./documentation.ts";

export class Route {
  readonly #steps: readonly AddressStep[];
  #at = 0;

  constructor(steps: readonly AddressStep[]) {
    this.#steps = steps;
  }

  get ended(): boolean {
    return this.#at >= this.#steps.length;
  }

  /** The last name of all, or "". */
  get last(): string {
    const step = this.#steps.at(-1);
    return step?.kind === "name" ? step.text : "";
  }

  /** @throws {ServiceError} 501 at the end, for a collection as a whole */
  name(): string {
    const step = this.#steps[this.#at++];
    if (step === undefined && this.last !== "") throw unknownSegment(this.last);
    if (step?.kind !== "name" || step.text === "") throw invalidRequest("The request URI is not valid.");
    return step.text;
  }

  /** Consumes the next step if it is a path. */
  path(): string[] | undefined {
    const step = this.#steps[this.#at];
    if (step?.kind !== "path") return undefined;
    this.#at++;
    return step.segments;
  }

  /** The remaining segments, after those already read, or "". */
  relation(...names: string[]): string {
    while (!this.ended) names.push(this.name());
    return names.join("/");
  }
}
