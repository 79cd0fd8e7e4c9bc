// In turn: it takes seconds of a processor.
import { describe, expect, test } from "bun:test";
import { lstatSync, readdirSync } from "node:fs";
import type { FileKind } from "../../../src/selinux/file-contexts/file-kind.ts";
import { defaultContextOf, parseFileContexts } from "../../../src/selinux/file-contexts/look-up.ts";
import { shareOf } from "../../sample.ts";
import { KINDS, Matchpathcon, matchpathcon, needsMatchpathcon } from "./matchpathcon.ts";
import { drawPath, drawsFrom } from "./path-sampler.ts";
import { readRealContexts } from "./real-contexts.ts";

const texts = readRealContexts();
const needsPolicy = texts === undefined ? " (skipped: no policy is here, run scripts/node build)" : "";
const LEAST_PATHS = 20_000;
const MOST_REAL_PATHS = 8_000;

describe.skipIf(matchpathcon === null || texts === undefined)(
  `defaultContextOf() by a real policy${needsMatchpathcon}${needsPolicy}`,
  () => {
    test.each(["text", "compiled form"])(
      `says what matchpathcon says by the policy's %s of ${LEAST_PATHS} paths, as files of every kind`,
      (form) => {
        if (texts === undefined) throw new Error("no policy");
        const paths = [
          ...new Set([...drawnPaths(texts.base.text), ...drawnPaths(texts.homedirs?.text ?? "")]),
        ];
        const real = listPaths("/", MOST_REAL_PATHS);
        const all = [...paths, ...real.map(({ path }) => path)];
        expect(all.length).toBeGreaterThan(LEAST_PATHS);
        using tool = new Matchpathcon(texts);
        if (form === "compiled form") tool.compile();
        const contexts = parseFileContexts(texts);
        for (const kind of shareOf(KINDS, form.length)) {
          const wanted = tool.lookUp(all, kind);
          // Proves that the comparison covers enough labels.
          expect(new Set(wanted).size).toBeGreaterThan(200);
          const different = all.flatMap((path, at) => {
            const found = defaultContextOf(contexts, path, kind);
            return found === wanted[at] ? [] : [{ path, kind, found, wanted: wanted[at] }];
          });
          expect(different).toEqual([]);
        }
      },
      300_000,
    );

    test("says the same of files of this machine as what they are", () => {
      if (texts === undefined) throw new Error("no policy");
      using tool = new Matchpathcon(texts);
      const contexts = parseFileContexts(texts);
      const byKind = Map.groupBy(listPaths("/", MOST_REAL_PATHS), ({ kind }) => kind);
      expect(byKind.size).toBeGreaterThan(2);
      for (const [kind, files] of byKind) {
        const paths = files.map(({ path }) => path);
        expect(paths.map((path) => defaultContextOf(contexts, path, kind))).toEqual(tool.lookUp(paths, kind));
      }
    }, 120_000);
  },
);

function drawnPaths(text: string): string[] {
  const draw = drawsFrom(20_261_124);
  const patterns = text.split("\n").flatMap((line) => /^\/\S*/.exec(line) ?? []);
  return patterns.flatMap((pattern) => [1, 2, 3].map(() => drawPath(pattern, draw))).filter(isAbsolute);
}

function isAbsolute(path: string): boolean {
  return path.startsWith("/");
}

interface Found {
  readonly path: string;
  readonly kind: FileKind;
}

/** Lists up to `most` files of this machine, breadth first, with a limit per folder. */
function listPaths(top: string, most: number): Found[] {
  const found: Found[] = [];
  const folders = [top];
  for (let folder = folders.shift(); folder !== undefined && found.length < most; folder = folders.shift()) {
    const inside = listFolder(folder);
    found.push(...inside);
    folders.push(...inside.filter(isWorthEntering).map(({ path }) => path));
  }
  return found.slice(0, most);
}

function listFolder(folder: string): Found[] {
  return listNames(folder).flatMap((name) => {
    const path = `${folder === "/" ? "" : folder}/${name}`;
    const kind = kindOf(path);
    return kind === undefined ? [] : [{ path, kind }];
  });
}

function isWorthEntering({ kind, path }: Found): boolean {
  return kind === "folder" && path !== "/proc" && path !== "/sys";
}

function listNames(folder: string): string[] {
  try {
    // Leaves out names that are not UTF-8, as another test may make: their text names no file.
    return readdirSync(folder)
      .filter((name) => !name.includes("\ufffd"))
      .sort()
      .slice(0, 60);
  } catch {
    return [];
  }
}

function kindOf(path: string): FileKind | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  if (stat.isFile()) return "file";
  if (stat.isDirectory()) return "folder";
  if (stat.isSymbolicLink()) return "symlink";
  if (stat.isBlockDevice()) return "block";
  if (stat.isCharacterDevice()) return "character";
  return stat.isFIFO() ? "fifo" : "socket";
}
