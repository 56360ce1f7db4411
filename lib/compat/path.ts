/**
 * `@std/path` for networks that do not reach JSR: the same functions of Node's `path`.
 *
 * @module
 */
export { basename, dirname, join, resolve } from "node:path";
