import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { fileURLToPath } from "node:url";

const CACHE = process.env["SVIRT_CACHE"] ?? `${process.env["XDG_CACHE_HOME"] ?? `${homedir()}/.cache`}/svirt`;
const NEEDS = ["sesearch", "seinfo"] as const;
/** The modules that svirt adds to Debian's policy. */
export const POLICY_SOURCE = fileURLToPath(new URL("../../image/policy", import.meta.url));

/** One rule as setools prints it: what the kernel has, after every deny rule. */
export interface AllowRule {
  readonly source: string;
  readonly target: string;
  readonly tclass: string;
  readonly permissions: readonly string[];
  /** The boolean's condition, empty without. */
  readonly condition: string;
}

/** A built policy, read by setools. */
export interface Policy {
  readonly rules: readonly AllowRule[];
  /** `allowxperm`: of which ioctls a right consists. */
  readonly extended: readonly string[];
  /** The members of each attribute. */
  readonly attributes: ReadonlyMap<string, ReadonlySet<string>>;
}

/** For the name of a test that is skipped: what is missing. */
export const needsSetools = NEEDS.every((tool) => Bun.which(tool) !== null)
  ? ""
  : " (skipped: sesearch is missing, install setools)";

/** The folder that image/build has for the policy of this very checkout, not of another or of an earlier state. */
export function findBuiltPolicy(): string | undefined {
  const node = `${CACHE}/node`;
  if (!existsSync(node)) return undefined;
  return readdirSync(node)
    .filter((name) => /^policy-[0-9a-f]+$/.test(name))
    .map((name) => `${node}/${name}`)
    .find(isOfThisCheckout);
}

function isOfThisCheckout(folder: string): boolean {
  const modules = `${folder}/var/lib/selinux/default/active/modules/400`;
  if (!existsSync(modules)) return false;
  const sources = readdirSync(POLICY_SOURCE).filter((name) => name.endsWith(".cil"));
  const built = readdirSync(modules);
  return (
    built.length === sources.length &&
    sources.every((name) => {
      const module = `${modules}/${name.replace(/\.cil$/, "")}/cil`;
      return existsSync(module) && readFileSync(module).equals(readFileSync(`${POLICY_SOURCE}/${name}`));
    })
  );
}

/** The binary policy in a folder of image/build-policy. */
export function binaryOf(folder: string): string {
  return `${folder}/etc/selinux/default/policy/policy.33`;
}

/** Reads a binary policy. */
export function readPolicy(binary: string): Policy {
  const rules = output(["sesearch", "-A", binary]).split("\n");
  return {
    rules: rules.filter((line) => line.startsWith("allow ")).map(parseRule),
    extended: output(["sesearch", "--allowxperm", binary])
      .split("\n")
      .filter((line) => line !== ""),
    attributes: parseAttributes(output(["seinfo", "-a", "-x", binary])),
  };
}

const RULE = /^allow (\S+) (\S+):(\S+) (?:\{ ([^}]*) \}|(\S+));(?: \[ (.*) \]:(True|False))?$/;

/** Throws for what sesearch does not print. */
export function parseRule(line: string): AllowRule {
  const [, source, target, tclass, several, one, condition, branch] = RULE.exec(line) ?? [];
  if (source === undefined || target === undefined || tclass === undefined)
    throw new Error(`Cannot read what sesearch printed: ${line}`);
  const permissions = (several ?? one ?? "").split(" ");
  const when = condition === undefined ? "" : `${branch === "True" ? "" : "not "}${condition}`;
  return { source, target, tclass, permissions, condition: when };
}

function parseAttributes(text: string): ReadonlyMap<string, ReadonlySet<string>> {
  const attributes = new Map<string, Set<string>>();
  let current = "";
  for (const line of text.split("\n")) {
    const [, name] = /^\s+attribute (\S+?);?$/.exec(line) ?? [];
    if (name !== undefined) {
      current = name;
      attributes.set(name, new Set());
    } else if (line.startsWith("\t")) attributes.get(current)?.add(line.trim());
  }
  return attributes;
}

function output(words: string[]): string {
  const { exitCode, stderr, stdout } = Bun.spawnSync(words);
  if (exitCode !== 0) throw new Error(`${words[0]} failed: ${stderr}`);
  return stdout.toString();
}
