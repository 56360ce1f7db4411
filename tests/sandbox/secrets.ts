/** All secrets issued by the sandbox, so that tests can search for leaks. */
export class Secrets {
  readonly #issued = new Set<string>();

  /** Records a secret and returns it. */
  issue(secret: string): string {
    this.#issued.add(secret);
    return secret;
  }

  /** All secrets so far, oldest first. */
  all(): string[] {
    return [...this.#issued];
  }
}
