/** Every secret the sandbox has handed out, so that tests can look for them where they must not be. */
export class Secrets {
  readonly #issued = new Set<string>();

  /** Remembers a secret and returns it. */
  issue(secret: string): string {
    this.#issued.add(secret);
    return secret;
  }

  /** All secrets so far, oldest first. */
  all(): string[] {
    return [...this.#issued];
  }
}
