/**
 * Paths of this platform, from the modules of Node that are part of Deno.
 *
 * @module
 */
export { basename, dirname, join, resolve } from "node:path";
export { fileURLToPath as fromFileUrl, pathToFileURL as toFileUrl } from "node:url";
