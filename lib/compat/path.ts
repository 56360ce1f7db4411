/**
 * `@std/path` for networks that do not reach JSR: the same functions of Node's `path` and `url`.
 *
 * @module
 */
export { basename, dirname, join, resolve } from "node:path";
export { fileURLToPath as fromFileUrl, pathToFileURL as toFileUrl } from "node:url";
