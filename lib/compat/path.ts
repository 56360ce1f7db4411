/**
 * `@std/path` for networks that reach npm and not JSR: the same functions of Node's own `path` and `url`.
 *
 * @module
 */
export { basename, dirname, extname, isAbsolute, join, relative, resolve } from "node:path";
export { fileURLToPath as fromFileUrl, pathToFileURL as toFileUrl } from "node:url";
