/**
 * `@std/path` for networks that do not reach JSR: the same functions of Node's `path` and `url`.
 *
 * @module
 */
import * as path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** The last segment of a path, without `suffix` if it ends so. */
export const basename: (path: string, suffix?: string) => string = path.basename;
/** A path without its last segment. */
export const dirname: (path: string) => string = path.dirname;
/** Joins segments and normalizes the result. */
export const join: (...paths: string[]) => string = path.join;
/** Resolves segments to an absolute path. */
export const resolve: (...paths: string[]) => string = path.resolve;
/** The path of a `file:` URL. */
export const fromFileUrl: (url: string | URL) => string = fileURLToPath;
/** The `file:` URL of an absolute path. */
export const toFileUrl: (path: string) => URL = pathToFileURL;
