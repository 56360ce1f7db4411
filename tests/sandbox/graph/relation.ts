/** The rest of an address: a relation, action or function, with what it names (PROTOCOL 3.1). */

export interface Relation {
  /** What is matched, with `{id}` for keys: `children`, `versions/{id}/content`. */
  readonly route: string;
  readonly id: string | undefined;
  /** The arguments of a function: `search(q='…')`. */
  readonly arguments: ReadonlyMap<string, string>;
}

/** Parses what follows an item or drive; the namespace of actions and functions is optional. */
export function parseRelation(text: string): Relation {
  const [, name = text, list = "", rest = ""] =
    /^(?:microsoft\.graph\.)?([$\w]+)(?:\((.*)\))?(\/.*)?$/s.exec(text) ?? [];
  const [, id, ...further] = rest.split("/");
  return {
    route: [name, ...(id === undefined ? [] : ["{id}"]), ...further].join("/"),
    id,
    arguments: new Map(
      [...list.matchAll(/(\w+)='((?:[^']|'')*)'/g)].map(([, key, value]) =>
        [key!, value!.replaceAll("''", "'")] as const
      ),
    ),
  };
}
