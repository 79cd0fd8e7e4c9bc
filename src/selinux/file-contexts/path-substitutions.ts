/** Part of the tree labelled like another part: `/lib64` like `/usr/lib`. */
export interface PathSubstitution {
  readonly from: string;
  readonly to: string;
}

/** Parses `file_contexts.subs` or `.subs_dist`: two paths per line. A line with a single path is ignored. */
export function parseSubstitutions(text: string): readonly PathSubstitution[] {
  return text.split("\n").flatMap((line) => {
    const [from, to] = line.split(/[ \t\r\v\f]+/).filter((word) => word !== "");
    return from === undefined || to === undefined || from.startsWith("#") ? [] : [{ from, to }];
  });
}

/**
 * Applies the first fitting substitution; returns the path unchanged if none fits. libselinux
 * selabel_apply_subs()
 */
export function substitutePath(path: string, substitutions: readonly PathSubstitution[]): string {
  for (const { from, to } of substitutions) {
    if (path !== from && !path.startsWith(`${from}/`)) continue;
    const rest = path.slice(from.length);
    return to === "/" && rest !== "" ? rest : `${to}${rest}`;
  }
  return path;
}
